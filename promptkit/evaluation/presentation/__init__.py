"""How it is said: the verdict, its phrases, the tables in the terminal, and the JSON of a set of runs.

Imports `analysis`, `runs` and `statistics`. Commands with tables of their own (`rereading`, `judging`) build on it.
"""
