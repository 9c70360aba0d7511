# pyright: basic
"""Questions that Reasoning Gym makes up and scores (Stojanovski et al., 2025): offline, as many as wanted."""

import ast
import difflib
import hashlib
import inspect
import json
import re
import textwrap
import warnings
from importlib import import_module
from importlib.metadata import version
from typing import Any

from promptkit.errors import BenchmarkError
from promptkit.evaluation.benchmarks.formats import Format, Item
from promptkit.evaluation.benchmarks.rows import Row
from promptkit.evaluation.benchmarks.scorers import Scored
from promptkit.types import Example, Result

PREFIX = "reasoning-gym:"
SIZE = 500
"""Questions where no limit is given: the package's own number."""
_EXECUTES = {"eval", "exec", "compile", "parse_expr", "sympify"}
"""What scorers call to work out an answer by running it as Python (`sympy.parse_expr` does too)."""
_NO_GOLD = "(whatever its scorer accepts)"


def generate(task: str, size: int, seed: int) -> tuple[list[Row], Format, str]:
    """Make up the questions of a task.

    The first questions are the same whatever the size.

    Returns:
        The rows, the format that reads them and holds the task's own scorer, and the version of the package.

    Raises:
        BenchmarkError: the package is not installed, has no such task or no fit settings for it, or the task's scorer
            would run a model's text as Python.
    """
    factory, version = _package()
    tasks = {name: cls for name, (cls, _) in factory.DATASETS.items() if name != "composite"}
    if task not in tasks:
        near = difflib.get_close_matches(task, tasks, 3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {len(tasks)}: {', '.join(sorted(tasks))}"
        raise BenchmarkError(f"reasoning-gym has no task {task!r}", hint=hint)
    if called := executed_by(tasks[task]):
        raise BenchmarkError(
            f"{PREFIX}{task} is not offered: its scorer calls {called}, which may run a model's answer as Python",
            hint="choose another task",
        )
    try:
        dataset = factory.create_dataset(task, seed=seed, size=size)
        entries = [dataset[place] for place in range(size)]
    except Exception as error:  # each generator raises its own
        raise BenchmarkError(f"{PREFIX}{task} could not be made: {error}", hint="try another --seed") from error
    rows: list[Row] = [
        {"question": str(one["question"]), "answer": one["answer"], "place": n} for n, one in enumerate(entries)
    ]
    return (
        rows,
        Format("reasoning-gym", frozenset({"question", "place"}), _read, scorer=_scorer(dataset, entries)),
        version,
    )


def sha256(rows: list[Row]) -> str:
    """Of the questions and answers."""
    return hashlib.sha256(json.dumps(rows, default=str, sort_keys=True).encode()).hexdigest()


def executed_by(dataset: type) -> str:
    """The function by which a dataset's scorer would run an answer as Python; empty where it does no such thing."""
    module = inspect.getmodule(dataset)
    seen: set[str] = set()

    def look(name: str, function: Any) -> str:
        if name in seen or not inspect.isfunction(function) or not function.__module__.startswith("reasoning_gym"):
            return ""
        seen.add(name)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        for call in (node.func for node in ast.walk(tree) if isinstance(node, ast.Call)):
            called = call.id if isinstance(call, ast.Name) else call.attr if isinstance(call, ast.Attribute) else ""
            inner = getattr(dataset, called, None) or getattr(module, called, None)
            own = inspect.isfunction(inner) and inner.__module__.startswith("reasoning_gym")
            if called in _EXECUTES and not own and _is_function(call):
                return called
            if found := look(called, inner):
                return found
        return ""

    return look("score_answer", getattr(dataset, "score_answer", None))


def _is_function(call: ast.expr) -> bool:
    """Not a method of the same name, as `re.compile`."""
    return isinstance(call, ast.Name) or (isinstance(call, ast.Attribute) and call.attr not in ("compile", "eval"))


def _package() -> tuple[Any, str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it imports
            factory: Any = import_module("reasoning_gym.factory")
    except ImportError as error:
        raise BenchmarkError(
            "the tasks of reasoning-gym need its package", hint='pip install "promptkit[reasoning-gym]"'
        ) from error
    return factory, version("reasoning-gym")


def _read(row: Row) -> Item:
    answer = row["answer"]
    gold = _NO_GOLD if answer is None or not str(answer).strip() else str(answer)
    return Item(row["question"], gold)


def _scorer(dataset: Any, entries: list[Any]) -> Any:
    def scored(result: Result, example: Example) -> Scored | None:
        entry = entries[int(example.question.id.rpartition("-")[2])]
        answer = _as_written(result, example, several_lines="\n" in str(entry["answer"] or ""))
        if not answer:
            return None
        try:
            score = float(dataset.score_answer(answer, entry))
        except Exception:  # some scorers raise where an answer is not of the form that they expect
            score = 0.0
        return Scored(score >= 1, {"score": min(max(score, 0.0), 1.0)})

    return scored


def _as_written(result: Result, example: Example, several_lines: bool) -> str:
    """The answer with its capitals; where it has several lines, the last paragraph without the marks of code."""
    if several_lines:
        return re.sub(r"(?m)^```.*\n?", "", result.text).strip().rpartition("\n\n")[2]
    if example.question.kind == "text" and result.extraction:
        return result.text[slice(*result.extraction.span)]
    return "" if result.answer is None else str(result.answer)
