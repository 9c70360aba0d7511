"""Tokens a second of `HFBackend` against what a user would pick instead: see `__main__`."""
