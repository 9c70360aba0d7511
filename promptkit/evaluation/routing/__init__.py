"""Which strategy for which question: a router made from finished runs, and what it would have gained.

Imports `analysis`, `runs` and `statistics`.
"""

from promptkit.evaluation.routing.fitting import Routing, route

__all__ = ["Routing", "route"]
