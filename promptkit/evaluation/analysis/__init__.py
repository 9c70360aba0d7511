"""What finished runs say of strategies: comparisons, interactions, noise, pools of samples, prices, steps of a chain.

Numbers only; `presentation` words them. Imports `statistics`, `runs` and `benchmarks`.
"""
