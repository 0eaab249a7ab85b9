"""A range of the past -> one answer per point of a regular grid."""

from collections import defaultdict

from autoscaler.adapters.prometheus.judgement import combined, finite
from autoscaler.adapters.prometheus.series import Point, Result, Series
from autoscaler.domain.reading import History, Query, Reading, Sample


def history(query: Query, result: Result, *, start: float, end: float, step_s: float) -> History:
    """One Sample per step from `start` to `end` (unix seconds), judged as an instant answer but for its age.

    Where no series has a point the sample is an empty answer.
    """

    def judge(point: Point) -> Reading:
        return finite(point, partial=result.partial)

    # Servers may move the grid by less than a step; a point belongs to the nearest place.
    rows: defaultdict[int, list[tuple[Series, Point]]] = defaultdict(list)
    for series in result.series:
        for point in series.points:
            rows[round((point.at - start) / step_s)].append((series, point))
    steps = int((end - start) / step_s + 1e-6)
    return History(
        name=query.name,
        samples=tuple(
            Sample(at=start + index * step_s, answer=combined(query, rows[index], result.partial, judge))
            for index in range(steps + 1)
        ),
    )
