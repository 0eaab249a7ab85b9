"""The board keeps a bounded past and knows who has fallen silent."""

from dataclasses import replace

import pytest

from autoscaler.domain.instant import Instant
from autoscaler.domain.names import PoolName
from autoscaler.domain.outcome import TickReport, Verdict
from autoscaler.domain.plan import Create
from autoscaler.service.board import REPORTS_KEPT, REPORTS_PER_POOL, Board
from tests.service.reports import NOW, blind, pool, scaled, steady


def at(mono: float) -> Instant:
    return Instant(wall=1_800_000_000 + mono, mono=mono)


def board_of(*names: str) -> Board:
    return Board([pool(name) for name in names], now=at(0))


def test_the_newest_report_of_each_pool_is_the_latest_and_a_waiting_pool_has_none():
    board = board_of("shop", "late")
    board.ended(steady("shop", at(1)))
    board.ended(scaled("shop", at(2)))
    latest = board.latest()
    assert list(latest) == ["shop", "late"]
    report = latest[PoolName("shop")]
    assert report is not None
    assert report.verdict is Verdict.SCALED
    assert latest[PoolName("late")] is None


def test_decisions_come_newest_first_limited_of_one_pool_or_of_all():
    board = board_of("a", "b")
    for mono in range(4):
        board.ended(steady("a" if mono % 2 else "b", at(mono)))
    assert [report.at.mono for report in board.decisions(None, 3)] == [3, 2, 1]
    assert [report.at.mono for report in board.decisions(PoolName("a"), 9)] == [3, 1]
    with pytest.raises(KeyError):
        board.decisions(PoolName("c"), 1)


@pytest.mark.parametrize("pools", [1, 50, 1000])
def test_memory_is_bounded_however_many_pools_there_are(pools):
    board = board_of(*(f"p{number}" for number in range(pools)))
    for mono in range(REPORTS_PER_POOL + 10):
        board.ended(steady("p0", at(mono)))
    kept = len(board.decisions(PoolName("p0"), 10_000))
    assert 2 <= kept <= REPORTS_PER_POOL
    assert kept * pools <= REPORTS_KEPT


def test_kept_reports_hold_no_machine_configuration():
    board = board_of("shop")
    board.ended(scaled())
    kept = board.decisions(None, 1)[0]
    creates = [action for action in kept.plan.actions if isinstance(action, Create)]
    creates += [done.action for done in kept.outcomes if isinstance(done.action, Create)]
    assert [create.config for create in creates] == [{}, {}]
    assert len(kept.plan.actions) == len(scaled().plan.actions)


def test_a_pool_is_silent_after_three_intervals_and_one_deadline():
    board = board_of("shop")
    assert board.silent(at(57)) == []
    assert board.silent(at(57.1)) == ["shop"]
    failed: TickReport = replace(blind(), verdict=Verdict.FAILED, at=at(50), duration_s=4)
    board.ended(failed)
    assert board.silent(at(111)) == []
    assert board.silent(at(111.1)) == ["shop"]


@pytest.mark.parametrize("verdict", [Verdict.BLIND, Verdict.FAILED])
def test_a_pool_is_unseen_until_a_survey_succeeds_and_never_again(verdict):
    board = board_of("shop")
    board.ended(replace(blind(), verdict=verdict))
    assert board.unseen() == ["shop"]
    board.ended(scaled(at=NOW))
    assert board.unseen() == []
    board.ended(replace(blind(), verdict=verdict))
    assert board.unseen() == []


def test_a_survey_shows_a_pool_also_when_an_action_of_its_tick_was_refused():
    board = board_of("shop")
    board.ended(replace(scaled(), verdict=Verdict.FAILED))
    assert board.unseen() == []
