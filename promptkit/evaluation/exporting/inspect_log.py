"""Runs as logs of Inspect (inspect.aisi.org.uk), version 2 of its format, so that `inspect view` opens them.

Nothing of Inspect is needed to write them; a test reads them with `inspect_ai.log.read_eval_log` where it is installed.
"""

import hashlib
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import promptkit
from promptkit.errors import ConfigError
from promptkit.evaluation.runs import Run, Sample
from promptkit.types import Call, Completion, Message, Usage, answer_text

_SCORER = "promptkit"
_UNKNOWN_TIME = "1970-01-01T00:00:00+00:00"
"""Of a run that was never written, since the format has no log without one."""
_VALUES = {"correct": "C", "wrong": "I", "unparsed": "N", "truncated": "I", "failed": "I"}
"""Inspect's own letters: correct, incorrect, no answer. All but "C" count as 0."""
_STOPS = {"stop": "stop", "length": "max_tokens", "content_filter": "content_filter"}


def inspect_log(run: Run) -> dict[str, Any]:
    """A run as the JSON object of an Inspect log.

    A sample's messages are those of the call that holds its answer; its transcript has every call. The score's
    explanation says how the answer was read, and its metadata has promptkit's status, span, rule and votes.
    """
    header = _header(run)
    return {**header, "samples": [_sample(run, sample, header["eval"]["model"]) for sample in run.samples]}


def write_inspect_log(run: Run, path: Path) -> None:
    """Write `.json`, or `.eval`, the packed form that the viewer reads piece by piece.

    Raises:
        ConfigError: there is no such format, or the file cannot be written.
    """
    log = inspect_log(run)
    try:
        if path.suffix == ".json":
            path.write_text(json.dumps(log, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        elif path.suffix == ".eval":
            _write_eval(log, path)
        else:
            raise ConfigError(f"{path}: no log of Inspect ends in {path.suffix!r}", hint="name it .eval or .json")
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror or error}", hint="choose another file") from error


def file_name(run: Run) -> str:
    """A name as Inspect gives its own logs: time, task, id."""
    time = re.sub(r"[:+]", "-", str(run.manifest.get("started", _UNKNOWN_TIME)))
    task = re.sub(r"[^A-Za-z0-9.-]+", "-", f"{run.benchmark}-{run.strategy}").strip("-")
    return f"{time}_{task}_{_id(run, 'log')}.eval"


def _header(run: Run) -> dict[str, Any]:
    manifest = run.manifest
    started, finished = str(manifest.get("started", "")), str(manifest.get("finished", ""))
    created = started or _UNKNOWN_TIME
    model = f"promptkit/{run.backend}"
    low, high = run.ci95
    benchmark: dict[str, Any] = manifest.get("benchmark", {})
    known = ("strategy_definition", "templates", "benchmark", "backend", "seed", "machine", "rescored")
    metrics = {
        name: {"name": name, "value": value}
        for name, value in {"accuracy": run.accuracy, "ci95_low": low, "ci95_high": high}.items()
    }
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "eval_id": _id(run, "eval"),
            "run_id": _id(run, "run"),
            "created": created,
            "task": f"{run.benchmark} · {run.strategy}",
            "task_id": _id(run, "task"),
            "task_version": 0,
            "solver": run.strategy,
            "dataset": {
                "name": run.benchmark,
                "location": benchmark.get("source"),
                "samples": run.n,
                "sample_ids": [sample.id for sample in run.samples],
                "shuffled": False,
            },
            "model": model,
            "config": {"limit": run.n, "epochs": 1},
            "packages": {"promptkit": manifest.get("versions", {}).get("promptkit", promptkit.__version__)},
            "metadata": {name: manifest[name] for name in known if name in manifest},
        },
        "plan": {"name": "plan", "steps": [{"solver": run.strategy, "params": {}}]},
        "results": {
            "total_samples": run.n,
            "completed_samples": run.n - run.count("failed"),
            "scores": [{"name": _SCORER, "scorer": _SCORER, "params": {}, "metrics": metrics}],
        },
        "stats": {
            "started_at": created,
            "completed_at": finished or created,
            "model_usage": {model: _usage(run.usage)},
        },
    }


def _sample(run: Run, sample: Sample, model: str) -> dict[str, Any]:
    answering = next((c for c in reversed(sample.calls) if c.completion and c.completion.text == sample.text), None)
    messages = [] if answering is None else [*_messages(answering.request.messages), _said(answering, model)]
    output: dict[str, Any] = {"model": model, "choices": []}
    if answering is not None and answering.completion:
        output = _output(answering.completion, model, answering)
    made: dict[str, Any] = {
        "id": sample.id,
        "epoch": 1,
        "input": sample.question,
        "choices": list(sample.choices) or None,
        "target": sample.gold if isinstance(sample.gold, str) else list(sample.gold),
        "messages": messages,
        "output": output,
        "scores": {_SCORER: _score(sample)},
        "metadata": {"kind": sample.kind, **({"rationale": sample.rationale} if sample.rationale else {})},
        "store": {},
        "events": [_event(run, call, model) for call in sample.calls],
        "model_usage": {model: _usage(sample.usage)},
        "attachments": {},
    }
    if sample.error is not None:
        made["error"] = {"message": sample.error, "traceback": "", "traceback_ansi": ""}
    return made


def _score(sample: Sample) -> dict[str, Any]:
    answer = None if sample.answer is None else answer_text(sample.answer)
    if sample.extraction:
        start, end = sample.extraction.span
        said = f"{sample.status}: read by the rule {sample.extraction.rule!r} at {start}–{end} of the text"
    else:
        said = sample.status if sample.answer else f"{sample.status}: {sample.error or 'no answer was read'}"
    votes = [{"value": vote.value, "count": vote.count} for vote in sample.votes]
    extraction = sample.extraction.model_dump(mode="json") if sample.extraction else None
    metadata = {"status": sample.status, "extraction": extraction, **({"votes": votes} if votes else {})}
    return {"value": _VALUES[sample.status], "answer": answer, "explanation": said, "metadata": metadata}


def _event(run: Run, call: Call, model: str) -> dict[str, Any]:
    completion = call.completion
    sampling = call.request.sampling
    config: dict[str, Any] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "max_tokens": sampling.max_tokens,
        "stop_seqs": list(sampling.stop) or None,
        "seed": sampling.seed,
    }
    made: dict[str, Any] = {
        "event": "model",
        "timestamp": str(run.manifest.get("started", _UNKNOWN_TIME)),
        "working_start": 0.0,
        "model": model,
        "input": _messages(call.request.messages),
        "tools": [],
        "tool_choice": "none",
        "config": {name: value for name, value in config.items() if value is not None},
        "output": _output(completion, model, call) if completion else {"model": model, "choices": []},
        "metadata": {"purpose": call.request.purpose, "sample": list(call.request.sample)},
    }
    if call.error is not None:
        made["error"] = call.error
    if completion and completion.cached:
        made["cache"] = "read"
    return made


def _output(completion: Completion, model: str, call: Call) -> dict[str, Any]:
    usage = Usage(prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens)
    choice = {"message": _said(call, model), "stop_reason": _STOPS[completion.finish_reason]}
    return {
        "model": model,
        "choices": [choice],
        "completion": completion.text,
        "usage": _usage(usage),
        "time": completion.seconds,
    }


def _said(call: Call, model: str) -> dict[str, Any]:
    text = call.completion.text if call.completion else ""
    return {"role": "assistant", "content": text, "source": "generate", "model": model}


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _usage(usage: Usage) -> dict[str, int]:
    total = usage.prompt_tokens + usage.completion_tokens
    return {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens, "total_tokens": total}


def _id(run: Run, what: str) -> str:
    """The same id for the same run, in the alphabet of Inspect's own."""
    told = (what, run.strategy, run.benchmark, run.backend, run.manifest.get("started"), run.manifest.get("rescored"))
    return hashlib.sha256(repr(told).encode()).hexdigest()[:22]


def _write_eval(log: dict[str, Any], path: Path) -> None:
    header = {name: value for name, value in log.items() if name != "samples"}
    summaries = [
        {
            "id": sample["id"],
            "epoch": 1,
            "input": sample["input"],
            "target": sample["target"],
            "scores": sample["scores"],
            "model_usage": sample["model_usage"],
            "completed": True,
            **({"error": sample["error"]["message"]} if "error" in sample else {}),
        }
        for sample in log["samples"]
    ]
    start = {"version": log["version"], "eval": log["eval"], "plan": log["plan"]}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", _json(start))
        for sample in log["samples"]:
            archive.writestr(f"samples/{sample['id']}_epoch_1.json", _json(sample))
        archive.writestr("summaries.json", _json(summaries))
        archive.writestr("header.json", _json(header))


def _json(data: object) -> str:
    return json.dumps(data, ensure_ascii=False)
