"""The report as one HTML file that needs nothing else: no network, no foreign script, no text that becomes code."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from promptkit import __version__
from promptkit.drawing.chart import STYLE
from promptkit.errors import ConfigError
from promptkit.evaluation.presentation.verdict import names
from promptkit.evaluation.runs import Run
from promptkit.paths import private_file
from promptkit.report.browsing import Questions
from promptkit.report.chapters import Chapter, Pair, chapters, models
from promptkit.report.texts import packed


@dataclass(frozen=True)
class _Manifest:
    called: str
    said: str
    facts: tuple[tuple[str, str], ...]
    content: str


def page(runs: Sequence[Run], *, state: str = "") -> str:
    """The report of runs as an HTML document.

    Whatever models and data say stays text: the page's own part is escaped, the questions lie in it as base64 and are
    put into the document as text nodes only, and a Content-Security-Policy allows no other script, style or address.

    Args:
        runs: in the order in which they are to be shown. Of unfinished ones, what all of a chapter have answered.
        state: what is shown, in a word, for a page that is served and asks for changes; empty for a file.

    Raises:
        ConfigError: there are no runs, those of one benchmark and backend have not asked the same questions, or none
            of these has an answer from each of them yet.
    """
    if not runs:
        raise ConfigError("there are no runs to report", hint="give folders that eval wrote")
    told = chapters(runs)
    if not told:
        raise ConfigError("no question has an answer from every strategy yet", hint="wait for the first ones")
    style, script = _asset("report.css") + STYLE, _asset("report.js")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(_asset("page.html.j2"))
    return template.render(
        policy=_policy(style, script, live=bool(state)),
        title=_title(runs),
        style=Markup(style),
        script=Markup(script),
        state=state,
        facts=_facts(runs),
        chapters=told,
        across=models(runs),
        places=_places,
        pair=_pair,
        manifests=_manifests(runs),
        made=f"Made by promptkit {__version__}.",
        data=Markup(packed(_data(runs, told))),
    )


def save(runs: Sequence[Run], path: str | Path) -> None:
    """Write the report of runs, for its owner alone to read: it holds every prompt.

    Raises:
        ConfigError: as `page`, or the file cannot be written.
    """
    content = page(runs)
    try:
        with private_file(Path(path)) as file:
            file.write(content)
    except OSError as error:
        raise ConfigError(f"cannot write the report {path}: {error.strerror}", hint="choose another file") from error


def _data(runs: Sequence[Run], told: Sequence[Chapter]) -> dict[str, Any]:
    """What the script needs: the questions, and how the pictures of pairs are to be drawn against another baseline."""
    questions = Questions()
    benchmarks = list(dict.fromkeys(run.benchmark for run in runs))
    for benchmark in benchmarks:
        its = [run for run in runs if run.benchmark == benchmark]
        questions.add(benchmark, its, names(its))
    shown: list[dict[str, Any]] = []
    for chapter in told:
        benchmark = chapter.runs[0].benchmark
        its = {id(run): place for place, run in enumerate(run for run in runs if run.benchmark == benchmark)}
        pairs = [[one.before, one.after, one.fixed, one.broken, one.said] for one in chapter.pairs]
        shown.append(
            {
                "set": benchmarks.index(benchmark),
                "runs": [its[id(run)] for run in chapter.runs],
                "names": list(chapter.called),
                "order": list(chapter.order),
                "right": list(chapter.rights),
                "pairs": pairs,
            }
        )
    return {**questions.data(), "chapters": shown}


def _places(chapter: Chapter) -> list[int]:
    """The runs that its panels show."""
    return [place for place in range(len(chapter.called)) if place != chapter.baseline]


def _pair(chapter: Chapter, after: int) -> Pair:
    return next(one for one in chapter.pairs if (one.before, one.after) == (chapter.baseline, after))


def _title(runs: Sequence[Run]) -> str:
    benchmarks = list(dict.fromkeys(run.benchmark for run in runs))
    return f"Which strategy pays off on {benchmarks[0]}?" if len(benchmarks) == 1 else "Which strategy pays off?"


def _facts(runs: Sequence[Run]) -> list[str]:
    backends = list(dict.fromkeys(run.backend for run in runs))
    asked = {run.n for run in runs}
    counts = f"{asked.pop():,} questions" if len(asked) == 1 else f"{min(asked):,} to {max(asked):,} questions"
    strategies = len({run.strategy for run in runs})
    begun = sorted(str(run.manifest["started"])[:10] for run in runs if run.manifest.get("started"))
    return [
        ", ".join(backends),
        "1 question" if counts == "1 questions" else counts,
        "1 strategy" if strategies == 1 else f"{strategies} strategies",
        *begun[-1:],
    ]


def _manifests(runs: Sequence[Run]) -> list[_Manifest]:
    return [
        _Manifest(
            called=name,
            said=f"on {run.benchmark} with {run.backend}",
            facts=tuple(_manifest_facts(run)),
            content=json.dumps(run.manifest, indent=2, ensure_ascii=False, default=str),
        )
        for run, name in zip(runs, names(runs), strict=True)
    ]


def _manifest_facts(run: Run) -> list[tuple[str, str]]:
    manifest, usage = run.manifest, run.usage
    versions: Any = manifest.get("versions", {})
    found: dict[str, Any] = {
        "folder": run.run_dir,
        "began": manifest.get("started"),
        "seed": manifest.get("seed"),
        "calls": f"{usage.calls:,}, {usage.cached_calls:,} of them from the store",
        "tokens": f"{usage.completion_tokens:,} generated, {usage.prompt_tokens:,} read",
        "seconds": f"{run.seconds:,.1f}",
        "promptkit": cast("dict[str, Any]", versions).get("promptkit") if isinstance(versions, dict) else None,
    }
    return [(name, str(value)) for name, value in found.items() if value is not None]


def _policy(style: str, script: str, *, live: bool) -> str:
    """Own style and script by their hash, and no address but, where the page is served, the server's own."""
    reach = "'self'" if live else "'none'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        f"base-uri 'none'; form-action 'none'; connect-src {reach}"
    )


def _hash(content: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


@cache
def _asset(name: str) -> str:
    return files("promptkit.report").joinpath(name).read_text(encoding="utf-8")
