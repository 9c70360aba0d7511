"""Which names of a text are connected, and how? A chain of two steps against one prompt that asks for both at once.

    python examples/entity_pairs/compare.py            # with the embedded model
    python examples/entity_pairs/compare.py --show mill

The chain lists the pairs first and then asks about each pair, all side by side. Both are scored by the pairs that they
find, since only those have a right answer here.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from promptkit import Chain, Question, Result, Step, Strategy, score_steps
from promptkit.backends import default
from promptkit.backends.base import Backend

FOLDER = Path(__file__).parent


def chain() -> Chain:
    """The pairs first, then one request for each."""
    pairs = Step(name="pairs", template=f"{FOLDER}/pairs.j2", parse="pairs")
    relation = Step(name="relation", template=f"{FOLDER}/relation.j2", over="pairs", max_tokens=60)
    return Chain((pairs, relation), extractor="whole", temperature=0)


def at_once() -> Chain:
    """Everything in one request; what follows the second name is left to the reader."""
    pairs = Step(name="pairs", template=f"{FOLDER}/at_once.j2", parse="pairs")
    return Chain((pairs,), extractor="whole", temperature=0)


@dataclass(frozen=True)
class Row:
    """How one way did on all documents."""

    name: str
    f1: float
    precision: float
    recall: float
    failed: int
    calls: int
    prompt_tokens: int
    completion_tokens: int


def documents() -> list[dict[str, Any]]:
    """The texts with their right pairs."""
    return yaml.safe_load((FOLDER / "documents.yaml").read_text(encoding="utf-8"))


def run(strategy: Strategy, backend: Backend) -> list[Result]:
    """One result a document."""
    return strategy.run_many([Question(text=one["text"], kind="text") for one in documents()], backend=backend)


def row(name: str, results: list[Result]) -> Row:
    """Means over the documents of the pairs' scores; a document that failed scores 0."""
    golds = [one["pairs"] for one in documents()]
    scores = [score_steps(result, {"pairs": gold})["pairs"] for result, gold in zip(results, golds, strict=True)]
    n = len(scores)
    return Row(
        name,
        f1=sum(score.f1 for score in scores) / n,
        precision=sum(score.precision for score in scores) / n,
        recall=sum(score.recall for score in scores) / n,
        failed=sum(result.error is not None for result in results),
        calls=sum(result.usage.calls for result in results),
        prompt_tokens=sum(result.usage.prompt_tokens for result in results),
        completion_tokens=sum(result.usage.completion_tokens for result in results),
    )


def table(rows: list[Row]) -> str:
    """The rows in columns."""
    lines = [
        f"{'':<8}  {'F1':>5}  {'precision':>9}  {'recall':>6}  {'failed':>6}  {'calls':>5}  {'tokens in + out':>15}"
    ]
    for r in rows:
        tokens = f"{r.prompt_tokens:,} + {r.completion_tokens:,}"
        lines.append(
            f"{r.name:<8}  {r.f1:5.2f}  {r.precision:9.2f}  {r.recall:6.2f}  {r.failed:6}  {r.calls:5}  {tokens:>15}"
        )
    return "\n".join(lines)


def shown(result: Result) -> str:
    """What the chain found in one document."""
    if result.error:
        return result.error
    steps = result.details["steps"]
    pairs = zip(steps["pairs"]["value"], steps["relation"]["value"], strict=True)
    return "\n".join(f"{first} | {second}: {relation}" for (first, second), relation in pairs)


def main() -> None:
    """Compare both ways, and show one document's pairs where one is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--show", metavar="ID", help="a document whose pairs the chain is to show")
    named = parser.parse_args().show
    backend = default()
    results = {"chain": run(chain(), backend), "at once": run(at_once(), backend)}
    print(table([row(name, found) for name, found in results.items()]))
    for document, result in zip(documents(), results["chain"], strict=True):
        if document["id"] == named:
            print(f"\n{document['text']}\n{shown(result)}")


if __name__ == "__main__":
    main()
