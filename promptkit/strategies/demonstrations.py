"""Demonstrations: worked examples from a file or a packaged set, read when a strategy is made, or from a pool."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeAlias, cast

import yaml
from pydantic import BeforeValidator, PrivateAttr, ValidationError

from promptkit.errors import ConfigError
from promptkit.extract import canonical
from promptkit.flow import Flow
from promptkit.paths import may_read, packaged
from promptkit.strategies.base import Strategy
from promptkit.strategies.near_duplicates import NearDuplicates
from promptkit.strategies.pool import Pool
from promptkit.strategies.selectors import AnySelector, Fixed, Nearest, Selector, Similar, selector
from promptkit.strategies.values import first_problem
from promptkit.strategies.yaml_files import yaml_problem
from promptkit.types import Demonstration, Kind, Question

SETS: dict[Kind, str] = {
    "number": "arithmetic",
    "yesno": "yesno",
    "choice": "choice",
    "date": "date",
    "text": "text",
    "label": "label",
}
"""The packaged set of each kind of answer."""


def load_demonstrations(source: str | Path) -> tuple[Demonstration, ...]:
    """Read demonstrations.

    Args:
        source: the name of a packaged set (such as "arithmetic") or a YAML file: a list of mappings with `question`,
            `answer` and, for chain of thought, `rationale`; an `id` is optional.

    Raises:
        ConfigError: there is no such set or file, or an entry lacks something.
    """
    path = packaged("evals") / "demos" / f"{source}.yaml"
    if not (isinstance(source, str) and source.isidentifier() and path.is_file()):
        path = Path(source)
        if not may_read(path):
            raise ConfigError(
                f"a strategy file may not name the demonstrations {str(source)!r}",
                hint="name a packaged set, or a file below the working folder",
            )
    try:
        # The base loader leaves every scalar as it is written: an answer `yes` is no boolean and `1.50` no float.
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except (OSError, UnicodeDecodeError) as error:
        known = ", ".join(sorted(SETS.values()))
        raise ConfigError(f"no demonstrations {str(source)!r}", hint=f"give a YAML file or one of: {known}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no valid YAML: {yaml_problem(error)}", hint="correct that line") from error
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path} holds no demonstrations", hint="it must be a list of {question, rationale, answer}")
    return tuple(
        _demonstration(entry, f"{path.stem}-{place}", f"{path}, entry {place}")
        for place, entry in enumerate(cast("list[object]", entries), start=1)
    )


def _demonstration(entry: object, default_id: str, where: str) -> Demonstration:
    if not isinstance(entry, Mapping):
        raise ConfigError(f"{where} is no mapping", hint="it needs `question`, `answer` and, for CoT, `rationale`")
    try:
        return Demonstration.model_validate({"id": default_id, **cast("Mapping[str, object]", entry)})
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_problem(error)}") from error


def _demonstrations(value: Any) -> Any:
    if isinstance(value, str | Path):
        return load_demonstrations(value)
    return selector(cast("dict[str, Any]", value)) if isinstance(value, dict) else value


Demonstrations: TypeAlias = Annotated[
    tuple[Demonstration, ...] | str | Path | AnySelector, BeforeValidator(_demonstrations)
]
"""Field type: demonstrations, or the set name or file that they are read from at once, after which it holds a tuple; or
a selector, which takes them from a pool when a run begins."""


class DemonstrationStrategy(Strategy):
    """Base of strategies that show demonstrations, always the same ones or some for each question."""

    with_rationales: ClassVar[bool] = False
    """Whether it shows rationales."""

    demos: Demonstrations = ()

    _nearest: Nearest | None = PrivateAttr(default=None)

    def needs_pool(self) -> bool:
        """Where a selector says how to choose, it does."""
        return isinstance(self.demos, Selector) and self._nearest is None

    def prepare(self, pool: Pool) -> "Flow[Strategy]":
        """The same strategy with its demonstrations chosen or, where each question has its own, the pool embedded."""
        yield from ()
        if isinstance(self.demos, Similar):
            ready = self.model_copy()
            ready._nearest = self.demos.fitted(pool, rationales=self.with_rationales)
            return ready
        if isinstance(self.demos, Fixed):
            return self.with_fields(demos=self.demos.choose(pool, rationales=self.with_rationales))
        return self

    def shown(self, question: Question) -> tuple[Demonstration, ...]:
        """The demonstrations for a question, without those that nearly equal it.

        Raises:
            ConfigError: they have to be chosen first, or they answer with other labels than the question's.
        """
        if self._nearest is not None:
            demos = self._nearest.choose(question)
        elif isinstance(self.demos, tuple):
            same = _same(tuple(demo.question for demo in self.demos), question.text) if self.demos else ()
            demos = tuple(demo for place, demo in enumerate(self.demos) if place not in same)
        else:
            raise ConfigError(
                f"{type(self).__name__} has no demonstrations yet", hint="use run() or evaluate(), which choose them"
            )
        _check_labels(demos, question)
        return demos


@lru_cache(maxsize=256)
def _same(shown: tuple[str, ...], question: str) -> list[int]:
    """The places of demonstrations that nearly equal a question; its samples ask one after the other."""
    return _finder(shown).of(question)


@lru_cache(maxsize=64)
def _finder(shown: tuple[str, ...]) -> NearDuplicates:
    return NearDuplicates(shown)


def names(demos: Iterable[Demonstration]) -> list[str]:
    """The ids of demonstrations, for `Result.details`; the questions of those that have none."""
    return [demo.id or demo.question for demo in demos]


def _check_labels(demos: Iterable[Demonstration], question: Question) -> None:
    if question.kind != "label":
        return
    if odd := [demo.answer for demo in demos if demo.answer and canonical(demo.answer, question) is None]:
        raise ConfigError(
            f"a demonstration answers {odd[0]!r}, which is none of the labels {', '.join(question.labels)}",
            hint="give demonstrations with these labels: a file of your own, or select=balanced and a pool",
        )
