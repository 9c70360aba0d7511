"""Making a router from finished runs, and how much it would have gained on questions that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any, cast

import numpy as np
import scipy.special as _untyped  # pyright: ignore[reportMissingTypeStubs]

from promptkit.errors import ConfigError
from promptkit.evaluation.routing.table import Feature, RoutingTable, routing_table
from promptkit.evaluation.runs import Run
from promptkit.evaluation.statistics import Interval, wilson
from promptkit.strategies.router import KnownQuestion, Route, Router

_special = cast("Any", _untyped)  # scipy has no type stubs
FEATURES: tuple[Feature, ...] = ("agreement", "length", "near")


@dataclass(frozen=True)
class Estimate:
    """A mean over held-out questions, with its interval."""

    mean: float
    ci95: Interval


@dataclass(frozen=True)
class Arm:
    """One strategy on all questions."""

    name: str
    accuracy: float
    ci95: Interval
    """Of `accuracy`, Wilson."""
    tokens: float
    """Generated a question."""
    share: float
    """Of the held-out questions that the router gives to it."""


@dataclass(frozen=True)
class Routing:
    """A router, and what cross-validation says of routers made like it."""

    router: Router
    """Made from all questions."""
    arms: tuple[Arm, ...]
    """By rising tokens."""
    best: Arm
    """The best single strategy, as seen afterwards: no strategy that one could have chosen before does better."""
    features: tuple[Feature, ...]
    questions: int
    accuracy: Estimate
    """Of the router on questions that it was not made from."""
    tokens: float
    """That it generates a question, its probe included."""
    oracle: float
    """Accuracy of always choosing the right strategy."""
    gain: Estimate
    """Of the router over the best single strategy: accuracy, less tokens where `Router.worth` says what they cost."""
    regret: Estimate
    """Of the router against the oracle, in the same measure."""

    def summary(self) -> dict[str, Any]:
        """What `route --json` prints."""
        return {
            "questions": self.questions,
            "features": list(self.features),
            "strategies": [
                {
                    "name": arm.name,
                    "accuracy": arm.accuracy,
                    "ci95": [*arm.ci95],
                    "tokens": arm.tokens,
                    "share": arm.share,
                }
                for arm in self.arms
            ],
            "best": self.best.name,
            "router": {"accuracy": self.accuracy.mean, "ci95": [*self.accuracy.ci95], "tokens": self.tokens},
            "oracle": self.oracle,
            "gain": {"mean": self.gain.mean, "ci95": [*self.gain.ci95]},
            "regret": {"mean": self.regret.mean, "ci95": [*self.regret.ci95]},
        }


def route(
    runs: Sequence[Run],
    *,
    features: Sequence[Feature] | None = None,
    worth: float | None = None,
    neighbours: int = 10,
    embedder: str = "all-minilm-l6-v2",
    folds: int = 5,
    repeats: int = 10,
    seed: int = 0,
) -> Routing:
    """Make a router from finished runs, and cross-validate it.

    For each strategy, a logistic regression (L2, scikit-learn's default strength on standardised features) predicts
    from a question's features whether it is right; the router takes the strategy with the greatest chance. Everything
    that is fitted, neighbours included, is fitted without the questions that it is tried on.

    Intervals are those of the corrected repeated k-fold test (Nadeau and Bengio 2003, Machine Learning 52:239;
    Bouckaert and Frank 2004): folds share their training questions, so that a plain standard error would be too small.
    They are for routers made from a share of 1 - 1/`folds` of the questions, and approximate. The best single strategy
    is the best one seen afterwards, which is a little more than anybody could have known, and so against the router.

    Args:
        runs: of several strategies on the same questions, on one backend.
        features: to look at; unset, all that the runs allow.
        worth: tokens that one right answer more may cost; unset, tokens do not matter.
        neighbours: known questions to look at for "near".
        embedder: what measures their likeness.
        folds: parts of the questions, each of which is held out once.
        repeats: of the cross-validation, each with other folds.
        seed: of the folds.

    Raises:
        ConfigError: the runs do not belong together or are too few, or scikit-learn is missing.
    """
    table = routing_table(runs, features, embedder)
    asked: Sequence[Feature] = features or FEATURES
    used: tuple[Feature, ...] = tuple(one for one in asked if one != "agreement" or table.probe is not None)
    router = _router(table, used, worth, neighbours, embedder)
    return cross_validated(router, table, used, folds, repeats, seed)


def cross_validated(
    router: Router, table: RoutingTable, used: tuple[Feature, ...], folds: int, repeats: int, seed: int
) -> Routing:
    """What routers made like this one do on held-out questions of the table it was made from; see `route`."""
    worth, neighbours = router.worth, router.neighbours
    chosen, parts = _held_out(table, used, worth, neighbours, folds, repeats, seed)
    rows = np.arange(table.questions)
    cost = 0.0 if worth is None else 1 / worth
    value: Any = table.right - cost * table.tokens
    probing = "agreement" in used
    spent: Any = table.tokens + (table.probe_tokens if probing else 0)
    place = int(np.argmax(value.mean(axis=0)))  # of equals the first, which generates less
    paid: Any = value - (cost * table.probe_tokens if probing else 0)

    def estimate(of: Any) -> Estimate:
        """Of a quantity a question and repeat, `[repeats, questions]`."""
        return _corrected(of, parts, folds)

    picked = np.stack([paid[rows, one] for one in chosen])
    arms = tuple(
        Arm(
            name=name,
            accuracy=float(table.right[:, column].mean()),
            ci95=wilson(int(table.right[:, column].sum()), table.questions),
            tokens=float(table.tokens[:, column].mean()),
            share=float((chosen == column).mean()),
        )
        for column, name in enumerate(table.names)
    )
    return Routing(
        router=router,
        arms=arms,
        best=arms[place],
        features=used,
        questions=table.questions,
        accuracy=_share(estimate(np.stack([table.right[rows, one] for one in chosen]))),
        tokens=float(np.mean([spent[rows, one].mean() for one in chosen])),
        oracle=float(table.right.any(axis=1).mean()),
        gain=estimate(picked - value[:, place]),
        regret=estimate(value.max(axis=1) - picked),
    )


def _held_out(
    table: RoutingTable,
    features: Sequence[Feature],
    worth: float | None,
    neighbours: int,
    folds: int,
    repeats: int,
    seed: int,
) -> tuple[Any, Any]:
    """The column that is chosen for each question while it is held out, and its fold: both `[repeats, questions]`."""
    if not 2 <= folds <= table.questions // 2 or repeats < 1:
        raise ConfigError(f"{folds} folds of {table.questions} questions make no sense")
    drawing = np.random.default_rng(seed)
    chosen: Any = np.zeros((repeats, table.questions), dtype=int)
    parts: Any = np.zeros((repeats, table.questions), dtype=int)
    for repeat in range(repeats):
        parts[repeat] = drawing.permutation(table.questions) % folds
        for fold in range(folds):
            held, train = np.flatnonzero(parts[repeat] == fold), np.flatnonzero(parts[repeat] != fold)
            routes = _fitted(table, features, train, neighbours)
            near = _near(table, held, train, neighbours) if "near" in features else np.zeros((len(held), len(routes)))
            for row, shares in zip(held, near, strict=True):
                seen = (float(table.agreement[row]), float(table.length[row]))
                values = [
                    one.chance(*seen, float(share)) - (one.tokens / worth if worth else 0)
                    for one, share in zip(routes, shares, strict=True)
                ]
                chosen[repeat, row] = int(np.argmax(values))
    return chosen, parts


def _fitted(table: RoutingTable, features: Sequence[Feature], train: Any, neighbours: int) -> list[Route]:
    """A route a strategy, fitted to the questions `train`."""
    near = _near(table, train, train, neighbours) if "near" in features else None
    routes: list[Route] = []
    for column, name in enumerate(table.names):
        columns = {"agreement": table.agreement[train], "length": table.length[train]}
        if near is not None:
            columns["near"] = near[:, column]
        used = {one: columns[one] for one in features}
        base, weights = _logistic(np.column_stack([*used.values()]), table.right[train, column])
        tokens = round(float(table.tokens[train, column].mean()), 1)
        routes.append(Route(name=name, base=base, tokens=tokens, **dict(zip(used, weights, strict=True))))
    return routes


def _logistic(features: Any, right: Any) -> tuple[float, list[float]]:
    """Base and weights of a logistic regression on the features as they are, rounded for reading."""
    try:
        from sklearn.linear_model import LogisticRegression  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise ConfigError("a router needs scikit-learn", hint="pip install 'promptkit[similarity]'") from error
    n, correct = len(right), int(right.sum())
    if correct in (0, n):  # nothing to tell apart
        return round(log((correct + 0.5) / (n - correct + 0.5)), 4), [0.0] * features.shape[1]
    middle: Any = features.mean(axis=0)
    spread: Any = features.std(axis=0)
    spread[spread < 1e-9] = np.inf  # a feature that never varies has no weight
    model = cast("Any", LogisticRegression()).fit((features - middle) / spread, right)
    weights: Any = model.coef_[0] / spread
    base = float(model.intercept_[0] - weights @ middle)
    return round(base, 4), [round(float(weight), 4) for weight in weights]


def _near(table: RoutingTable, rows: Any, train: Any, neighbours: int) -> Any:
    """Shares of the nearest training questions that each strategy got right, `[rows, strategies]`; never of itself."""
    alike: Any = np.where(rows[:, None] == train[None, :], -np.inf, table.alike[np.ix_(rows, train)])
    nearest: Any = np.argsort(-alike, axis=1, kind="stable")[:, : min(neighbours, len(train) - 1)]
    return table.right[train[nearest]].mean(axis=1)


def _corrected(values: Any, parts: Any, folds: int) -> Estimate:
    """Mean over folds and repeats, and the corrected interval."""
    repeats = len(values)
    means = [float(values[one][parts[one] == fold].mean()) for one in range(repeats) for fold in range(folds)]
    count = len(means)
    mean, variance = float(values.mean()), sum((one - sum(means) / count) ** 2 for one in means) / (count - 1)
    half = float(_special.stdtrit(count - 1, 0.975)) * sqrt((1 / count + 1 / (folds - 1)) * variance)
    return Estimate(mean, Interval(mean - half, mean + half))


def _share(found: Estimate) -> Estimate:
    low, high = found.ci95
    return Estimate(found.mean, Interval(max(0.0, low), min(1.0, high)))


def _router(
    table: RoutingTable, features: tuple[Feature, ...], worth: float | None, neighbours: int, embedder: str
) -> Router:
    """The router that all questions make, as a strategy that can be saved."""
    routes = _fitted(table, features, np.arange(table.questions), neighbours)
    names = np.array(table.names)
    known = [
        KnownQuestion(text, tuple(map(str, names[right]))) for text, right in zip(table.texts, table.right, strict=True)
    ]
    near, probing = "near" in features, "agreement" in features
    return Router(
        strategies=table.strategies,
        routes=tuple(routes),
        probe=table.probe if probing else None,
        worth=worth,
        known=tuple(known) if near else (),
        neighbours=neighbours,
        embedder=embedder,
    )
