"""Stored answers read in another way: scored again, and audited.

No call is made. Imports `presentation` and what that imports.
"""
