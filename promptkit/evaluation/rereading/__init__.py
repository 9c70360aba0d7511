"""Stored answers read in another way: scored again, audited, and the outputs that authors published.

No call is made. Imports `presentation` and what that imports.
"""
