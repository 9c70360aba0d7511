"""What a tree of thoughts is grown on. `docs/own-problem.md` shows one being written."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field, PositiveInt, PrivateAttr

from promptkit.errors import ConfigError
from promptkit.extract import extractor_for
from promptkit.strategies.tree.evaluate import Evaluator, Value
from promptkit.strategies.tree.generate import Generator, Propose
from promptkit.strategies.tree.growth import Thought
from promptkit.strategies.tree.parts import Part
from promptkit.strategies.tree.search import BFS, Search
from promptkit.templates import Prompt, Template, load
from promptkit.types import Question, Result


class Problem(Part):
    """Base of problems. A state is a text, the thoughts so far; everything else is drawn from it.

    A problem names its templates and says how replies become thoughts, when a state is finished and what its answer
    is. Whatever is left out has a default: a thought is a line, and a state is the lines so far.
    """

    family: ClassVar[str] = "problem"
    uses: ClassVar[tuple[str, ...]] = ("propose", "value")
    """The names of its templates: "propose" or "sample" for thoughts, "value" or "vote" for states, or others."""
    folder: ClassVar[str] = ""
    """Where they are; unset, `tree-of-thoughts/<tag>`."""
    worth: ClassVar[Mapping[str, float]] = {"impossible": 0.001, "likely": 1.0, "sure": 20.0}
    """The words of judgement and their values, as published."""
    limits: ClassVar[Mapping[str, int]] = {}
    """Limit of new tokens by template; 300 where it says nothing."""
    stops: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Texts that end a reply, by template."""

    depth: PositiveInt = 4
    """Thoughts from the question to the end."""
    temperature: float = Field(default=0.7, ge=0)
    """Of thoughts and judgements, unless the strategy says another one."""

    _templates: dict[str, Template] = PrivateAttr()

    def model_post_init(self, context: Any) -> None:  # noqa: ARG002
        """Read the templates."""
        folder = self.folder or f"tree-of-thoughts/{self.tag}"
        self._templates = {name: load(f"{folder}/{name}") for name in self.uses}

    # -- how it is searched unless the strategy says otherwise --------------------------------------

    def generator(self) -> Generator:
        """Asks for thoughts."""
        return Propose()

    def evaluator(self) -> Evaluator:
        """Judges states."""
        return Value()

    def search(self) -> Search:
        """Decides which states are followed."""
        return BFS()

    # -- prompts ------------------------------------------------------------------------------------

    def prompt(self, name: str, question: Question, state: str, depth: int = 0, **more: object) -> Prompt:
        """A template filled in for a state.

        Raises:
            ConfigError: the problem has no such template.
        """
        if name not in self._templates:
            raise ConfigError(
                f"the problem {self.tag!r} has no template {name!r}",
                hint=f"it has {', '.join(self._templates)}; choose a generator and an evaluator that need only these",
            )
        return self._templates[name].render(**self.variables(question, state, depth) | more)

    def variables(self, question: Question, state: str, depth: int) -> dict[str, object]:
        """What its templates may show of a state; `depth` is how many thoughts it has."""
        return {
            "question": question.text,
            "kind": question.kind,
            "choices": question.choices,
            "labels": question.labels,
            "state": state,
            "lines": tuple(state.splitlines()),
            "last": depth == self.depth - 1,
        }

    def stage(self, question: Question, state: str, purpose: str) -> str:  # noqa: ARG002
        """The template that asks for the next thoughts of a state; unless a problem says otherwise, the generator's."""
        return purpose

    def judgements(self, question: Question, state: str) -> tuple[Prompt, ...]:
        """What is asked to value a state; states with the same prompts have the same value."""
        return (self.prompt("value", question, state),)

    def ballot(self, question: Question, states: Sequence[str]) -> Prompt:
        """The prompt that shows states together and asks for the best."""
        return self.prompt("vote", question, "", states=tuple(states))

    def limit(self, name: str) -> int:
        """New tokens that a template's reply may have."""
        return self.limits.get(name, 300)

    # -- what replies mean --------------------------------------------------------------------------

    def check(self, question: Question) -> None:
        """Raise a `ConfigError` where a question is none of this problem. No question is refused by default."""

    def thoughts(self, question: Question, state: str, replies: Sequence[str]) -> list[Thought]:  # noqa: ARG002
        """The thoughts that lists propose: each line that is not empty, in order."""
        return [Thought(line.strip()) for reply in replies for line in reply.splitlines() if line.strip()]

    def thought(self, question: Question, state: str, reply: str) -> str | None:  # noqa: ARG002
        """The one thought of a sample, or `None` where it holds none."""
        return reply.strip() or None

    def extend(self, state: str, thought: str) -> str:
        """The state that a thought leads to."""
        return f"{state}{thought}\n"

    def value(self, question: Question, state: str, words: Sequence[tuple[str, ...]]) -> float:  # noqa: ARG002
        """The value of a state, from the words said to each of its `judgements`; "" where a reply had none."""
        # Counted and not added up as they come: rounding would make the same words in another order no tie.
        counts = Counter(word for said in words for word in said)
        return sum(worth * counts[word] for word, worth in self.worth.items())

    def allows(self, question: Question, state: str) -> bool:  # noqa: ARG002
        """Whether a state keeps the rules; what does not is rejected unseen."""
        return True

    def finished(self, question: Question, state: str) -> bool:  # noqa: ARG002
        """Whether a state needs no further thought."""
        return False

    def result(self, question: Question, state: str) -> Result:
        """The answer that a final state gives."""
        extraction = extractor_for(question)(state)
        return Result(answer=extraction.value if extraction else None, text=state, extraction=extraction)

    def choose(self, question: Question, results: Sequence[Result]) -> int:  # noqa: ARG002
        """The place of the final state that is the answer, of several in the order of the search.

        By default the first that gives an answer at all.
        """
        return next((place for place, result in enumerate(results) if result.answer is not None), 0)
