"""What to do about it: a surveyed fleet and a desired one become a plan, and the plan becomes outcomes.

Here live the ports to the outside world (small Protocols, declared by the side that uses them), the guards
that forbid touching a fleet, the planner (pure), the executor and the tick that strings them together. Here
never lives a protocol's detail: no URL, no status code, no library that talks to a network. Imports
`policy` and `domain`.
"""
