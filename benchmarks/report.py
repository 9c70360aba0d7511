"""How large the report of 1,000 questions × 5 strategies is, how long it takes to build, and to open in Chromium.

    python -m benchmarks.report [--questions 1000] [--keep FOLDER]

The runs are real runs of `evaluate` on made-up questions, answered by a `FakeBackend` with texts as long as those of a
small model (130 words drawn from the packaged problems, so harder to compress than prose). They say nothing about any
model. Run from the checkout's root.
"""

import argparse
import random
import re
import statistics
import tempfile
import time
from pathlib import Path

from promptkit import FakeBackend, evaluate
from promptkit.evaluation import Benchmark, Run, load, load_run
from promptkit.report import page
from promptkit.types import Completion, Example, Question, Request
from tests import chromium

STRATEGIES = ("direct", "zero-shot", "zero-shot-cot", "manual-cot", "self-consistency:n=5")
_SKILL = {"direct": 0.1, "bare": 0.72, "steps": 0.68, "shown": 0.5}


def made_up_runs(questions: int, folder: Path, seed: int = 0) -> list[Run]:
    """Runs of the five strategies, read back from their folders."""
    problems = [example.question.text for example in load("multiarith-style").examples]
    words = sorted({word for problem in problems for word in re.findall(r"[A-Za-z]+", problem)})
    golds = {number: str(random.Random(number).randint(2, 400)) for number in range(questions)}
    examples = tuple(
        Example(question=Question(text=f"Problem {n}: {problems[n % len(problems)]}", id=f"made-up-{n}"), gold=golds[n])
        for n in range(questions)
    )
    benchmark = Benchmark("made-up", "number", examples, "made up", "", "Apache-2.0", "")

    def answer(request: Request) -> Completion:
        draw = random.Random(f"{seed} {request.key}")
        number = int(re.findall(r"Problem (\d+):", request.text)[-1])
        said = "\n\n".join(turn.content for turn in request.messages)
        shown = len(request.messages) > 5
        kind = (
            "direct"
            if "Do not explain" in said
            else "steps"
            if "step by step" in said
            else "shown"
            if shown
            else "bare"
        )
        skill = _SKILL[kind] * (0.4 if number % 3 == 0 else 1.3)
        value = golds[number] if draw.random() < skill else str(draw.randint(2, 400))
        rationale = " ".join(
            draw.choice(words) if draw.random() < 0.85 else str(draw.randint(1, 99)) for _ in range(130)
        )
        short = kind == "direct" or (kind == "steps" and request.purpose == "answer")
        text = value if short else f"{rationale}. The answer is {value}."
        return Completion(
            text=text, prompt_tokens=len(said) // 4, completion_tokens=max(1, len(text) // 4), rendered=f"<user>{said}"
        )

    runs = evaluate(list(STRATEGIES), benchmark, FakeBackend(answer, batch_size=64), seed=seed, run_dir=folder)
    return [load_run(run.run_dir) for run in runs if run.run_dir]


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--keep", type=Path, help="folder to leave the runs and the report in")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        runs = made_up_runs(options.questions, folder)
        begun = time.perf_counter()
        content = page(runs)
        built = time.perf_counter() - begun
        path = folder / "report.html"
        path.write_text(content, encoding="utf-8")
        print(f"{sum(run.n for run in runs):,} rows: built in {built:.2f} s, {path.stat().st_size / 1e6:.2f} MB")
        if program := chromium.executable():
            print(f"opened in {statistics.median(opened(program, path)):.2f} s (median of 5)")


def opened(program: str, path: Path) -> list[float]:
    """Seconds from asking for the page until its list of questions can be used, in one browser, five times."""
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as profile, chromium.browser(program, Path(profile)) as tab:
        for _ in range(5):
            tab.call("Page.navigate", url="about:blank")
            begun = time.perf_counter()
            tab.open(path.as_uri())
            seconds.append(time.perf_counter() - begun)
    return seconds


if __name__ == "__main__":
    main()
