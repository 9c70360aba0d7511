"""The evaluator: strategies scored on benchmarks, compared question by question, with a verdict."""

from promptkit.evaluation.ablation import label_ablation, label_verdict, wording_ablation, wording_verdict
from promptkit.evaluation.analysis.comparison import Comparison, compare
from promptkit.evaluation.analysis.steps import StepScore, score_steps
from promptkit.evaluation.benchmarks import Benchmark, load
from promptkit.evaluation.presentation.verdict import judge, verdict
from promptkit.evaluation.rereading.auditing import Audit, Gain, audit, gain
from promptkit.evaluation.rereading.rescoring import rescore
from promptkit.evaluation.running.evaluator import Progress, evaluate
from promptkit.evaluation.running.suites import Suite, evaluate_seeds
from promptkit.evaluation.runs import Run, Sample, Status
from promptkit.evaluation.runs.folder import load_run

__all__ = [
    "Audit",
    "Benchmark",
    "Comparison",
    "Gain",
    "Progress",
    "Run",
    "Sample",
    "Status",
    "StepScore",
    "Suite",
    "audit",
    "compare",
    "evaluate",
    "evaluate_seeds",
    "gain",
    "judge",
    "label_ablation",
    "label_verdict",
    "load",
    "load_run",
    "rescore",
    "score_steps",
    "verdict",
    "wording_ablation",
    "wording_verdict",
]
