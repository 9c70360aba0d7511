"""How sure one can be: intervals, tests and power, on plain numbers.

Imports no other package of the evaluation.
"""

from promptkit.evaluation.statistics.intervals import Interval, wilson
from promptkit.evaluation.statistics.paired import paired_difference, paired_interval
from promptkit.evaluation.statistics.power import minimum_detectable_effect, questions_needed
from promptkit.evaluation.statistics.significance import ALPHA, holm, mcnemar_exact

__all__ = [
    "ALPHA",
    "Interval",
    "holm",
    "mcnemar_exact",
    "minimum_detectable_effect",
    "paired_difference",
    "paired_interval",
    "questions_needed",
    "wilson",
]
