"""The values the loop is made of: names, readings, fleets, bounds, demand, plans, outcomes and the tree of
errors.

Here live frozen, slotted, keyword-only dataclasses, enums and identifiers, with the arithmetic that needs
nothing but themselves. Here never lives anything that reads a clock, a file, an environment or a network,
that draws a random number, that logs, or that decides: a value knows what it is, not what should be done
about it. Imports nothing of this program.
"""
