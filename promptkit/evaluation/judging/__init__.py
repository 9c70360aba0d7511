"""A language model as judge of texts: rubrics, verdicts, pairs in both orders, and how far judges can be trusted."""

from promptkit.evaluation.judging.agreement import Agreement, cohen_kappa
from promptkit.evaluation.judging.items import load_items, with_facts
from promptkit.evaluation.judging.judge import Item, Judge, Judgement, Verdict
from promptkit.evaluation.judging.judged import Judged, compare_points, judge_pairs, judge_texts
from promptkit.evaluation.judging.pairwise import PairJudge, Preference, pairs
from promptkit.evaluation.judging.rubric import Criterion, Rubric, load_rubric

__all__ = [
    "Agreement",
    "Criterion",
    "Item",
    "Judge",
    "Judged",
    "Judgement",
    "PairJudge",
    "Preference",
    "Rubric",
    "Verdict",
    "cohen_kappa",
    "compare_points",
    "judge_pairs",
    "judge_texts",
    "load_items",
    "load_rubric",
    "pairs",
    "with_facts",
]
