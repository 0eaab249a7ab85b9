"""Prometheus and what speaks its query API: the other side of the `MetricSource` port.

`source` asks; `series` reads the JSON of an answer; `judgement` turns series into answers that may be
believed, or names why not; `past` does the same for ranges. Here never lives what a metric means for a pool:
a negative value or a first zero is for the policy to judge.
"""
