"""Run folders: `manifest.json`, what was run on what, and `samples.jsonl`, each question as it was finished."""

import json
import os
import platform
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

from pydantic import ValidationError

import promptkit
from promptkit.errors import ConfigError
from promptkit.evaluation.runs.run import Run, Sample
from promptkit.paths import private_file
from promptkit.types import Price, Usage

_IDENTITY = ("strategy_definition", "templates", "benchmark", "backend", "seed", "rescored")
"""The parts of a manifest that must agree before a folder is written again."""
_AGAIN = "make the run again, in another --run-dir"


class RunWriter:
    """Writes one run folder as the run goes on. Every line is on disk before the next question counts.

    Nothing is touched before the `with` block begins. A finished run that is made again stays until the new one is
    finished too: until then that is written to `samples.jsonl.new`.

    Raises:
        ConfigError: the folder cannot be written, or it holds a different run.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder = folder
        self.manifest = {**manifest, "status": "running", "started": _now()}
        there = _refuse_other_run(folder, self.manifest)
        self._again = there is not None and there.get("status") == "complete"

    def __enter__(self) -> Self:
        with _writing(self.folder):
            for made in (self.folder.parent, self.folder):
                made.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not self._again:
                self._write_manifest()
            name = "samples.jsonl.new" if self._again else "samples.jsonl"
            self._samples = private_file(self.folder / name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # of a full disk, which `add` has told of
            self._samples.close()

    def ran_on(self, identity: dict[str, Any]) -> None:
        """Say which backend it is, where that was not known when this was made.

        Raises:
            ConfigError: the folder holds a run on another one.
        """
        self.manifest["backend"] = identity
        _refuse_other_run(self.folder, self.manifest)

    def note(self, **entries: Any) -> None:
        """Add to the manifest what became known after the run began."""
        self.manifest |= entries
        if not self._again:
            with _writing(self.folder):
                self._write_manifest()

    def add(self, sample: Sample) -> None:
        """Append a finished question."""
        with _writing(self.folder):
            self._samples.write(_line(sample))
            self._samples.flush()

    def finish(self, run: Run) -> None:
        """Put the samples into the benchmark's order and note the result in the manifest, or why there is none yet."""
        if run.missing and self._again:
            return  # the finished run is worth more
        summary = {key: value for key, value in run.summary().items() if key != "run_dir"}
        status = "stopped" if run.missing else "complete"
        self.manifest |= {"status": status, "finished": _now(), "seconds": run.seconds, "result": summary}
        if run.price:
            self.manifest["price"] = run.price.model_dump()
        with _writing(self.folder):
            _replace(self.folder / "samples.jsonl", map(_line, run.samples))
            self._write_manifest()
            (self.folder / "samples.jsonl.new").unlink(missing_ok=True)

    def _write_manifest(self) -> None:
        _replace(self.folder / "manifest.json", [json.dumps(self.manifest, indent=2, ensure_ascii=False), "\n"])


def load_run(folder: str | Path) -> Run:
    """Read a run folder.

    Raises:
        ConfigError: it is no run folder, it is damaged, or the run was not finished.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    if manifest is None:
        raise _no_run(folder)
    if manifest.get("status") == "stopped":
        found = manifest.get("result", {})
        raise ConfigError(
            f"the run in {folder} was stopped: {found.get('stopped')}; {found.get('missing')} questions are missing",
            hint="run the same eval command again: it goes on from what is stored",
        )
    if manifest.get("status") != "complete":
        raise ConfigError(f"the run in {folder} was not finished", hint="run the same eval command again")
    samples = _read_samples(folder / "samples.jsonl")
    right = sum(sample.status == "correct" for sample in samples)
    try:
        result = manifest["result"]
        if (right, len(samples)) != (result["correct"], result["n"]):
            raise ConfigError(
                f"{folder / 'samples.jsonl'} is damaged: {right} of {len(samples)} are right there, and "
                f"{result['correct']} of {result['n']} in manifest.json",
                hint=_AGAIN,
            )
        return Run(
            strategy=str(result["strategy"]),
            benchmark=str(result["benchmark"]),
            backend=str(result["backend"]),
            samples=tuple(samples),
            seconds=float(manifest["seconds"]),
            run_dir=folder,
            manifest=manifest,
            preparation=Usage(**result.get("preparation", {})),
            price=Price(**manifest["price"]) if manifest.get("price") else None,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{folder / 'manifest.json'} is damaged", hint=_AGAIN) from error


def load_run_so_far(folder: str | Path) -> Run:
    """Read a run folder that may still be written, or whose run was stopped: the questions that are finished.

    Which ones those are is no matter of chance, as short answers come first. `seconds` is 0 where it is not known yet.

    Raises:
        ConfigError: it is no run folder, or it is damaged.
    """
    folder = Path(folder)
    manifest = _read_manifest(folder) or {}
    if manifest.get("status") == "complete":
        return load_run(folder)
    try:
        content = (folder / "samples.jsonl").read_bytes()
        written = content[: content.rfind(b"\n") + 1]  # the line after that is being written
        samples = tuple(Sample.model_validate_json(line) for line in written.splitlines())
        backend = cast("dict[str, Any]", manifest["backend"] or {})
        return Run(
            strategy=str(manifest["strategy"]),
            benchmark=str(manifest["benchmark"]["name"]),
            backend=str(backend.get("model") or backend.get("name") or "backend"),
            samples=samples,
            seconds=float(manifest.get("seconds", 0.0)),
            run_dir=folder,
            manifest=manifest,
            missing=max(0, int(manifest["benchmark"]["questions"]) - len(samples)),
            stopped="not finished yet",
        )
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ConfigError(f"{folder} is damaged or no run folder", hint="give a folder that eval wrote") from error


def _read_samples(path: Path) -> list[Sample]:
    samples: list[Sample] = []
    try:
        with path.open("rb") as lines:
            for line in lines:
                samples.append(Sample.model_validate_json(line))
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", hint=_AGAIN) from error
    except ValidationError as error:
        raise ConfigError(f"{path}, line {len(samples) + 1} is damaged", hint=_AGAIN) from error
    return samples


def environment() -> dict[str, Any]:
    """Versions and machine, for manifests."""
    packages = ("torch", "transformers", "tokenizers", "numpy", "scipy", "pydantic", "jinja2", "openai")
    versions: dict[str, str] = {"promptkit": promptkit.__version__, "python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    machine = {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()}
    return {"versions": versions, "machine": machine}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def _refuse_other_run(folder: Path, manifest: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of the same run, where that was begun in this folder before."""
    there = _read_manifest(folder)
    if there is not None:
        known = [part for part in _IDENTITY if manifest.get(part) is not None]
        differing = [part for part in known if there.get(part) != json.loads(json.dumps(manifest[part]))]
        if differing:
            raise ConfigError(
                f"{folder} holds another run (different {', '.join(differing)})", hint="choose another --run-dir"
            )
    elif folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty and no run folder", hint="choose another --run-dir")
    return there


def no_folder(folder: Path) -> ConfigError:
    """What to say where a folder of runs is asked for that is not there."""
    return ConfigError(f"there is no folder {folder}", hint="give one that `promptkit eval` wrote; run it first")


def _no_run(folder: Path) -> ConfigError:
    if not folder.exists():
        return no_folder(folder)
    inside = sorted(path.parent for below in ("*", "*/*") for path in folder.glob(f"{below}/manifest.json"))
    if inside:  # of one evaluation, or of one for each seed
        return ConfigError(
            f"{folder} is no run folder but holds {len(inside)}", hint=f"give one of them, as {inside[0]}"
        )
    return ConfigError(f"{folder} is no run folder: it has no manifest.json", hint="give a folder that eval wrote")


def _read_manifest(folder: Path) -> dict[str, Any] | None:
    try:
        manifest: object = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{folder / 'manifest.json'} is damaged", hint="choose another folder") from error
    if not isinstance(manifest, dict):
        raise ConfigError(f"{folder / 'manifest.json'} is damaged", hint="choose another folder")
    return cast("dict[str, Any]", manifest)


@contextmanager
def _writing(folder: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(
            f"cannot write the run folder {folder}: {error.strerror}", hint="make room, or choose another --run-dir"
        ) from error


def _line(sample: Sample) -> str:
    return sample.model_dump_json(exclude_defaults=True) + "\n"


def _replace(path: Path, pieces: Iterable[str]) -> None:
    """Write a file so that it is either the old or the new one, whatever happens in between."""
    part = path.with_name(path.name + ".part")
    with private_file(part) as file:
        file.writelines(pieces)
    part.replace(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
