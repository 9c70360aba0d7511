"""Ablations: which part of the demonstrations, and which wording of the prompt, makes the difference on a model."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from promptkit.backends.base import Backend
from promptkit.budget import Budget, Meter
from promptkit.errors import ConfigError
from promptkit.evaluation.benchmarks import Benchmark, load
from promptkit.evaluation.benchmarks.pools import pool_for
from promptkit.evaluation.presentation.phrases import gap, p_text, points, questions
from promptkit.evaluation.presentation.verdict import BLIND, Judged, blindness, judge, names, stopped
from promptkit.evaluation.running.evaluator import Progress, evaluate
from promptkit.evaluation.runs import Run
from promptkit.strategies import Balanced, CoT, FewShot, Strategy, ZeroShot, resolve
from promptkit.strategies.pool import Pool
from promptkit.strategies.triggers import PUBLISHED
from promptkit.types import Demonstration

TRIGGERS = {
    **{name: PUBLISHED[name] for name in ("step by step", "first", "logically", "detective", "beautiful day")},
    "formal": "The solution is derived below, with every intermediate step stated in order.",
    "colloquial": "Okay, let's just talk this through bit by bit.",
}
"""The phrases that `wording_ablation` tries on chain of thought: five published ones, the fifth of which has nothing to
do with the task, and two of our own."""
TEMPLATES = {"formal": "cot/formal", "colloquial": "cot/colloquial"}
"""The packaged templates that it tries on chain of thought in one stage, besides the strategy's own."""


def label_ablation(
    benchmark: str | Benchmark = "sentiment",
    backend: Backend | None = None,
    *,
    k: int = 8,
    seed: int = 0,
    pool: str | Benchmark | None = None,
    limit: int | None = None,
    max_tokens: int = 300,
    run_dir: str | Path | None = None,
    budget: Budget | Meter | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Run]:
    """Ask one benchmark with the same demonstrations, from which one thing after the other is taken (Min et al., 2022).

    The arms are those of `label_arms`. `judge(runs)` compares each two of them; `label_verdict(runs)` says in one
    sentence which of them differ from right labels.

    Args:
        benchmark: with answers of kind label or yesno.
        backend: unset, the embedded model.
        k: demonstrations, the same number of each label.
        seed: of the choice of demonstrations and of the random labels.
        pool: where the demonstrations come from; see `pool_for`.
        limit: only the first so many questions.
        max_tokens: limit of an answer, in every arm.
        run_dir: folder to write; each arm gets a folder of its own in it. Unset, nothing is written.
        budget: what may be spent; see `evaluate`.
        on_progress: called after every call and every question.

    Returns:
        One run an arm, the one with right labels first.

    Raises:
        ConfigError: the answers are no labels, or there is no pool, or it is too small.
    """
    asked = (load(benchmark) if isinstance(benchmark, str) else benchmark).limited(limit)
    arms = label_arms(pool_for(asked, pool), k=k, seed=seed, max_tokens=max_tokens)
    return evaluate(arms, asked, backend, seed=seed, run_dir=run_dir, budget=budget, on_progress=on_progress)


def label_verdict(runs: list[Run]) -> str:
    """One sentence: which arms were shown to differ from the first one, with right labels, and what could be missed.

    Raises:
        ConfigError: the runs have not asked the same questions, or there is only one.
    """
    if partial := stopped(runs):
        return partial
    judged, called = _judged(runs), names(runs)
    said: dict[bool, list[str]] = {True: [], False: []}
    for place in range(1, len(runs)):
        found = judged[0, place]
        said[found.shown].append(f"{called[place]} ({gap(found.comparison.delta)}, {p_text(found.p_value)})")
    parts = [f"{called[0]} has {runs[0].accuracy * 100:.1f} % right"]
    if said[True]:
        parts.append(f"shown to differ from it: {', '.join(said[True])}")
    if said[False]:
        parts.append(f"not shown to differ from it: {', '.join(said[False])}")
    sentence = "; ".join([*parts, *_missed(judged, runs)])
    return f"{sentence[0].upper()}{sentence[1:]}."


def label_arms(pool: Pool, *, k: int = 8, seed: int = 0, max_tokens: int = 300) -> dict[str, Strategy]:
    """The strategies of the label ablation, by name.

    - gold: demonstrations with their right labels, balanced;
    - random: each with a label drawn at random;
    - permuted: with the same labels, dealt out so that as few as possible are right;
    - no labels: the questions of the demonstrations alone;
    - format broken: all questions, then all labels, neither as pairs nor as turns;
    - no demonstrations.

    Names say how many labels are right, where not all are.

    Raises:
        ConfigError: the answers are no labels, or the pool is too small.
    """
    if pool.kind not in ("label", "yesno"):
        raise ConfigError(
            f"labels cannot be ablated where answers are of kind {pool.kind}", hint="give a benchmark with labels"
        )
    gold = Balanced(k, seed).choose(pool)
    known = sorted({item.answer for item in pool.items if item.answer})
    draw = random.Random(seed)
    mixed = _relabelled(gold, [draw.choice(known) for _ in gold])
    dealt = _relabelled(gold, permuted([demo.answer for demo in gold]))

    def shown(demos: tuple[Demonstration, ...], template: str = "few-shot/plain") -> FewShot:
        return FewShot(demos, template=template, max_tokens=max_tokens)

    return {
        "gold": shown(gold),
        f"random ({_right(mixed, gold)}/{k} right)": shown(mixed),
        f"permuted ({_right(dealt, gold)}/{k} right)": shown(dealt),
        "no labels": shown(gold, "few-shot/unlabelled"),
        "format broken": shown(gold, "few-shot/unpaired"),
        "no demonstrations": ZeroShot(max_tokens=max_tokens),
    }


def permuted(labels: list[str]) -> list[str]:
    """The same labels in another order, in which as few as possible stand where they stood."""
    order = sorted(range(len(labels)), key=labels.__getitem__)
    # Of equal labels in a row, none keeps its place when all move on by the longest row.
    shift = max(Counter(labels).values(), default=0)
    dealt = list(labels)
    for place, source in zip(order, order[shift:] + order[:shift], strict=True):
        dealt[place] = labels[source]
    return dealt


def wording_ablation(
    benchmark: str | Benchmark = "multiarith-style",
    backend: Backend | None = None,
    *,
    strategy: Strategy | str = "zero-shot-cot",
    triggers: Mapping[str, str] | None = None,
    templates: Mapping[str, str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    pool: str | Benchmark | None = None,
    run_dir: str | Path | None = None,
    budget: Budget | Meter | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Run]:
    """Ask one benchmark with one strategy in several wordings: does the wording matter for this model?

    `judge(runs)` compares each two of them; `wording_verdict(runs)` says it in a sentence.

    Args:
        benchmark: what is asked.
        backend: unset, the embedded model.
        strategy: a strategy or preset; also one that wraps the one whose wording changes.
        triggers: name → phrase that draws out the rationale. Unset, and with no templates either, `TRIGGERS`.
        templates: name → template, by name or file. Unset for chain of thought in one stage, `TEMPLATES`.
        limit: only the first so many questions.
        seed: of all sampling.
        pool: for a strategy that needs one; see `pool_for`.
        run_dir: folder to write; each wording gets a folder of its own in it. Unset, nothing is written.
        budget: what may be spent; see `evaluate`.
        on_progress: called after every call and every question.

    Returns:
        One run a wording.

    Raises:
        ConfigError: the strategy has no such wording, or there is only one.
    """
    asked = (load(benchmark) if isinstance(benchmark, str) else benchmark).limited(limit)
    base = resolve(strategy, asked.kind) if isinstance(strategy, str) else strategy
    arms = wording_arms(base, triggers, templates)
    return evaluate(arms, asked, backend, seed=seed, pool=pool, run_dir=run_dir, budget=budget, on_progress=on_progress)


def wording_arms(
    strategy: Strategy, triggers: Mapping[str, str] | None = None, templates: Mapping[str, str] | None = None
) -> dict[str, Strategy]:
    """A strategy in several wordings, by name; `as it is` among them unless one of them equals it.

    Raises:
        ConfigError: the strategy has no such wording, or there is only one.
    """
    if triggers is None and templates is None:
        triggers, templates = _defaults(strategy)
    arms = {name: _reworded(strategy, "trigger", phrase) for name, phrase in (triggers or {}).items()}
    for name, template in (templates or {}).items():
        if name in arms:
            raise ConfigError(f"the wording {name!r} is given twice", hint="give another name")
        arms[name] = _reworded(strategy, "template", template)
    if strategy not in arms.values():
        arms = {"as it is": strategy, **arms}
    if len(arms) < 2:
        raise ConfigError("there is only one wording", hint="give more triggers or templates")
    return arms


def wording_verdict(runs: list[Run]) -> str:
    """One sentence: whether the wording was shown to matter, the largest gap, and what could have been missed.

    Raises:
        ConfigError: the runs have not asked the same questions, or there is only one.
    """
    if partial := stopped(runs):
        return partial
    judged, called = _judged(runs), names(runs)
    (low, high), largest = max(judged.items(), key=lambda pair: (pair[1].comparison.delta, -pair[1].p_value))
    widest = (
        f"the largest gap is {points(largest.comparison.delta)} points, from {called[low]!r} "
        f"({runs[low].accuracy * 100:.1f} % right) to {called[high]!r} ({runs[high].accuracy * 100:.1f} %), "
        f"{p_text(largest.p_value)} corrected for all pairs"
    )
    return "; ".join([_matters(judged), widest, *_missed(judged, runs)]) + "."


def _judged(runs: list[Run]) -> dict[tuple[int, int], Judged]:
    if len(runs) < 2:
        raise ConfigError("one run alone cannot be compared", hint="give more")
    return judge(runs)


def _missed(judged: dict[tuple[int, int], Judged], runs: list[Run]) -> list[str]:
    """How large a gap could have been overlooked, where any was not shown."""
    n = questions(runs[0].n)
    missed = blindness(judged, len(runs))
    if missed > BLIND:
        return [f"{n} cannot show much, so take more"]
    return [f"with {n}, gaps below about {missed * 100:.0f} points are easily missed"] if missed else []


def _matters(judged: dict[tuple[int, int], Judged]) -> str:
    shown = sum(found.shown for (a, b), found in judged.items() if a < b)
    if not shown:
        return "The wording is not shown to matter for this model"
    return f"The wording matters for this model: {shown} of {len(judged) // 2} pairs are shown to differ"


def _defaults(strategy: Strategy) -> tuple[Mapping[str, str] | None, Mapping[str, str] | None]:
    inner = _with_field(strategy, "trigger")
    if isinstance(inner, CoT) and not inner.demos:
        return (None, TEMPLATES) if inner.stages == 1 else (TRIGGERS, None)
    raise ConfigError(
        f"there are no packaged wordings of {strategy.tag or type(strategy).__name__}",
        hint="say which to compare: templates={'name': 'file.j2'} or --template name=file.j2",
    )


def _reworded(strategy: Strategy, field: str, wording: str) -> Strategy:
    """The strategy with another wording, its own or that of the strategy that it wraps."""
    if field in type(strategy).model_fields:
        if field == "trigger" and getattr(strategy, "demos", ()):
            raise ConfigError("demonstrations take the place of a trigger", hint="give templates, or leave out demos")
        return strategy.with_fields(**{field: wording})
    for name in type(strategy).model_fields:
        inner = getattr(strategy, name)
        if isinstance(inner, Strategy) and _with_field(inner, field):
            return strategy.with_fields(**{name: _reworded(inner, field, wording)})
    raise ConfigError(f"{strategy.tag or type(strategy).__name__} has no {field}", hint="give a strategy that has one")


def _with_field(strategy: Strategy, field: str) -> Strategy | None:
    """The strategy among this one and its inner ones that has a field."""
    if field in type(strategy).model_fields:
        return strategy
    return next((found for inner in strategy.inner_strategies() if (found := _with_field(inner, field))), None)


def _relabelled(demos: tuple[Demonstration, ...], labels: list[str]) -> tuple[Demonstration, ...]:
    # Without the rationale, which argues for the right label.
    return tuple(
        demo.model_copy(update={"answer": label, "rationale": ""}) for demo, label in zip(demos, labels, strict=True)
    )


def _right(demos: tuple[Demonstration, ...], gold: tuple[Demonstration, ...]) -> int:
    return sum(one.answer == other.answer for one, other in zip(demos, gold, strict=True))
