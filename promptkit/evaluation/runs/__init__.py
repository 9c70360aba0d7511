"""What came of asking, question by question, and the folder that holds it.

Imports `benchmarks` (for scorers) and `statistics` (for the interval of an accuracy).
"""

from promptkit.evaluation.runs.run import Run, Sample, Status, score

__all__ = ["Run", "Sample", "Status", "score"]
