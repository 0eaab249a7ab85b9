"""The Machines API: the other side of the `Machines` port.

`client` is the port itself; `calls` every request we make, and the only place that knows a path of the API;
`dispatch` their pace, `rate_budget` how often we may ask, `leases` the exclusive hold around an action;
`listing`, `parse` and `notation` what the platform's JSON says of a Machine; `refusals` what its errors mean.
Here never lives a decision about which Machine to touch.
"""
