"""What an evaluation would take, before any call is made: calls, tokens, dollars and seconds, as bounds.

The strategies' own flows are run on made-up models, which give away how the calls depend on the completions: one that
says nothing, two that answer briefly and always alike, and one that fills every limit and never answers twice alike.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple, TypeAlias

from promptkit.backends.base import Answer
from promptkit.backends.fake import AnswerFunction, FakeBackend
from promptkit.embedding import nothing_fetched
from promptkit.errors import ConfigError
from promptkit.evaluation.benchmarks import Benchmark
from promptkit.evaluation.running.inputs import Named, first_requests
from promptkit.evaluation.running.unloaded import Known
from promptkit.scheduler import OnCall, run_flows
from promptkit.strategies import Strategy
from promptkit.strategies.base import prepared
from promptkit.strategies.pool import Pool
from promptkit.types import Completion, Price, Question, Request, Usage

DEFAULT_LIMIT = 512
"""Tokens of a completion where the strategy sets no limit, as the backends have it."""
LIST_ITEMS = 10
"""Items that a list is taken to have at most, where a strategy goes on with each of them."""

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Told what is being planned, the questions that are through, and how many there are: each once a made-up model."""


class Bounds(NamedTuple):
    """The least and the most that something can be."""

    least: float
    most: float

    @property
    def exact(self) -> bool:
        """Whether they are the same."""
        return self.least == self.most


@dataclass(frozen=True)
class Plan:
    """What one strategy would take on one benchmark."""

    strategy: str
    benchmark: str
    questions: int
    calls: Bounds
    prompt_tokens: Bounds
    completion_tokens: Bounds
    first_calls: int | None
    """Calls that need no completion before them; `None` where the preparation decides what they are."""
    first_prompt_tokens: int | None
    """Their prompts' tokens, exact with the model's tokenizer; `None` where an encoder decides what they hold."""
    stored: int | None
    """How many of them are stored already; `None` where that cannot be told."""
    price: Price | None
    tokens_per_second: float | None
    """Of earlier runs of this model here."""
    to_fetch: tuple[str, ...] = ()
    """Sentence encoders that it needs and that are not on this machine; here shared words stood in for them."""

    @property
    def cost(self) -> Bounds | None:
        """US dollars; `None` where the price is not known."""
        if self.price is None:
            return None
        price, prompts, texts = self.price, self.prompt_tokens, self.completion_tokens
        return Bounds(*(price.of(int(prompts[end]), int(texts[end])) for end in (0, 1)))

    @property
    def seconds(self) -> Bounds | None:
        """From the speed of earlier runs; `None` where there are none."""
        rate = self.tokens_per_second
        return Bounds(*(tokens / rate for tokens in self.completion_tokens)) if rate else None

    def summary(self) -> dict[str, Any]:
        """What `plan --json` prints of it."""
        return {
            "strategy": self.strategy,
            "benchmark": self.benchmark,
            "questions": self.questions,
            "calls": [*self.calls],
            "prompt_tokens": [*self.prompt_tokens],
            "completion_tokens": [*self.completion_tokens],
            "first_calls": self.first_calls,
            "first_prompt_tokens": self.first_prompt_tokens,
            "stored": self.stored,
            "cost": [*self.cost] if self.cost else None,
            "seconds": [*self.seconds] if self.seconds else None,
            "to_fetch": [*self.to_fetch],
        }


def plan(
    named: Named, known: Known, pools: dict[str, Pool], seed: int = 0, on_progress: OnProgress | None = None
) -> list[Plan]:
    """Plan every strategy on its benchmarks. No call is made, and no sentence encoder is fetched.

    Args:
        named: strategies and benchmarks, as `inputs.check` gives them.
        known: of the model.
        pools: by benchmark, for strategies that need one.
        seed: of the run, which decides what is stored.
        on_progress: called for every question.
    """
    known = replace(known, prompt_tokens=_counting_once(known.prompt_tokens))
    plans: list[Plan] = []
    for pairs, item in named:
        for name, strategy in pairs:
            with nothing_fetched() as absent:
                found = _planned(name, strategy, item, known, pools, seed, on_progress)
            plans.append(replace(found, to_fetch=tuple(sorted(absent))))
    return plans


def _planned(
    name: str,
    strategy: Strategy,
    benchmark: Benchmark,
    known: Known,
    pools: dict[str, Pool],
    seed: int,
    on_progress: OnProgress | None,
) -> Plan:
    questions = [example.question for example in benchmark.examples]
    models = _models(benchmark, known)
    fixed: Strategy | None = strategy
    fallback = strategy
    pool = pools[benchmark.name].counted_by(known.count_tokens) if strategy.needs_pool() else None
    with nothing_fetched() as absent:
        if pool:
            found = prepared(strategy, pool, FakeBackend(models[2], batch_size=64), seed)
            fallback = found.strategy
            fixed = fallback if not found.usage.calls else None
        first = first_requests(fixed, questions, seed) if fixed else None
    tried: list[Usage] = []
    through = count(1)
    for answer in models:
        fake, ready, asked = FakeBackend(answer, batch_size=64), fallback, list[Usage]()
        if pool and fixed is None:
            # One whose texts make no demonstration shows how many calls are made in vain.
            with suppress(ConfigError):
                ready = prepared(strategy, pool, fake, seed, _noting(asked)).strategy
        spent = sum(asked, Usage())
        for outcome in run_flows((ready.steps(question) for question in questions), fake, seed=seed):
            spent += outcome.usage
            if on_progress:
                on_progress(f"planning {name} on {benchmark.name}", next(through), len(models) * len(questions))
        tried.append(spent)
    certain = None if absent else first  # an encoder that is not here may choose other demonstrations
    remembers = known.backend.remembers and certain is not None
    return Plan(
        strategy=name,
        benchmark=benchmark.name,
        questions=len(questions),
        calls=_bounds(usage.calls for usage in tried),
        prompt_tokens=_bounds(usage.prompt_tokens for usage in tried),
        completion_tokens=_bounds(usage.completion_tokens for usage in tried),
        first_calls=len(first) if first is not None else None,
        first_prompt_tokens=sum(map(known.prompt_tokens, certain)) if certain is not None else None,
        stored=sum(known.backend.recall(request) is not None for request in certain or ()) if remembers else None,
        price=known.backend.price(),
        tokens_per_second=known.tokens_per_second,
    )


def _counting_once(tokens: Callable[[Request], int]) -> Callable[[Request], int]:
    """What counts the tokens of each prompt once, though many samples of it are asked, and of several models."""
    counted: dict[str, int] = {}

    def count_tokens(request: Request) -> int:
        if request.group_key not in counted:
            counted[request.group_key] = tokens(request)
        return counted[request.group_key]

    return count_tokens


def _noting(asked: list[Usage]) -> OnCall:
    """What takes down the usage of each call."""

    def note(_: Request, answer: Answer) -> None:
        if isinstance(answer, Completion):
            usage = Usage(calls=1, prompt_tokens=answer.prompt_tokens, completion_tokens=answer.completion_tokens)
            asked.append(usage)

    return note


def _bounds(found: Iterator[int]) -> Bounds:
    values = list(found)
    return Bounds(min(values), max(values))


def _models(benchmark: Benchmark, known: Known) -> list[AnswerFunction]:
    """The made-up models: one is silent, one gives the bare answer, one a sentence, and one is exhaustive."""
    question, numbers = benchmark.examples[0].question, count(1)
    items = "\n".join(f"{item}. thing {item}" for item in range(1, LIST_ITEMS + 1))
    words = ["so", "we", "look", "at", "it", "again", "and", "go", "on"] * 512
    a_word = known.count_tokens(" ".join(words)) / len(words)

    def completion(request: Request, text: str, tokens: int) -> Completion:
        return Completion(text=text, prompt_tokens=known.prompt_tokens(request), completion_tokens=tokens)

    def silent(request: Request) -> Completion:
        return completion(request, "", 1)

    def curt(request: Request) -> Completion:
        return completion(request, _answer(question, 1), 1)

    def brief(request: Request) -> Completion:
        text = f"Yes, sure. The answer is {_answer(question, 0)}."
        return completion(request, text, min(known.count_tokens(text) + 1, _limit(request)))

    def exhaustive(request: Request) -> Completion:
        limit, number = _limit(request), next(numbers)
        text = f"The answer is {_answer(question, number)}."
        if request.purpose not in ("rationale", "answer") and limit > 3 * known.count_tokens(items):
            text = f"{items.replace('thing', f'thing {number}')}\n{text}"
        room = int((limit - known.count_tokens(text)) / a_word)
        return completion(request, f"{' '.join(words[: max(room, 0)])} {text}", limit)

    return [silent, curt, brief, exhaustive]


def _limit(request: Request) -> int:
    return request.sampling.max_tokens or DEFAULT_LIMIT


def _answer(question: Question, k: int) -> str:
    """An answer of the question's kind, another for each `k` as far as there are others."""
    match question.kind:
        case "choice":
            return f"({'ABCDE'[k % max(len(question.choices), 2) % 5]})"
        case "yesno":
            return ("yes", "no")[k % 2]
        case "label":
            return question.labels[k % len(question.labels)]
        case _:
            return str(k)
