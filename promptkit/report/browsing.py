"""What the question browser of a report holds: each question with what every run made of it."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from promptkit.drawing import shape
from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Run, Sample
from promptkit.report.texts import Reference, TextTable, utf16_span
from promptkit.types import Call, Message, answer_text

_DRAWN = {"tree", "steps"}
"""Details that are shown in a form of their own."""


class Questions:
    """Collects the runs' samples as JSON values, in short keys: a report may hold 5,000 of them."""

    def __init__(self) -> None:
        self.table = TextTable()
        self._prompts: dict[tuple[Any, ...], int] = {}
        self._prompt_list: list[list[list[Any]]] = []
        self._sets: list[dict[str, Any]] = []

    def add(self, title: str, runs: Sequence[Run], called: Sequence[str]) -> None:
        """Add runs on one benchmark, with what to call them; a question that a run lacks is left open there."""
        by_id = [{sample.id: sample for sample in run.samples} for run in runs]
        rows: list[dict[str, Any]] = []
        # Question by question, so that texts that are like each other lie close together and pack well.
        for name in dict.fromkeys(name for found in by_id for name in found):
            samples = [found.get(name) for found in by_id]
            first = next(sample for sample in samples if sample)
            rows.append({**self._question(first), "r": [sample and self._sample(sample) for sample in samples]})
        self._sets.append({"title": title, "runs": list(called), "questions": rows})

    def data(self) -> dict[str, Any]:
        """All that was added."""
        return {"texts": self.table.texts, "prompts": self._prompt_list, "sets": self._sets}

    def _question(self, sample: Sample) -> dict[str, Any]:
        return {
            "id": sample.id,
            "q": self.table.add(sample.question),
            "c": list(sample.choices),
            "g": answer_text(sample.gold),
        }

    def _sample(self, sample: Sample) -> dict[str, Any]:
        found = sample.extraction
        rationale = sample.rationale if sample.rationale != sample.text else ""
        row = {
            "s": sample.status,
            "a": None if sample.answer is None else answer_text(sample.answer),
            "t": self.table.add(sample.text),
            "x": [*utf16_span(sample.text, found.span), found.rule] if found else None,
            "h": self.table.add(rationale) if rationale else None,
            "v": [[answer_text(vote.value), vote.count, _finite(vote.weight)] for vote in sample.votes],
            "m": [sample.usage.completion_tokens, sample.usage.prompt_tokens, sample.usage.calls],
            "e": sample.error,
            "k": self._calls(sample),
            "tree": _tree(sample.details.get("tree")),
            "steps": self._steps(sample.details.get("steps")),
            "d": {name: as_json(value) for name, value in sample.details.items() if name not in _DRAWN},
        }
        return {key: value for key, value in row.items() if value not in (None, [], {}, "")}

    def _calls(self, sample: Sample) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []
        known = [sample.question]
        for call in sample.calls:
            calls.append(self._call(call, known))
            if call.completion and (text := call.completion.text.strip()) not in known:
                known.append(text)
        return calls

    def _call(self, call: Call, known: Sequence[str]) -> dict[str, Any]:
        request, said = call.request, call.completion
        row = {
            "u": request.purpose,
            "n": ".".join(map(str, request.sample)),
            "T": _finite(request.sampling.temperature),
            "p": self._prompt(said.rendered if said else None, request.messages, known),
            "t": self.table.add(said.text) if said else None,
            "f": said.finish_reason if said and said.finish_reason != "stop" else None,
            "m": [said.completion_tokens, said.prompt_tokens] if said else None,
            "c": 1 if said and said.cached else None,
            "e": call.error,
        }
        return {key: value for key, value in row.items() if value is not None and value != ""}

    def _prompt(self, rendered: str | None, messages: Sequence[Message], known: Sequence[str]) -> int:
        """The number of a prompt: as the model saw it, else its messages."""
        turns = [("", rendered)] if rendered is not None else [(turn.role, turn.content) for turn in messages]
        key = tuple(turns)
        if key not in self._prompts:
            self._prompts[key] = len(self._prompt_list)
            self._prompt_list.append([[role, self.table.add(content, known)] for role, content in turns])
        return self._prompts[key]

    def _steps(self, steps: Any) -> list[Any] | None:
        """The steps of a chain: name, value and runs; whatever has another form is passed over."""
        if not isinstance(steps, Mapping):
            return None
        found: list[Any] = []
        for name, step in cast("Mapping[str, Any]", steps).items():
            if isinstance(step, Mapping):
                fields = cast("Mapping[str, Any]", step)
                runs = fields.get("runs")
                listed = cast("list[Any]", runs) if isinstance(runs, list) else []
                found.append([str(name), as_json(fields.get("value")), [self._step_run(run) for run in listed]])
        return found

    def _step_run(self, run: Any) -> list[Any] | None:
        if not isinstance(run, Mapping):
            return None
        fields = cast("Mapping[str, Any]", run)
        asked, said = (self._text(fields.get(name)) for name in ("input", "text"))
        return [asked, said, as_json(fields.get("value")), as_json(fields.get("rejected") or "")]

    def _text(self, value: Any) -> Reference:
        return self.table.add(value if isinstance(value, str) else "")


def as_json(value: Any) -> str:
    """Any value as a text: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _tree(tree: Any) -> list[Any] | None:
    """A tree of thoughts, parents before children: depth, thought, value, status, on the path to the answer."""
    if not isinstance(tree, Mapping):
        return None
    try:
        root = shape(cast("Mapping[str, Any]", tree))
    except ConfigError:  # a damaged tree costs its picture, not the report
        return None
    depths = {root: 0}
    nodes: list[Any] = []
    for branch in root.walk():
        depths |= dict.fromkeys(branch.children, depths[branch] + 1)
        nodes.append([depths[branch], branch.thought, _finite(branch.value), branch.status, int(branch.on_path)])
    return nodes


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
