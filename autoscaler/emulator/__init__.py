"""A Fly on localhost: a stateful Machines API and a metric source, for the demo, for users' dry runs and for
tests.

Here lives the platform's behaviour as a client sees it on the wire: states and how long they take, leases,
conflicts, rate limits, full regions, and faults on request. The same seed and the same requests give the
same run. Here never lives any of the autoscaler's own thinking: the emulator shares nothing with its client
but plain values. Imports only `domain`.
"""
