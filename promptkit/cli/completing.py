"""What the shell offers when a person presses Tab. Nothing is loaded, fetched or asked for it."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import NoReturn, TypeAlias

from promptkit.errors import PromptkitError

Offers: TypeAlias = list[tuple[str, str]]
"""Values, each with a few words about it."""

VARIABLE = "_PROMPTKIT_COMPLETE"
"""Set by the shell's script to ask for offers."""
_DATA = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


def one_of(*values: str) -> Callable[[], Offers]:
    """Offers that never change."""

    def offers() -> Offers:
        return [(value, "") for value in values]

    return offers


def strategies(incomplete: str) -> Offers:
    """Presets, plugins, YAML files of the working folder; behind "preset:" its settings."""
    from promptkit import plugins
    from promptkit.strategies import PRESETS, resolve

    preset, colon, _ = incomplete.partition(":")
    if colon:
        try:
            fields = type(resolve(preset)).model_fields
        except PromptkitError:
            return []
        before = incomplete[: max(incomplete.rfind(","), incomplete.find(":")) + 1]
        return [(f"{before}{field}=", "") for field in fields if field != "backend"]
    own = [(name, description) for name, (description, _) in PRESETS.items()]
    brought = [(one.name, f"of {one.package}") for one in plugins.installed() if one.kind == "strategies"]
    return [*own, *brought, *((name, "a file") for name in _files((".yaml", ".yml"), "strategy:"))]


def benchmarks() -> Offers:
    """Names, those that need a file with "=", files of the working folder, and the two kinds that others make."""
    from promptkit import plugins
    from promptkit.evaluation.benchmarks.catalogue import KNOWN

    found = [(name if e.packaged or e.hub else f"{name}=", f"{e.kind}, {e.source}") for name, e in KNOWN.items()]
    found += [(one.name, f"of {one.package}") for one in plugins.installed() if one.kind == "benchmarks"]
    found += [(name, "a file") for name in _files(_DATA)]
    return [*found, ("reasoning-gym:", "a task that is made up"), ("hub:", "a data set of the hub")]


def backends() -> Offers:
    """Embedded models, what the hub's cache holds, folders of models, servers, plugins."""
    from promptkit import plugins
    from promptkit.models import DEFAULT, EMBEDDED

    found = [("default", f"the embedded {DEFAULT}")]
    found += [(f"hf:{name}", "embedded") for name in EMBEDDED]
    found += [(f"hf:{name}", "in the hub's cache") for name in _of_the_hub()]
    found += [(f"hf:./{folder}", "a folder") for folder in _model_folders()]
    found += [("openai:", "a model of a server, see --base-url")]
    return found + [(f"{one.name}:", f"of {one.package}") for one in plugins.installed() if one.kind == "backends"]


def templates() -> Offers:
    """The names of all templates."""
    from promptkit.templates import names

    return [(name, "") for name in names()]


def models() -> Offers:
    """The embedded models."""
    from promptkit.models import EMBEDDED, ENCODERS

    return [(name, model.licence) for name, model in (EMBEDDED | ENCODERS).items()]


def extractors() -> Offers:
    """The names of all extractors."""
    from promptkit.extract import names

    return [(name, "") for name in names()]


def rubrics() -> Offers:
    """Rubrics by name, and YAML files of the working folder that hold one."""
    from promptkit.evaluation.judging.rubric import names

    return [*((name, "") for name in names()), *((name, "a file") for name in _files((".yaml", ".yml"), "criteria:"))]


def _files(endings: tuple[str, ...], marked: str = "") -> list[str]:
    """Files of the working folder; where they must hold something, within the first 2,000 bytes."""
    found: list[str] = []
    for path in sorted(Path().iterdir()):
        if path.suffix.lower() in endings and path.is_file():
            with path.open("rb") as file:
                if marked.encode() in file.read(2000):
                    found.append(path.name)
    return found


def _model_folders() -> Iterator[str]:
    return (path.name for path in sorted(Path().iterdir()) if (path / "config.json").is_file())


def _of_the_hub() -> list[str]:
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return sorted(path.name.removeprefix("models--").replace("--", "/") for path in cache.glob("models--*"))


def complete(offer: Callable[[], object]) -> NoReturn:
    """Print what the shell asks for, by `offer`, which ends the process as typer's commands do.

    Bash cuts words at ":" and "=", and puts what it is offered in the place of the last piece: the pieces are put
    together before, and what stands in front of the last one is taken off the offers.
    """
    if not os.environ[VARIABLE].endswith("_bash"):
        _quietly(offer)
    words, place, before = _joined(os.environ.get("COMP_WORDS", "").split("\n"), int(os.environ.get("COMP_CWORD", 0)))
    os.environ |= {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(place)}
    written = io.StringIO()
    try:
        with redirect_stdout(written):
            _quietly(offer)
    finally:
        for line in written.getvalue().splitlines():
            print(line.removeprefix(before))


def _quietly(offer: Callable[[], object]) -> NoReturn:
    """Nobody wants a traceback in the middle of the line that is being typed."""
    try:
        offer()
    except Exception:
        sys.exit(1)
    sys.exit(0)


def _joined(words: list[str], place: int) -> tuple[list[str], int, str]:
    """Words that Bash has cut, put together; where the cursor's is among them; and what it keeps of that one."""
    joined: list[str] = []
    at, before, glued = 0, "", False
    for number, word in enumerate(words):
        cut = word in (":", "=", "::")
        if joined and (cut or (glued and word)):
            before = joined[-1] + (word if cut else "")
            joined[-1] += word
        else:
            before = ""
            joined.append(word)
        glued = cut
        if number == place:
            at = len(joined) - 1
            return [*joined, *words[number + 1 :]], at, before
    return joined, place - (len(words) - len(joined)), ""
