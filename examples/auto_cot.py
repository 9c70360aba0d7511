"""Auto-CoT on the embedded model: it writes its own demonstrations, and we see whether they pay off.

    python examples/auto_cot.py

Writes `auto-cot.yaml`, to be edited and used again, and `auto-cot.svg`, a picture of the clusters.
"""

from pathlib import Path

from promptkit import AutoCoT, Backend, CoT, evaluate
from promptkit.backends import default
from promptkit.drawing.clusters import clusters_svg
from promptkit.evaluation import load
from promptkit.evaluation.benchmarks.pools import pool_of
from promptkit.strategies.pool import Pool

QUESTIONS = 10


def main(backend: Backend, pool: Pool, embedder: str = "all-minilm-l6-v2") -> None:
    """Choose demonstrations from one set of problems, and compare them with ours on another."""
    auto = AutoCoT(embedder=embedder, max_rationale_lines=12)  # chat models seldom keep to the published 5 lines
    selection = auto.build(pool, backend=backend)
    for demo in selection.demos:
        print(f"{demo.id}: {demo.question[:60]}… {demo.answer}")
    print(f"{len(selection.wrong)} of {selection.known} answers are wrong; {selection.usage.calls} calls")
    print("not taken:", selection.refused)

    selection.save("auto-cot.yaml")
    clusters, chosen = [c.members for c in selection.clusters], [c.chosen for c in selection.clusters]
    titles = [item.question.text for item in selection.pool.items]
    picture = clusters_svg(selection.points, clusters, chosen, titles, pool.source)
    Path("auto-cot.svg").write_text(picture, encoding="utf-8")

    strategies = {
        "zero-shot-cot": CoT(),
        "manual-cot": CoT("arithmetic"),
        "auto-cot": CoT("auto-cot.yaml", max_tokens=400),
    }
    for run in evaluate(strategies, "gsm8k-style", backend, limit=QUESTIONS):
        print(f"{run.strategy}: {run.count('correct')} of {run.n} right")


if __name__ == "__main__":
    main(default(), pool_of(load("multiarith-style")))
