"""Asking: strategies on benchmarks with backends, in one go or over several seeds, and what that will take.

Imports `benchmarks` and `runs`; it knows nothing of how runs are compared.
"""
