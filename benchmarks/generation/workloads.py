"""What strategies ask of a model, as flows that any backend can run."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from promptkit import CoT, TreeOfThoughts
from promptkit.evaluation import load
from promptkit.flow import Flow, ask
from promptkit.strategies.tree import BFS
from promptkit.types import Message, Question, Request, Sampling

SAMPLES = 8
"""Samples of a prompt, where there are several."""


@dataclass(frozen=True)
class Workload:
    """Flows to run, made anew for each run."""

    title: str
    flows: Callable[[], list[Flow[Any]]]
    greedy: bool = False
    """Whether its texts are the same whichever program makes them, but for rounding."""


def workloads(benchmark: str, questions: int, max_tokens: int, puzzles: int) -> dict[str, Workload]:
    """The workloads by the name that `--only` takes.

    Args:
        benchmark: whose questions are asked.
        questions: how many, where each is asked once; an eighth of them where each is asked eight times.
        max_tokens: new tokens at most.
        puzzles: of Game of 24, for the tree of thoughts.
    """
    texts = [example.question.text for example in load(benchmark, limit=questions).examples]
    few = texts[: max(1, questions // SAMPLES)]
    head = eight_shots()

    def plain(text: str, sample: int | None) -> Request:
        return _request(f"{text}\n\nLet's think step by step.", sample, max_tokens)

    def shown(text: str, sample: int | None) -> Request:
        return _request(f"{head}Question: {text}\nAnswer:", sample, max_tokens)

    def sampled(make: Callable[[str, int | None], Request]) -> Callable[[], list[Flow[Any]]]:
        return lambda: [ask(make(text, sample)) for text in few for sample in range(SAMPLES)]

    tree = TreeOfThoughts("game24", search=BFS(width=2))
    numbers = [f"{2 + i % 3} {4 + i % 5} {3 + i % 7} {6 + i}" for i in range(puzzles)]
    return {
        "greedy": Workload(f"greedy, {len(texts)} questions", lambda: [ask(plain(text, None)) for text in texts], True),
        "samples": Workload(f"{len(few)} questions × {SAMPLES} samples", sampled(plain)),
        "prefix": Workload(f"8 demonstrations, {len(few)} questions × {SAMPLES} samples", sampled(shown)),
        "few-shot": Workload(
            f"8 demonstrations, greedy, {len(few)} questions", lambda: [ask(shown(text, None)) for text in few], True
        ),
        "tree": Workload(
            f"tree of thoughts, {puzzles} puzzles of Game of 24",
            lambda: [tree.steps(Question(text=text)) for text in numbers],
        ),
    }


def two_stages(benchmark: str, questions: int) -> dict[str, Workload]:
    """Zero-shot chain of thought whole, and its first stage alone."""
    asked = [example.question for example in load(benchmark, limit=questions).examples]
    strategy = CoT()

    def first(question: Question) -> Flow[Any]:
        flow = strategy.steps(question)
        yield from ask(flow.send(None).request)

    return {
        "first": Workload("the first stage alone", lambda: [first(question) for question in asked], True),
        "both": Workload("both stages", lambda: [strategy.steps(question) for question in asked], True),
    }


def eight_shots() -> str:
    """Eight demonstrations with reasoning, about 1,000 tokens, as a few-shot prompt begins with."""
    pool = load("gsm8k-style").examples[-8:]
    steps = "First write down what is given, then take one step after the other and keep track of the units. " * 4
    return "".join(f"Question: {one.question.text}\nAnswer: {steps}The answer is {one.gold}.\n\n" for one in pool)


def _request(text: str, sample: int | None, max_tokens: int) -> Request:
    return Request(
        messages=(Message(role="user", content=text),),
        sampling=Sampling(max_tokens=max_tokens, temperature=0.0 if sample is None else 0.7, seed=0),
        sample=() if sample is None else (sample,),
    )
