"""The part of PromQL that people need to try a configuration, over any functions of time.

Here live the grammar, its syntax tree, and the evaluation over any source of samples. Here never lives
anything about Machines, loads or HTTP. What is not understood is refused with a sentence, never guessed.
"""
