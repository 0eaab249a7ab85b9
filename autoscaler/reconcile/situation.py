"""Everything a plan is made from, and the plan in the making."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autoscaler.domain.desired import Bounds, Decision, Gate
from autoscaler.domain.fleet import Machine, MachineState, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId, Region, VolumeId
from autoscaler.domain.plan import Action, Create, Plan, Shortfall
from autoscaler.domain.pool import Pool, Spill
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import busy as business
from autoscaler.reconcile.budget import budget
from autoscaler.reconcile.counting import PoolView, Roster
from autoscaler.reconcile.ledger import Ledger
from autoscaler.reconcile.template import choose


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One tick's facts. `created_recently`, `volumes` and `mounted` are None where they were not read."""

    view: PoolView
    rosters: Mapping[Region, Roster]
    decision: Decision
    gate: Gate
    ledger: Ledger
    busy: Answer | None
    created_recently: int | None
    volumes: tuple[Volume, ...] | None
    mounted: frozenset[VolumeId] | None
    now: Instant

    @property
    def pool(self) -> Pool:
        """Whose Machines these are."""
        return self.view.pool

    @property
    def spills(self) -> bool:
        """Whether what one region cannot hold may go to another."""
        default = Spill.OFF if self.decision.regional else Spill.NEAREST
        return (self.pool.spill or default) is Spill.NEAREST

    def desired(self, region: Region) -> int:
        """How many Machines should serve the region."""
        return self.decision.regions[region].desired

    def bounds(self, region: Region) -> Bounds:
        """The region's bounds as schedules left them."""
        return self.decision.regions[region].bounds

    def held(self, region: Region) -> bool:
        """Whether something keeps the region from going in that concerns what is leaving already, too."""
        holds = self.gate.hold_in.get(region, ())
        return any(why.code is not ReasonCode.RESTART_HOLD for why in holds)

    def demand(self, region: Region) -> Reason:
        """Why Machines are added to a region."""
        return reason(ReasonCode.DEMAND, desired=self.desired(region), capacity=self.rosters[region].capacity)

    def load(self, machine: Machine) -> float:
        """How busy a Machine is; infinity if nobody knows."""
        return business.load(machine, self.busy, self.now)


class Draft:
    """A plan in the making: what is already in it, and what may still be added.

    `room` is how many more Machines each region may physically hold, `total_room` how many the pool;
    `budget_left` is how many may still be created, 0 if that cannot be known, and `promised` how much of
    it belongs to creates of unknown result, which alone may use it.
    """

    def __init__(self, situation: Situation) -> None:
        """Begin with an empty plan in the given situation."""
        self._actions: list[Action] = []
        self._missing = Counter[tuple[Region, Reason]]()
        self._view = situation.view
        self._templates: dict[Region, Machine | None] = {}
        self.touched: set[str] = set()
        unshown = situation.ledger.uncertain
        present = {region: roster.present for region, roster in situation.rosters.items()}
        self.room = {
            region: situation.bounds(region).max - count - sum(one.region == region for one in unshown)
            for region, count in present.items()
        }
        self.total_room = situation.decision.total.max - sum(present.values()) - len(unshown)
        self.promised = len(_uncertain_names(situation))
        self.budget_left = _budget_left(situation)
        self.names = _names(situation)

    def template(self, region: Region) -> Machine | None:
        """The Machine to copy for a region, looked for once."""
        if region not in self._templates:
            self._templates[region] = choose(self._view, region)
        return self._templates[region]

    @property
    def creations_left(self) -> int:
        """How many Machines may be created under new names."""
        return max(0, self.budget_left - self.promised)

    def has_kept_room(self, region: Region) -> bool:
        """Whether everything of unknown result there still has its place."""
        return self.room.get(region, -1) >= 0 and self.total_room >= 0

    def add(self, *actions: Action) -> None:
        """Append actions, in the order in which they are to happen to their Machine."""
        self._actions += actions
        self.touched |= {action.subject for action in actions}

    def lack(self, region: Region, missing: int, why: Reason) -> None:
        """Note Machines that cannot be had."""
        if missing > 0:
            self._missing[region, why] += missing

    @property
    def lacking(self) -> frozenset[Region]:
        """The regions for whose demand Machines are noted as lacking."""
        return frozenset(region for region, _ in self._missing)

    def untouched(self, machine: MachineId) -> bool:
        """Whether nothing is planned for a Machine yet."""
        return machine not in self.touched

    def sealed(self, warnings: Iterable[Reason]) -> Plan:
        """The finished plan."""
        return Plan(
            actions=tuple(self._actions),
            shortfall=tuple(
                Shortfall(region=region, missing=missing, reason=why)
                for (region, why), missing in self._missing.items()
            ),
            warnings=tuple(dict.fromkeys(warnings)),
        )


def _budget_left(situation: Situation) -> int:
    """What was answered with success and is not listed yet has used up its share, too."""
    if situation.created_recently is None:
        return 0
    listed = {machine.name for machine in situation.view.survey.machines}
    unlisted = _awaited_names(situation) - listed
    return max(0, budget(situation.pool).count - situation.created_recently - len(unlisted))


def _awaited_names(situation: Situation) -> set[str]:
    return {entry.name for entry in situation.ledger.on_the_way if entry.name is not None}


def _uncertain_names(situation: Situation) -> set[str]:
    return {one.name for one in situation.ledger.uncertain if isinstance(one, Create)}


def _names(situation: Situation) -> set[str]:
    machines = situation.view.survey.machines
    live = {machine.name for machine in machines if machine.state is not MachineState.DESTROYED}
    return live | _awaited_names(situation) | _uncertain_names(situation)


def share(available: int, wanted: Mapping[Region, int]) -> dict[Region, int]:
    """Give out what there is, one at a time, to whoever still lacks most; ties by name."""
    given = dict.fromkeys(sorted(wanted), 0)
    for _ in range(min(max(0, available), sum(wanted.values()))):
        neediest = max(given, key=lambda region: wanted[region] - given[region])
        given[neediest] += 1
    return given
