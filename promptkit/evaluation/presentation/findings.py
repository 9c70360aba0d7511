"""Plain sentences below the table: frontier and break-even, fewer samples, the model's part, the noise of reseeding."""

from collections.abc import Mapping, Sequence

from promptkit.evaluation.analysis.agreement import agreement
from promptkit.evaluation.analysis.comparison import Comparison
from promptkit.evaluation.analysis.frontier import frontier
from promptkit.evaluation.analysis.interaction import Interaction
from promptkit.evaluation.analysis.noise import NoiseFloor
from promptkit.evaluation.analysis.resampling import vote_curve
from promptkit.evaluation.analysis.stopping import adaptive_savings
from promptkit.evaluation.presentation.phrases import interval, listed, p_text, points
from promptkit.evaluation.presentation.verdict import Judged
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import ALPHA

SURE = 0.95
"""The threshold of adaptive sampling that is told of."""
_SHOWN_SIZES = (1, 2, 3, 5, 10, 20, 40, 64)
"""Numbers of samples whose vote is told of, besides all."""


def frontier_sentences(
    runs: Sequence[Run], called: Sequence[str], judged: Mapping[tuple[int, int], Judged]
) -> list[str]:
    """Which strategies are worth a look at their price, and from when on the dearer ones pay; none for one run.

    Args:
        runs: that asked the same questions.
        called: their names.
        judged: what `judge` gave for them: a gain that is not shown there is not said to pay.
    """
    places = {id(run): place for place, run in enumerate(runs)}
    names = {key: called[place] for key, place in places.items()}
    best = [point for point in frontier(runs) if point.on_frontier]
    if len(runs) < 2 or not any(point.cost for point in best):
        return []
    placed = [f"{names[id(one.run)]} {one.accuracy * 100:.1f} % at {_rounded(one.cost or 0.0)}" for one in best]
    said = [f"Frontier, right by generated tokens a question: {', '.join(placed)}."]
    steps: list[str] = []
    for point in best:
        if even := point.break_even:
            cheap, dear = id(even.against), id(point.run)
            shown = judged[places[cheap], places[dear]].shown
            low, high = map(_rounded, even.worth_ci95)
            limits = f"{low} to {high}" if shown else "gain not shown"
            steps.append(f"{names[dear]} against {names[cheap]} {_rounded(even.worth)} ({limits})")
    if steps:
        said.append(
            f"Break-even, the tokens that one right answer more must be worth (95 % interval): {'; '.join(steps)}."
        )
    return said


def pool_sentences(run: Run, name: str) -> list[str]:
    """What the samples of a run that votes tell of fewer samples; none for other runs."""
    curve = vote_curve(run)
    if not curve:
        return []
    last = curve[-1]
    shown = [point for point in curve if point.n in _SHOWN_SIZES or point is last]
    sizes = " / ".join(str(point.n) for point in shown)
    right = " / ".join(f"{point.majority * 100:.1f}" for point in shown)
    said = [
        f"{name}, maj@n: the vote of {sizes} samples has {right} % right; one of {last.n} is right on "
        f"{last.pass_at * 100:.1f} %, {points(last.headroom)} points above the vote."
    ]
    (stop,) = adaptive_savings(run, [SURE])
    said.append(
        f"Stopping early (adaptive={SURE:g}) would have drawn {stop.samples:.1f} of {stop.of} samples, "
        f"with {stop.accuracy * 100:.1f} % right."
    )
    found = agreement(run)
    agreed = [one for one in found.selective if one.at_least > 0.5] if found else []
    if agreed and agreed[-1].answered < 1:
        said.append(
            f"Where most samples agree ({agreed[-1].answered * 100:.0f} % of the questions), "
            f"{agreed[-1].accuracy * 100:.1f} % are right."
        )
    return said


def interaction_sentences(found: Sequence[Interaction]) -> list[str]:
    """Whose gain is shown to depend on the model; where none is, how far the surest is from it."""
    shown = [one for one in found if one.p_value < ALPHA]
    if not found or shown:
        return [_depends(one) for one in shown]
    surest = found[0]
    return [
        f"No gain over {surest.more.a.strategy} is shown to depend on the model; the surest sign of it: "
        f"{_depends(surest)}"
    ]


def noise_sentences(floors: Sequence[NoiseFloor]) -> list[str]:
    """How far apart runs lie that differ in nothing but their seed."""
    return [
        f"{floor.runs[0].strategy} on {floor.runs[0].backend}, {len(floor.runs)} seeds: {floor.flip_rate * 100:.1f} % "
        f"of the questions flip between two seeds, the accuracy's standard deviation is "
        f"{floor.between_seeds * 100:.1f} points; a difference below {points(floor.reach)} points is what reseeding "
        f"alone does."
        for floor in floors
    ]


def _depends(one: Interaction) -> str:
    gains = [f"{_gain(found)} on {found.a.backend}" for found in (one.more, one.less)]
    said = f"{one.more.b.strategy} {listed(gains)} against {one.more.a.strategy}"
    return f"{said}, a difference of {points(one.contrast)} points ({interval(one.ci95)}, {p_text(one.p_value)})."


def _gain(found: Comparison) -> str:
    if points(found.delta) == "0.0":
        return "gains nothing"
    return f"{'gains' if found.delta > 0 else 'loses'} {points(found.delta)} points"


def _rounded(amount: float) -> str:
    """Three digits."""
    return f"{float(f'{amount:.3g}'):,.0f}" if amount >= 100 else f"{amount:.3g}"
