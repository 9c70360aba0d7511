"""Voting: which of several results to return, by number, by weight, or by likeness to the others."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from promptkit.errors import BackendError, ConfigError
from promptkit.types import AnswerValue, Call, Result, Vote, answer_text

Attempt: TypeAlias = Result | BackendError
"""What became of one sample: a result, or the failure of its call."""
Likeness: TypeAlias = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""How alike texts are: a square table, 1 for texts that are the same; its diagonal is not looked at."""

_OWN_DETAILS = {"failed_samples", "tie", "saved_samples"}


def answers(results: Iterable[Attempt]) -> list[AnswerValue]:
    """The answers that vote: those that were read from a completion which was not cut off, in sample order."""
    return [answer for _, answer in _ballots(results)]


def vote(results: Sequence[Attempt], weights: Sequence[float] | None = None) -> Result:
    """The most frequent answer, or the one with the greatest weight, as a result that holds all candidates.

    `text`, `rationale` and `extraction` are those of the first candidate that gave the winning answer. Answers that
    could not be read, or whose completion was cut off, do not vote; ties go to the answer seen first, and
    `details["tie"]` lists the answers that tied.

    Args:
        results: one a sample, in sample order.
        weights: one a result; without them each vote counts the same.

    Raises:
        BackendError: every sample failed; the first failure.
    """
    totals: dict[AnswerValue, float] = {}
    for place, answer in _ballots(results):
        totals[answer] = totals.get(answer, 0) + (1 if weights is None else weights[place])
    return _elected(results, totals, weighed=weights is not None)


def closest(results: Sequence[Attempt], likeness: Likeness) -> Result:
    """The answer that is most like all the others (minimum Bayes risk), as a result that holds all candidates.

    The score of an answer, its weight among `votes`, is its mean likeness to the answers of the other samples; equal
    answers have likeness 1, so an answer that is given often gains by it. Who votes is as in `vote`.

    Raises:
        BackendError: every sample failed; the first failure.
    """
    counts = Counter(answers(results))
    alike = likeness([answer_text(answer) for answer in counts]) if len(counts) > 1 else [[1.0]]
    scores: dict[AnswerValue, float] = {}
    for row, (answer, count) in enumerate(counts.items()):
        others = sum(n * alike[row][column] for column, n in enumerate(counts.values()) if column != row)
        # Rounded, so that what differs by rounding errors alone is a tie, which goes to the answer seen first.
        scores[answer] = round((count - 1 + others) / max(1, counts.total() - 1), 6)
    return _elected(results, scores, weighed=True)


def path_probability(calls: Iterable[Call]) -> float:
    """The weight of a sample: the probability of what was drawn, as the geometric mean over its tokens.

    This is exp(sum of log-probabilities / number of tokens) over all sampled completions of the path, rationale and
    answer alike (Wang et al., 2022). Greedy completions were not drawn, and count on neither side.

    Raises:
        ConfigError: the backend gives no log-probabilities.
    """
    drawn = [
        call.completion
        for call in calls
        if call.completion and call.completion.completion_tokens and call.request.sampling.temperature != 0
    ]
    logprobs = [completion.logprob for completion in drawn if completion.logprob is not None]
    if len(logprobs) < len(drawn):
        raise ConfigError(
            "a weighted vote needs the log-probabilities of the samples, which this backend does not give",
            hint='use vote="majority", or a local model',
        )
    return math.exp(sum(logprobs) / sum(completion.completion_tokens for completion in drawn)) if drawn else 1.0


def lead_probability(counts: Mapping[AnswerValue, int]) -> float:
    """How probable it is that the leading answer is truly more frequent than the runner-up (Aggarwal et al., 2023).

    With v1 and v2 votes this is the mass above ½ of Beta(v1 + 1, v2 + 1), exactly: the chance of at most v1 heads in
    v1 + v2 + 1 throws of a fair coin.
    """
    first, second = _leaders(counts)
    return _above_half(first, second)


def votes_to_lead(counts: Mapping[AnswerValue, int], threshold: float) -> int:
    """The fewest further votes, all of them for the leader, that bring `lead_probability` to `threshold`; often 0."""
    first, second = _leaders(counts)
    further = 0
    while _above_half(first + further, second) < threshold:
        further += 1
    return further


def embedded_likeness(name: str) -> Likeness:
    """Likeness by meaning: the cosine of the texts' vectors.

    Args:
        name: of the embedder, see `promptkit.embedding.embedder`.

    Raises:
        ConfigError: a package that it needs is missing.
    """
    from promptkit.embedding import embedder  # inside, since it brings numpy, which few strategies need

    def likeness(texts: Sequence[str]) -> Sequence[Sequence[float]]:
        vectors = embedder(name).fit(texts).embed(texts)
        return (vectors @ vectors.T).tolist()

    return likeness


def overlap_likeness() -> Likeness:
    """Likeness by shared character n-grams up to length 6: chrF (Popović, 2015; sacrebleu) between 0 and 1.

    Precision and recall count the same (beta 1), so that of two texts neither is the reference.

    Raises:
        ConfigError: sacrebleu is not installed.
    """
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError as error:
        raise ConfigError("n-gram overlap needs sacrebleu", hint="pip install 'promptkit[similarity]'") from error
    score: Any = CHRF(beta=1).sentence_score
    return lambda texts: [[score(one, [other]).score / 100 for other in texts] for one in texts]


def _ballots(results: Iterable[Attempt]) -> list[tuple[int, AnswerValue]]:
    return [
        (place, result.answer)
        for place, result in enumerate(results)
        if isinstance(result, Result) and result.answer is not None and not result.truncated
    ]


def _elected(results: Sequence[Attempt], scores: Mapping[AnswerValue, float], *, weighed: bool) -> Result:
    """The result with the best score; `scores` are in the order in which the answers were first seen."""
    candidates = tuple(result for result in results if isinstance(result, Result))
    failures = [result for result in results if isinstance(result, BackendError)]
    if not candidates:
        raise failures[0]
    details: dict[str, Any] = {"failed_samples": len(failures)} if failures else {}
    if not scores:
        truncated = any(result.truncated for result in candidates)
        return candidates[0].model_copy(
            update={"answer": None, "truncated": truncated, "candidates": candidates, "details": details}
        )
    counts = Counter(answers(results))
    ranked = sorted(scores, key=lambda answer: -scores[answer])  # stable: ties stay in the order of first sight
    tied = [answer for answer in ranked if scores[answer] == scores[ranked[0]]]
    if len(tied) > 1:
        details["tie"] = [list(answer) if isinstance(answer, tuple) else answer for answer in tied]
    winner = next(result for result in candidates if result.answer == ranked[0] and not result.truncated)
    of_winner = {name: value for name, value in winner.details.items() if name not in _OWN_DETAILS}
    votes = tuple(
        Vote(value=answer, count=counts[answer], weight=scores[answer] if weighed else None) for answer in ranked
    )
    return winner.model_copy(update={"votes": votes, "candidates": candidates, "details": of_winner | details})


def _leaders(counts: Mapping[AnswerValue, int]) -> tuple[int, int]:
    first, second, *_ = [*sorted(counts.values(), reverse=True), 0, 0]
    return first, second


def _above_half(first: int, second: int) -> float:
    throws = first + second + 1
    return sum(math.comb(throws, heads) for heads in range(first + 1)) / 2**throws
