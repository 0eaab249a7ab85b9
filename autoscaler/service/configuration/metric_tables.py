"""Metrics and rules as an operator declares them."""

from typing import Annotated, Self

from pydantic import model_validator

from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import Expression, PerMachine, Rule, Utilization
from autoscaler.service.configuration.declaration import Model, setting
from autoscaler.service.configuration.notation import Duration
from autoscaler.service.configuration.scalars import leaf, number, text
from autoscaler.service.configuration.spelling import MistakeError, listed
from autoscaler.service.configuration.templates import parse_query

LABEL = text(r"[A-Za-z_][A-Za-z0-9_]*", "a label name", "write letters, digits and underscores")
METRIC_NAME = text(
    r"[A-Za-z_][A-Za-z0-9_]*", "a metric name", "write letters, digits and underscores, such as queue_depth"
)


class Belief(Model):
    """What to believe of a query's answer."""

    missing: Annotated[float | None, leaf(number())] = setting(
        None,
        default_text="none: unknown",
        meaning="Value of an empty answer.",
        reason="No data is not zero: an outage of the metric must not empty the fleet. Say 0 where no series"
        " truly means no load.",
        example="0",
        variable="AUTOSCALER_MISSING",
    )
    max_age: Annotated[float, leaf(Duration(1, 86400))] = setting(
        "3m",
        meaning="Oldest sample believed, 1s to 1d.",
        reason="Fly's hosted metrics run one to two minutes behind.",
        example='"5m"',
        variable="AUTOSCALER_MAX_AGE",
    )
    age_query: Annotated[str | None, leaf(parse_query)] = setting(
        None,
        meaning="PromQL for the sample's true age in seconds.",
        reason="An instant query hides how old its sample is.",
        example="'time() - max(timestamp(queue_depth{app=\"$app\"}))'",
    )
    region_label: Annotated[str, leaf(LABEL)] = setting(
        "region",
        meaning="The label that says which region a series speaks of.",
        reason="Fly labels scraped series with the exporter's region; a shared queue needs another label.",
        example='"queue_region"',
    )


class MetricTable(Belief):
    """One query and what to believe of its answer."""

    query: Annotated[str, leaf(parse_query)] = setting(
        meaning="PromQL; `$app` and `$group` are filled in, nothing else.",
        reason="Only you know what your load is. Only an expression can do without.",
        example="'max(queue_depth{app=\"$app\"})'",
        variable="AUTOSCALER_QUERY",
        variable_example='max(queue_depth{app="$app"})',
    )


class RuleTable(Belief):
    """What number of Machines a metric asks for. A query written into the rule takes a metric's keys."""

    query: Annotated[str | None, leaf(parse_query)] = setting(
        None,
        meaning="The rule's own query, with a metric's other keys beside it.",
        reason="A metric that one rule alone uses needs no name.",
        example="'max(queue_depth{app=\"$app\"})'",
    )
    metric: Annotated[str | None, leaf(METRIC_NAME)] = setting(
        None,
        meaning="A metric of this pool by name, instead of a query.",
        reason="Several rules may look at one metric.",
        example='"backlog"',
    )
    per_machine: Annotated[float | None, leaf(number(above=0))] = setting(
        None,
        meaning="Load that one Machine carries, in the metric's unit: ceil(metric / n) Machines.",
        reason="Exactly one of `per_machine`, `utilization` and `expression` makes a rule.",
        example="10",
        variable="AUTOSCALER_PER_MACHINE",
    )
    utilization: Annotated[float | None, leaf(number(above=0))] = setting(
        None,
        meaning="The metric is a mean per Machine and should be this: ceil(ready * metric / u) Machines.",
        reason="As the only rule it needs min >= 1 everywhere: no Machine, no mean.",
        example="0.7",
        variable="AUTOSCALER_UTILIZATION",
    )
    tolerance: Annotated[float, leaf(number(0, below=1))] = setting(
        0.1,
        meaning="How far below `utilization` the mean may be without going in, as a part of it.",
        reason="A mean is never exactly on target.",
        example="0.1",
    )
    expression: Annotated[str | None, leaf(text(r"(?s:.{1,4000})", "an expression", "write arithmetic"))] = (
        setting(
            None,
            meaning="Arithmetic over metrics and `running`, `ready`, `stopped`, `total`; rounded up.",
            reason="For loads that no single quotient describes.",
            example='"ceil(backlog / 10) + (oldest > 300 ? 2 : 0)"',
            variable="AUTOSCALER_EXPRESSION",
            variable_example="ceil(load / 10) + 1",
        )
    )

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        kinds = [
            key for key in ("per_machine", "utilization", "expression") if getattr(self, key) is not None
        ]
        if len(kinds) != 1:
            found = f"has {listed(kinds, 'and')}" if kinds else "says nothing about Machines"
            raise MistakeError(found, "give exactly one of per_machine, utilization or expression")
        self._check_source()
        if self.utilization is None and "tolerance" in self.model_fields_set:
            raise MistakeError("has a tolerance without utilization", "take tolerance away")
        return self

    def _check_source(self) -> None:
        queried = sorted(self.model_fields_set & {*Belief.model_fields, "query"})
        if self.expression is not None:
            if queried or self.metric is not None:
                extra = [*queried, *(["metric"] if self.metric is not None else [])]
                raise MistakeError(
                    f"has {listed(extra, 'and')} beside an expression",
                    "declare the query under the pool's metrics and name it in the expression",
                )
        elif (self.query is None) == (self.metric is None):
            found = "has neither metric nor query" if self.query is None else "has both metric and query"
            raise MistakeError(found, "give one of them")
        elif self.metric is not None and queried:
            raise MistakeError(
                f"has {listed(queried, 'and')} beside a metric's name",
                "declare it where the metric is declared",
            )

    def rule(self, metric: MetricName) -> Rule:
        """The rule, over a metric that has a name by now."""
        if self.per_machine is not None:
            return PerMachine(metric=metric, target=self.per_machine)
        if self.utilization is not None:
            return Utilization(metric=metric, target=self.utilization, tolerance=self.tolerance)
        return Expression(text=self.expression or "")


def as_query(value: object) -> object:
    """Let a metric be its query alone."""
    return {"query": value} if isinstance(value, str) else value
