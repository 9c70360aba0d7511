"""What is kept on disk: the embedded models, the store of completions, the user's own files; and keys."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from promptkit import paths
from promptkit.diagnosis.part import Part, gigabytes
from promptkit.models.catalogue import DEFAULT, EmbeddedModel, find
from promptkit.models.provision import list_models
from promptkit.models.store import MANIFEST, read_manifest, tree_bytes

_KEYS = ("OPENAI_API_KEY", "HF_TOKEN")
_SETTINGS = (
    *("PROMPTKIT_CACHE", "PROMPTKIT_CONFIG", "HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE", "PIP_INDEX_URL"),
    *("PIP_NO_INDEX", "HTTPS_PROXY", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "NO_COLOR"),
)


def models() -> Part:
    """The embedded models: which are here, against what they were verified, and whether they are still whole."""
    lines: list[str] = []
    damaged: list[str] = []
    facts: list[dict[str, Any]] = []
    for status in list_models():
        model, told = find(status.name), read_manifest(status.name) or {}
        published = {model.weights_sha256, *([model.gguf_sha256] if isinstance(model, EmbeddedModel) else [])}
        verified = status.sha256 in published
        whole = verified
        if status.path:
            kept = tree_bytes(status.path) - tree_bytes(status.path / MANIFEST)
            whole = verified and kept == told.get("bytes", kept)
            if not whole:
                damaged.append(status.name)
        facts.append({"name": status.name, "present": status.present, "verified": verified, "whole": whole})
        if status.present:
            state = f"verified when it was fetched ({str(told.get('date', ''))[:10]}, {status.source})"
            lines.append(f"{status.name}: {gigabytes(status.size)}, {state if whole else 'damaged'}")
        else:
            lines.append(f"{status.name}: not here")
    if damaged:
        folder = paths.cache_dir() / "models" / damaged[0]
        problem = f"{', '.join(damaged)} has changed on disk since it was verified"
        hint = f"delete {folder}, then: promptkit models pull {damaged[0]}"
        return Part("models", tuple(lines), {"models": facts}, "problem", problem, hint)
    return Part("models", tuple(lines), {"models": facts, "default": DEFAULT})


def cache() -> Part:
    """The folders that promptkit writes to: sizes, room, and whether it may write there."""
    folder, store = paths.cache_dir(), paths.completions_path()
    there = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(there).free
    sizes = {name: tree_bytes(folder / name) if (folder / name).exists() else 0 for name in ("models", "downloads")}
    sizes["completions"] = sum(file.stat().st_size for file in folder.glob(f"{store.name}*")) if folder.exists() else 0
    own = paths.config_dir() / "templates"
    facts: dict[str, Any] = {"folder": str(folder), "free_bytes": free, "bytes": sizes, "config": str(own.parent)}
    lines = (
        f"{folder}: " + ", ".join(f"{name} {gigabytes(size)}" for name, size in sizes.items()),
        f"{gigabytes(free)} free on its disk",
        f"own templates: {own}" + ("" if own.is_dir() else " (not there)"),
    )
    if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
        problem, hint = f"{there} cannot be written to", "set PROMPTKIT_CACHE to a folder that you may write to"
        return Part("cache", lines, facts, "problem", problem, hint)
    if store.exists() and (reason := _damage(store)):
        problem = f"the store of completions cannot be read: {reason}"
        return Part("cache", lines, facts, "problem", problem, f"move {store} away; a new one is made")
    return Part("cache", lines, facts)


def _damage(store: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as opened:
            opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        return str(error)
    return ""


def keys() -> Part:
    """Which keys and settings are there; what they are is not looked at."""
    there = {name: bool(os.environ.get(name, "").strip()) for name in _KEYS}
    home = Path(os.environ.get("HF_HOME") or Path.home() / ".cache" / "huggingface")
    there["login of the hub"] = (home / "token").is_file()
    settings = [name for name in _SETTINGS if os.environ.get(name)]
    lines = (
        ", ".join(f"{name}: {'yes' if found else 'no'}" for name, found in there.items()),
        f"settings in the environment: {', '.join(settings) or 'none'}",
    )
    return Part("keys", lines, {"keys": there, "settings": settings})
