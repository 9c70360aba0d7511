"""Tree of thoughts: several next steps are tried, judged, and only the promising ones followed."""

from typing import Annotated, ClassVar, Self, TypeAlias, cast

from pydantic import BeforeValidator, Field, InstanceOf, SerializeAsAny, model_validator

from promptkit.errors import ConfigError
from promptkit.flow import Flow
from promptkit.strategies.base import Strategy
from promptkit.strategies.pool import Pool
from promptkit.strategies.tree import (
    Asking,
    Checker,
    Evaluator,
    Generator,
    Growth,
    Judge,
    Lookahead,
    Problem,
    Reasoning,
    Search,
)
from promptkit.strategies.tree.parts import Part, by_name
from promptkit.types import Question, Result

_Generator: TypeAlias = Annotated[SerializeAsAny[Generator] | str, by_name("generator")]
_Evaluator: TypeAlias = Annotated[
    SerializeAsAny[Evaluator] | InstanceOf[Strategy] | str,
    by_name("evaluator"),
    BeforeValidator(lambda given: _inside(given, Judge)),
]
_Checker: TypeAlias = Annotated[
    SerializeAsAny[Checker] | InstanceOf[Strategy] | str,
    by_name("checker"),
    BeforeValidator(lambda given: _inside(given, Asking)),
]


class TreeOfThoughts(Strategy):
    """Search a tree of partial solutions (Yao et al., 2023; with a checker, Long, 2023).

    A generator asks for thoughts, an evaluator values the states that they lead to, a search policy decides which of
    them are followed. Each is a part of its own, given as a value (`BFS(width=3)`) or by name (`"bfs"`); what is left
    out is the problem's own. `TreeOfThoughts("game24")` is the published Game of 24.

    All requests of a level are pending together. The final states are `Result.candidates`, best first, and the whole
    tree is in `Result.details["tree"]`; `promptkit.drawing` draws it.

    Raises:
        ConfigError: generator or evaluator need a template that the problem does not have, or several samples are to be
            drawn at temperature 0.
    """

    tag: ClassVar[str] = "tree-of-thoughts"

    problem: Annotated[SerializeAsAny[Problem] | str, by_name("problem")] = Field(default_factory=Reasoning)
    """What is solved: "reasoning", "game24", "crosswords", "creative-writing" or one of your own."""
    generate: _Generator | None = None
    """`Propose()` or `Sample()`."""
    evaluate: _Evaluator | None = None
    """`Value()`, `Vote()`, `Judge(strategy)`, or `Lookahead(…)` around one of them. A strategy is a `Judge` of it."""
    search: Annotated[SerializeAsAny[Search] | str, by_name("search")] | None = None
    """`BFS()`, `DFS()`, `BestFirst()` or one of your own."""
    checker: _Checker | None = None
    """Refuses states (`Asking(strategy)`), besides the problem's own rules. A strategy is asked by `Asking`."""
    temperature: float | None = Field(default=None, ge=0)
    """Of thoughts and judgements; unset, the problem's own."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        problem = self._problem()
        evaluators = [self._evaluator()]
        while isinstance(outer := evaluators[-1], Lookahead):
            evaluators.append(outer.inner)
        for part in (self._generator(), *evaluators):
            needed = part.purpose
            if needed and needed not in problem.uses and problem.stage(_NOTHING, "", needed) == needed:
                raise ConfigError(
                    f"{type(part).__name__} needs a template {needed!r}, which {type(problem).__name__} lacks",
                    hint=f"it has {', '.join(problem.uses)}",
                )
            if self._temperature() == 0 and (n := getattr(part, "n", 1)) > 1:
                raise ConfigError(
                    f"{type(part).__name__} with n={n} at temperature 0 gives {n} times the same",
                    hint="raise the temperature or use n=1",
                )
        return self

    def steps(self, question: Question) -> Flow[Result]:
        """Grow the tree, then read the answer from one of its final states."""
        problem = self._problem()
        problem.check(question)
        checker = cast("Checker | None", self.checker)
        growth = Growth(question, problem, self._generator(), self._evaluator(), checker, self._temperature())
        policy = cast("Search | None", self.search) or problem.search()
        final = (yield from policy.search(growth)) or [growth.root]
        results = [
            problem.result(question, node.state).model_copy(update={"truncated": node.thought.truncated})
            for node in final
        ]
        place = problem.choose(question, results)
        if growth.finished(final[place]):
            final[place].status = "solved"
        tree = growth.record(final[place])
        return results[place].model_copy(update={"candidates": tuple(results), "details": {"tree": tree}})

    def inner_strategies(self) -> list[Strategy]:
        """The strategies inside its parts."""
        return [strategy for part in self._parts() for strategy in part.strategies()]

    def prepare(self, pool: Pool) -> "Flow[Strategy]":
        """The same tree with the strategies inside its parts prepared."""
        changed: dict[str, Part] = {}
        for name in ("generate", "evaluate", "checker"):
            if part := getattr(self, name):
                changed[name] = yield from part.prepare(pool)
        return self.with_fields(**changed)

    def templates(self) -> dict[str, str]:
        """Those of its parts and of the strategies inside them."""
        found = super().templates()
        for part in self._parts():
            found |= part.templates()
        return found

    def _parts(self) -> list[Part]:
        parts = (self._problem(), self._generator(), self._evaluator(), cast("Checker | None", self.checker))
        return [part for part in parts if part is not None]

    # Names have become parts when the fields were checked.

    def _problem(self) -> Problem:
        return cast("Problem", self.problem)

    def _generator(self) -> Generator:
        return cast("Generator | None", self.generate) or self._problem().generator()

    def _evaluator(self) -> Evaluator:
        return cast("Evaluator | None", self.evaluate) or self._problem().evaluator()

    def _temperature(self) -> float:
        return self._problem().temperature if self.temperature is None else self.temperature


def _inside(given: object, part: type[Judge | Asking]) -> object:
    """A strategy, or the mapping that stands for one in files, as the part that asks it."""
    if isinstance(given, Strategy):
        return part(given)
    if isinstance(given, dict) and "strategy" in given:
        return part(Strategy.model_validate(given))
    return cast("object", given)


_NOTHING = Question(text="-")
