"""A metrics-driven autoscaler for Fly Machines.

A scheduled loop reads metrics (`adapters`), a pure policy decides how many Machines each region should have
(`policy`), and a reconciler makes it so through the Machines API (`reconcile`). `domain` holds the values
they exchange, `service` is the process around the loop, and `emulator` is a Fly on localhost to try all of
it against.

Imports point one way: domain <- policy <- reconcile <- adapters <- service. Nothing lives in this module
but the version.
"""

__version__ = "0.1.0"
