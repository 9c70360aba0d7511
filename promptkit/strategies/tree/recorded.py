"""Recorded searches: the thoughts and values of a log take the place of the model's."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, PrivateAttr, TypeAdapter, ValidationError

from promptkit.errors import ConfigError
from promptkit.flow import Flow
from promptkit.paths import may_read
from promptkit.strategies.tree.evaluate import Evaluator
from promptkit.strategies.tree.generate import Generator
from promptkit.strategies.tree.growth import Growth, Node, Thought
from promptkit.strategies.values import first_problem


class RecordedThoughts(Generator):
    """The thoughts that a search log holds, so that a search is made again without a model.

    The log is JSON as the authors of tree of thoughts published theirs (Yao et al., 2023): a list with an object for
    each question, whose `steps` each have the question `x`, all new states of the level `new_ys` and their `values`. A
    state is its thoughts, each ended by a line feed. A question is the one whose `x` stands in its text. Whatever
    chooses otherwise than the log and comes to a state that it does not go on from gets an error that names it.

    Raises:
        ConfigError: there is no such file, or it is no such log.
    """

    tag: ClassVar[str] = "recorded"

    log: str
    """The file."""

    _log: "Log" = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the log."""
        self._log = Log.read(self.log)

    def thoughts(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[list[Thought]]]:
        """Those that follow each state; of one that stands twice among them, its second list the second time."""
        yield from ()
        search, seen = self._log.search(growth.question.text), Counter[str]()
        found: list[list[Thought]] = []
        for node in nodes:
            lists = search.found(search.thoughts, node.state)
            # The second of two equal neighbours has none left: the log has the thoughts of both in one row.
            found.append([Thought(text) for text in lists[seen[node.state]]] if seen[node.state] < len(lists) else [])
            seen[node.state] += 1
        return found


class RecordedValues(Evaluator):
    """The values that a search log gives the states, see `RecordedThoughts`.

    Raises:
        ConfigError: there is no such file, or it is no such log.
    """

    tag: ClassVar[str] = "recorded"

    log: str
    """The file."""

    _log: "Log" = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the log."""
        self._log = Log.read(self.log)

    def values(self, growth: Growth, nodes: Sequence[Node]) -> Flow[list[float]]:
        """The value of each state; of one that stands twice among them, its second value the second time."""
        yield from ()
        search, seen = self._log.search(growth.question.text), Counter[str]()
        found: list[float] = []
        for node in nodes:
            values = search.found(search.values, node.state)
            found.append(values[min(seen[node.state], len(values) - 1)])
            seen[node.state] += 1
        return found


class _Step(BaseModel):
    x: str
    new_ys: list[str]
    values: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]]


class _Entry(BaseModel):
    steps: list[_Step] = Field(min_length=1)


@dataclass(frozen=True)
class RecordedSearch:
    """What a log says of one question."""

    question: str
    thoughts: dict[str, list[list[str]]]
    """State → its thoughts, a list for each time that it stood in a level."""
    values: dict[str, list[float]]
    """State → its values, likewise."""

    def found(self, table: dict[str, list[Any]], state: str) -> list[Any]:
        """What a table says of a state.

        Raises:
            ConfigError: nothing: the search has left the way of the log.
        """
        if state not in table:
            last = state.strip().split("\n")[-1] or "the question"
            raise ConfigError(f"the log of {self.question!r} says nothing of the state that ends in {last!r}")
        return table[state]


@dataclass(frozen=True)
class Log:
    """A search log."""

    path: str
    searches: tuple[RecordedSearch, ...]

    @classmethod
    def read(cls, path: str) -> "Log":
        """Read a log from its file.

        Raises:
            ConfigError: there is no such file, or it is no such log.
        """
        if not may_read(Path(path)):
            raise ConfigError(f"a strategy file may not name the log {path!r}", hint="put it below the working folder")
        try:
            entries = TypeAdapter(list[_Entry]).validate_json(Path(path).read_bytes())
        except OSError as error:
            raise ConfigError(f"cannot read the search log {path}: {error.strerror}", hint="check the path") from error
        except ValidationError as error:
            hint = "it must be a list of {steps: [{x, new_ys, values}, …]}"
            raise ConfigError(f"{path} is no search log: {first_problem(error)}", hint=hint) from error
        return cls(path, tuple(_search(entry, path) for entry in entries))

    def search(self, question: str) -> RecordedSearch:
        """That of a question: the longest of those whose question stands in its text."""
        padded = f" {question} "
        fitting = [one for one in self.searches if f" {one.question} " in padded]
        if not fitting:
            raise ConfigError(f"the search log {self.path} has no question {question[:80]!r}")
        return max(fitting, key=lambda one: len(one.question))


def _search(entry: _Entry, path: str) -> RecordedSearch:
    question = entry.steps[0].x
    thoughts: dict[str, list[list[str]]] = defaultdict(list)
    values: dict[str, list[float]] = defaultdict(list)
    for step in entry.steps:
        if len(step.values) != len(step.new_ys):
            raise ConfigError(f"{path}: of {question!r}, a step has {len(step.new_ys)} states and not as many values")
        last = None
        for state, value in zip(step.new_ys, step.values, strict=True):
            values[state].append(value)
            before, line_feed, thought = state.removesuffix("\n").rpartition("\n")
            before += line_feed
            if before != last:
                thoughts[before].append([])
            thoughts[before][-1].append(thought)
            last = before
    return RecordedSearch(question, dict(thoughts), dict(values))
