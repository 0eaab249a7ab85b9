"""The outside systems, one module each, named after the system: the other side of the ports that `reconcile`
declares.

Here live requests, responses, time limits, retries, rate budgets and the translation of foreign errors into
ours. `http` lies below its siblings and is the only module that imports the HTTP client; siblings do not
know each other. Here never lives a decision: an adapter answers what is, or does what it was told, and says
plainly when it does not know.
"""
