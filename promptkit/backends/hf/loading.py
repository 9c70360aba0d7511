"""Finding and loading a causal language model and its tokenizer, with errors that a person can act on."""

# pyright: basic

import ctypes
import hashlib
import json
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
import transformers
from huggingface_hub import try_to_load_from_cache
from transformers import AutoModelForCausalLM, AutoTokenizer

from promptkit import models
from promptkit.backends.hf.packing import pack, packed, quantize
from promptkit.errors import ConfigError, ModelError
from promptkit.models.hub import silence

Quantization: TypeAlias = Literal["nf4", "int8", "w8a8"]
"""The first two by bitsandbytes, when the weights are loaded; the last by `packing`, when they are."""


@dataclass(frozen=True)
class Loaded:
    """A model ready to generate."""

    model: Any
    tokenizer: Any
    name: str
    fingerprint: str
    """Tells these very weights apart: a commit hash, or a hash over the folder's files."""


def load(
    name: str,
    *,
    revision: str | None,
    dtype: str | None,
    device: str | None,
    adapter: str | None,
    quantization: Quantization | None,
    trust_remote_code: bool,
    pack_weights: bool,
    progress: models.Progress | None,
) -> Loaded:
    """Load a model; arguments as of `HFBackend`.

    Raises:
        ModelError: it cannot be found, downloaded or loaded.
        ConfigError: an option makes no sense here.
    """
    place = _device(device)
    chosen = precision(dtype, place)
    if name == "default":
        source: str | Path = models.default_model(progress=progress)
        name = Path(source).name
    elif name in models.EMBEDDED:
        source = models.ensure(name, progress=progress)
    else:
        source = find(name)
    files: str | Path = source
    if isinstance(source, str):
        files = _without_hub(f"cannot load {name}", name, _MODEL, revision) or name
    origin: dict[str, Any] = {"revision": revision, "trust_remote_code": trust_remote_code}
    # Weights in other files are pickles, which are programs.
    options: dict[str, Any] = {"dtype": chosen, "output_loading_info": True, "use_safetensors": True, **origin}
    if quantization == "w8a8" and place.type != "cpu":
        raise ConfigError("w8a8 is for CPUs", hint="use nf4 or int8 on a GPU")
    if quantization in ("nf4", "int8"):
        options |= {"quantization_config": _quantization(quantization), "device_map": {"": str(place)}}
    try:
        with _quiet():
            tokenizer: Any = AutoTokenizer.from_pretrained(files, **origin)
            if not set(tokenizer("How many?", add_special_tokens=False)["input_ids"]) - {tokenizer.unk_token_id}:
                raise ModelError(f"the tokenizer of {name} knows no words", hint="are its files complete?")
            both: Any = AutoModelForCausalLM.from_pretrained(files, **options)
            model, found = both
            if missing := sorted(found["missing_keys"]):
                raise ModelError(
                    f"{name} lacks weights, such as {missing[0]}: it would answer at random",
                    hint="is it a causal language model, and complete?",
                )
            if adapter:
                model = _with_adapter(model, adapter)
            if quantization not in ("nf4", "int8"):
                model = model.to(place)
    except (ModelError, ConfigError):
        raise
    except ImportError as error:
        problem = f"{name} needs a package that is not installed: {first_line(error)}"
        raise ModelError(problem, hint="install it with pip") from error
    except Exception as error:  # damaged files make every library below raise errors of its own
        raise ModelError(f"cannot load {name}: {first_line(error)}", hint=_hint(error)) from error
    model.eval()
    if quantization == "w8a8" and not quantize(model):
        raise ModelError(f"no layer of {name} can be quantized here", hint="leave out the quantization")
    if pack_weights and quantization not in ("nf4", "int8"):
        pack(model)
    give_memory_back()
    return Loaded(model, tokenizer, name, fingerprint(source, name, revision, adapter))


def fingerprint(source: Path | str, name: str, revision: str | None, adapter: str | None) -> str:
    """What tells these very weights apart: a commit hash, or a hash over the folder's files."""
    found = _folder_hash(source) if isinstance(source, Path) else _commit(name, _MODEL, revision)
    if adapter:
        folder = Path(adapter).expanduser()
        found += "+" + (_folder_hash(folder) if folder.is_dir() else _commit(adapter, _ADAPTER))
    return found


def identity(*, name: str, dtype: torch.dtype, **facts: Any) -> dict[str, Any]:
    """What decides the texts of a local model, as its backend and its store know it."""
    return {
        "backend": "hf",
        "model": name,
        "fingerprint": facts["fingerprint"],
        "mode": facts["mode"],
        "dtype": str(dtype).removeprefix("torch."),
        "device": facts["device"],
        "adapter": facts["adapter"],
        "quantization": facts["quantization"],
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }


def give_memory_back() -> None:
    """Return to the system what was freed: the C library keeps it, after loading as much as a small model's weights."""
    with suppress(OSError, AttributeError, TypeError):  # only glibc has this
        ctypes.CDLL(None).malloc_trim(0)


def _device(name: str | None) -> torch.device:
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"device {name!r} cannot be used: {first_line(error)}", hint='such as "cpu"') from error
    return device


_MODEL, _ADAPTER = "config.json", "adapter_config.json"


def find(name: str) -> Path | str:
    """The folder of that name, or the name itself where it is an embedded model or can be one of the hub.

    Raises:
        ModelError: it is neither.
    """
    if name in models.EMBEDDED:
        return name
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
            raise ModelError(f"there is no folder {name}", hint="give a folder written by save_pretrained")
        return name
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{name} holds no model: config.json is missing", hint="give a folder written by save_pretrained"
        )
    return folder


def _without_hub(problem: str, name: str, file: str, revision: str | None = None) -> Path | None:
    """Where a repository is on this machine, if the hub cannot be asked; `None` where it can.

    Raises:
        ModelError: the hub cannot be asked and the repository is not here.
    """
    why = silence()
    kept = _cached(name, file, revision)
    if why and kept is None:
        raise ModelError(
            f"{problem}: it is not on this machine, and the hub cannot be reached: {why}",
            hint="check name and connection, or give a local folder; `promptkit models list` shows the embedded models",
        )
    return kept if why else None


def _cached(name: str, file: str, revision: str | None = None) -> Path | None:
    """The folder of a repository in the hub's cache, where a file of it is kept there. It is called like its commit."""
    try:
        kept = try_to_load_from_cache(name, file, revision=revision)
    except ValueError:  # no possible name
        return None
    return Path(kept).parent if isinstance(kept, str) else None


def _commit(name: str, file: str, revision: str | None = None) -> str:
    kept = _cached(name, file, revision)
    return kept.name if kept else ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the progress bars that transformers draws over ours."""
    shown = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers.utils.logging.enable_progress_bar()


def fastest_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 or float32, whichever multiplies matrices faster here.

    Processors differ by a factor of ten both ways, so this is measured (about 50 ms) and not looked up.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    seconds = layer_seconds()
    return min(seconds, key=lambda dtype: seconds[dtype])


@torch.inference_mode()
def layer_seconds() -> dict[torch.dtype, float]:
    """Seconds that 32 rows take through a layer of 1024 × 4096 on this processor, by dtype: the best of 8.

    Processor time of one thread: what else the machine does must not decide, since another dtype gives other texts.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {dtype: _layer_seconds(dtype) for dtype in (torch.bfloat16, torch.float32)}
    finally:
        torch.set_num_threads(threads)


def _layer_seconds(dtype: torch.dtype) -> float:
    layer = torch.nn.Linear(1024, 4096, bias=False, dtype=dtype)
    layer, inputs = packed(layer) or layer, torch.ones(1, 32, 1024, dtype=dtype)
    laps: list[float] = []
    for _ in range(8):
        start = time.thread_time()
        layer(inputs)
        laps.append(time.thread_time() - start)
    return min(laps)


def precision(dtype: str | None, device: torch.device) -> torch.dtype:
    """The dtype of that name; unset, the fastest one on this device.

    Raises:
        ConfigError: there is none of that name.
    """
    if dtype is None or dtype == "auto":
        return fastest_dtype(device)
    known = {"bfloat16": torch.bfloat16, "float16": torch.float16, "float32": torch.float32}
    if dtype not in known:
        raise ConfigError(f"unknown dtype {dtype!r}", hint=f"use one of: auto, {', '.join(known)}")
    return known[dtype]


def _quantization(quantization: Quantization) -> Any:
    try:
        import bitsandbytes  # pyright: ignore  # noqa: F401
    except ImportError as error:
        raise ModelError("quantization needs bitsandbytes", hint='pip install "promptkit[quantization]"') from error
    if quantization == "nf4":
        return transformers.BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16
        )
    return transformers.BitsAndBytesConfig(load_in_8bit=True)


def _with_adapter(model: Any, adapter: str) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise ModelError("an adapter needs peft", hint='pip install "promptkit[adapter]"') from error
    folder = Path(adapter).expanduser()
    problem = f"cannot load the adapter {adapter}"
    files = folder if folder.is_dir() else _without_hub(problem, adapter, _ADAPTER) or adapter
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # what peft uses of transformers is not the person's concern
            with_adapter: Any = PeftModel.from_pretrained(model, str(files))
    except Exception as error:  # damaged files make every library below raise errors of its own
        raise ModelError(f"{problem}: {first_line(error)}", hint="was it trained for this very model?") from error
    # A merged adapter costs nothing at generation; quantized weights cannot take it in and keep it beside them.
    return with_adapter if getattr(model, "is_quantized", False) else with_adapter.merge_and_unload()


def _folder_hash(folder: Path) -> str:
    """Hash over names, sizes and times of the weights and the text of all JSON files, which is quick and enough to
    tell an edited folder from the former one; for embedded models over the sha256 that was verified."""
    if any(folder == models.local_path(name) for name in models.EMBEDDED):
        verified = json.loads((folder / "source.json").read_text(encoding="utf-8"))
        said = json.dumps([verified.get(key) for key in ("hub_id", "source", "revision", "sha256")])
        return hashlib.sha256(said.encode()).hexdigest()[:16]
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            digest.update(path.name.encode() + path.read_bytes())
        elif path.is_file():
            digest.update(json.dumps([path.name, path.stat().st_size, path.stat().st_mtime_ns]).encode())
    return digest.hexdigest()[:16]


def first_line(error: Exception) -> str:
    """A foreign error on one line, and only its beginning."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _hint(error: Exception) -> str:
    text = str(error)
    if "trust_remote_code" in text:
        return "the model brings code of its own; pass trust_remote_code=True only if you have read it"
    if "safetensors" in text:
        return "weights are read from safetensors only: older formats can hold programs"
    if "gated" in text or "401" in text:
        return "accept the model's terms on the hub and log in with `hf auth login`"
    if isinstance(error, OSError):
        return "check the name, or give a local folder; `promptkit models list` shows the embedded models"
    return ""
