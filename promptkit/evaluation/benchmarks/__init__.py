"""What is asked, and what counts as right: benchmarks by name, from files and the hub, and the pools beside them.

Imports no other package of the evaluation, nor scipy: listing benchmarks is quick.
"""

from promptkit.evaluation.benchmarks.benchmark import Benchmark, known, load
from promptkit.evaluation.benchmarks.catalogue import Known

__all__ = ["Benchmark", "Known", "known", "load"]
