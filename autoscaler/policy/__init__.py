"""How many Machines each region should have, and why: readings + fleet + memory + now -> desired.

Here live pure, synchronous functions, from one rule's arithmetic to the one order in which all of them are
applied. Time and memory arrive as values and leave as values, and every change on the way leaves a Reason.
Here never lives a request, a log line, a clock, or a word about how a Machine is started, stopped or
created. Imports only `domain`.
"""
