"""How fast and how small this program is, each figure measured beside a baseline in the same run.

Here live the measurements, what they are taken from, and their table. No test asks them for a verdict, and
nothing of the program imports them.
"""
