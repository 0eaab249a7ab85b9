"""The demonstration: an emulated Fly, a day of load in two minutes, and the real daemon over HTTP.

Here live the load curve, the score, the live view and what ties them together. Nothing here decides
how many Machines there should be, and nothing here is used outside `autoscaler demo`.
"""
