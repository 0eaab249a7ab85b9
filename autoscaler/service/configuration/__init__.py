"""The operator's words and what they mean: variables, the TOML file, and the declarations of every setting.

Here live the notation of values (durations, ranges, steps), the models that declare each setting with its
meaning, default and reason, and the translation of mistakes into faults with a path and a remedy. Here never
lives anything that acts on a setting, or that reads the process's own environment: a mapping is passed in.
"""
