"""A metric source over the query API of Prometheus, VictoriaMetrics and their kin."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.adapters.prometheus.judgement import aged, answer
from autoscaler.adapters.prometheus.past import history
from autoscaler.adapters.prometheus.series import Result, instant, ranged
from autoscaler.domain.errors import GarbledError, RefusedError, UpstreamError
from autoscaler.domain.reading import Absent, Answer, History, Query, Why

QUERY_TIMEOUT_S = 5.0
CONCURRENT_QUERIES = 32
"""So many at once; the hosted service's own limits are not published."""

_Question = tuple[str, float]
"""A query's text and the oldest sample it accepts, in seconds."""


class PrometheusSource:
    """The `MetricSource` port. One instance per server; `http` has its base address and token."""

    def __init__(self, http: HttpClient, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives unix seconds, against which the age of answers is judged."""
        self._http = http
        self._clock = clock
        self._turns = asyncio.Semaphore(CONCURRENT_QUERIES)

    async def read(self, queries: Sequence[Query], *, timeout_s: float) -> Sequence[Answer]:
        """Answer every query, in order, all asked together within `timeout_s` seconds.

        Trouble is an `Absent` in its place; nothing of the upstream's making is raised. A question that
        several queries share is asked once.
        """
        questions = dict.fromkeys(question for query in queries for question in _questions(query))
        results = await asyncio.gather(*(self._ask(question, timeout_s) for question in questions))
        told = dict(zip(questions, results, strict=True))
        now = self._clock()
        return [_answered(query, told, now) for query in queries]

    async def history(
        self, queries: Sequence[Query], *, start: float, end: float, step_s: float, timeout_s: float
    ) -> Sequence[History]:
        """The past of every query between two unix times, in order; empty where it cannot be told.

        Servers refuse more than 11,000 points at once.
        """
        span = {"start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_s:g}"}
        questions = dict.fromkeys((query.promql, query.max_age_s) for query in queries)
        results = await asyncio.gather(*(self._ask(question, timeout_s, span) for question in questions))
        told = dict(zip(questions, results, strict=True))
        return [
            History(name=query.name)
            if isinstance(result := told[query.promql, query.max_age_s], Absent)
            else history(query, result, start=start, end=end, step_s=step_s)
            for query in queries
        ]

    async def _ask(
        self, question: _Question, timeout_s: float, span: Mapping[str, str] | None = None
    ) -> Result | Absent:
        try:
            async with asyncio.timeout(timeout_s), self._turns:
                reply = await self._http.read(_call(question, timeout_s, span))
            return ranged(reply) if span else instant(reply)
        except TimeoutError:
            return Absent(why=Why.UNREACHABLE, detail=f"no answer within {timeout_s:g} s")
        except UpstreamError as error:
            return Absent(why=_why(error), detail=self._http.quote(error.detail))


def _questions(query: Query) -> tuple[_Question, ...]:
    asked = (query.promql, query.age_promql) if query.age_promql else (query.promql,)
    return tuple((promql, query.max_age_s) for promql in asked)


def _call(question: _Question, timeout_s: float, span: Mapping[str, str] | None) -> Call:
    promql, max_age_s = question
    age = f"{max(1, math.ceil(max_age_s))}s"
    # Two names for one thing: Prometheus knows the first (since 2.43; before, it looks back 5 minutes unless
    # told otherwise at its start), VictoriaMetrics the second, and without `nocache` hides its newest 30 s.
    form = {"query": promql, "lookback_delta": age, "max_lookback": age, "nocache": "1", **(span or {})}
    operation = "query_range" if span else "query"
    return Call(
        operation=operation,
        method="POST",
        path=f"/api/v1/{operation}",
        form=form,
        timeout_s=timeout_s if span else min(QUERY_TIMEOUT_S, timeout_s),
    )


def _answered(query: Query, told: Mapping[_Question, Result | Absent], now: float) -> Answer:
    result = told[query.promql, query.max_age_s]
    if isinstance(result, Absent):
        return result
    answered = answer(query, result, now=now)
    if query.age_promql is None:
        return answered
    ages = told[query.age_promql, query.max_age_s]
    return aged(query, answered, ages if isinstance(ages, Absent) else answer(query, ages, now=now))


def _why(error: UpstreamError) -> Why:
    if isinstance(error, RefusedError):
        return Why.REFUSED
    return Why.MALFORMED if isinstance(error, GarbledError) else Why.UNREACHABLE
