"""The process around the loop: settings, wiring, the daemon, its endpoints and the command line.

Here live the environment, the configuration file, signals, the only wall clock, sockets to listen on and
words for people. `wiring` is the one module that knows concrete adapters. Here never lives a decision about
Machines: what is shown, logged or served is a projection of a TickReport that was sealed further down. May
import everything; nothing imports it.
"""
