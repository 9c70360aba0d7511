"""Options that several commands share, and what is made of them."""

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args, get_type_hints

import typer

from promptkit.cli import completing
from promptkit.cli.progress import Downloads
from promptkit.errors import ConfigError
from promptkit.types import Kind

if TYPE_CHECKING:
    from promptkit.backends.base import Backend


def number(text: str | float) -> float:
    """What an option says that is a number."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number") from None


def whole_number(text: str | int) -> int:
    """What an option says that is a whole number."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no whole number") from None


def memory(text: str | int) -> int:
    """Bytes of the memory that an option names: GiB as a number, "4GiB" or "512MiB"."""
    if isinstance(text, int):
        return text
    found = re.fullmatch(r"(?i)([0-9]{1,9}(?:\.[0-9]{1,9})?)\s?([gm]ib)?", text.strip())
    size = int(float(found[1]) * 2 ** (20 if found[2] and found[2].lower() == "mib" else 30)) if found else 0
    if size < 1:
        raise typer.BadParameter(f"{text!r} is no amount of memory; give GiB, such as 4, 4GiB or 512MiB")
    return size


KIND_HELP = "Kind of answer: number, choice, label, yesno, date, text or set."
_BACKEND_HELP = "`default`, hf:<hub id or folder>, or openai:<model> (see --base-url)."
Backends: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--backend", help=f"{_BACKEND_HELP} May be repeated.", metavar="SPEC", autocompletion=completing.backends
    ),
]
OneBackend: TypeAlias = Annotated[
    str, typer.Option("--backend", help=_BACKEND_HELP, metavar="SPEC", autocompletion=completing.backends)
]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="Seed of all sampling.", parser=whole_number, metavar="INTEGER")]
Limit: TypeAlias = Annotated[
    int | None, typer.Option(help="Only the first so many questions.", parser=whole_number, metavar="INTEGER")
]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """How a model is reached and run: the options that `with_options` gives a command.

    `None` is the backend's own default.
    """

    base_url: Annotated[
        list[str] | None,
        typer.Option(
            help="Address of the server of openai:<model>. May be repeated for several with the same model, used "
            "together. [default: OpenAI's own]",
            show_default=False,
            metavar="URL",
        ),
    ] = None
    api_key_env: Annotated[
        str | None,
        typer.Option(
            help="Environment variable with the server's key. [default: OPENAI_API_KEY]",
            show_default=False,
            metavar="NAME",
        ),
    ] = None
    api_key_file: Annotated[Path | None, typer.Option(help="File with the server's key.", metavar="FILE")] = None
    mode: Annotated[
        str | None,
        typer.Option(
            help="chat, or completion for base models. [default: chat]",
            show_default=False,
            metavar="NAME",
            autocompletion=completing.one_of("chat", "completion"),
        ),
    ] = None
    adapter: Annotated[str | None, typer.Option(help="PEFT adapter: hub id or folder.", metavar="NAME")] = None
    quantization: Annotated[
        str | None,
        typer.Option(
            help="nf4 or int8; w8a8 on a CPU.",
            metavar="NAME",
            autocompletion=completing.one_of("nf4", "int8", "w8a8"),
        ),
    ] = None
    dtype: Annotated[
        str | None,
        typer.Option(
            help="bfloat16, float16 or float32. [default: the fastest here]",
            show_default=False,
            metavar="NAME",
            autocompletion=completing.one_of("bfloat16", "float16", "float32"),
        ),
    ] = None
    batch_size: Annotated[
        int | None,
        typer.Option(
            help="Rows decoded at once, or requests at a server.",
            show_default=False,
            parser=whole_number,
            metavar="INTEGER",
        ),
    ] = None
    kv_cache_memory: Annotated[
        int | None,
        typer.Option(
            help="Memory for keys and values of a local model, in GiB: 4, 4GiB or 512MiB. "
            "[default: half of what is free, on a CPU at most 1 GiB]",
            show_default=False,
            parser=memory,
            metavar="SIZE",
        ),
    ] = None
    ray: Annotated[
        str | None,
        typer.Option(
            help="Spread a local model over a Ray cluster: auto, local, or the address of its head (docs/scaling.md).",
            metavar="ADDRESS",
        ),
    ] = None
    ray_workers: Annotated[
        int | None,
        typer.Option(
            help="Ray workers, each with the whole model. [default: as many as there is room for]",
            show_default=False,
            parser=whole_number,
            metavar="INTEGER",
        ),
    ] = None
    ray_cpus: Annotated[
        float | None,
        typer.Option(
            help="CPUs of each Ray worker. [default: 1 beside a GPU, else a whole node]",
            show_default=False,
            parser=number,
            metavar="NUMBER",
        ),
    ] = None
    ray_gpus: Annotated[
        float | None,
        typer.Option(
            help="GPUs of each Ray worker, or a part of one. [default: 1 where there are any]",
            show_default=False,
            parser=number,
            metavar="NUMBER",
        ),
    ] = None
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model. Read it first.")
    ] = False

    def check(self, specs: Sequence[str]) -> None:
        """Refuse options that none of the backends understands, and specs that name none; no model is loaded.

        Raises:
            ConfigError: there is such an option or spec.
            ModelError: there is no such model folder, or packages are missing.
        """
        from promptkit.backends import check_spec, is_plugged

        servers = [spec.startswith("openai:") for spec in specs]
        plugged = any(map(is_plugged, specs))
        local = {
            "--adapter": self.adapter,
            "--quantization": self.quantization,
            "--dtype": self.dtype,
            "--kv-cache-memory": self.kv_cache_memory,
        }
        for name, value in local.items():
            if value and all(servers):
                raise ConfigError(f"{name} is for local models", hint="leave it out for openai:<model>")
        server = {
            "--base-url": self.base_url,
            "--api-key-env": self.api_key_env,
            "--api-key-file": self.api_key_file,
        }
        for name, value in server.items():
            if value and not any(servers) and not plugged:
                raise ConfigError(f"{name} is for servers", hint="name the model with --backend openai:<model>")
        if twice := [spec for spec in specs if specs.count(spec) > 1]:
            raise ConfigError(f"backend {twice[0]!r} is given twice", hint="give different ones")
        self._check_ray(any(servers) or plugged)
        for spec in specs:
            check_spec(spec)

    def _check_ray(self, elsewhere: bool) -> None:
        if self.ray is None:
            shares = {"--ray-workers": self.ray_workers, "--ray-cpus": self.ray_cpus, "--ray-gpus": self.ray_gpus}
            if given := [name for name, value in shares.items() if value is not None]:
                raise ConfigError(f"{given[0]} needs --ray", hint="add --ray auto or --ray local")
            return
        from promptkit.backends.ray import installed

        if elsewhere:
            raise ConfigError("--ray is for local models", hint="use several servers by repeating --base-url")
        installed()

    def open(self, spec: str, *, cache: bool = False) -> "Backend":
        """The backend that a spec names, with bars for what is downloaded; `cache` puts the store in front of it."""
        from promptkit.backends import from_spec, is_plugged
        from promptkit.backends.cached import CachedBackend
        from promptkit.paths import completions_path

        if is_plugged(spec):
            backend = from_spec(spec, **{name: value for name, value in vars(self).items() if value})
        elif spec.startswith("openai:"):
            backend = from_spec(
                spec,
                mode=self.mode,
                concurrency=self.batch_size,
                base_url=self.base_url,
                api_key_env=self.api_key_env,
                api_key_file=self.api_key_file,
            )
        elif self.ray is not None:
            from promptkit.backends.ray import RayBackend

            backend = RayBackend(
                partial(from_spec, spec, **self.local(), **self._room()),
                self.ray,
                workers=self.ray_workers,
                cpus=self.ray_cpus,
                gpus=self.ray_gpus,
            )
        else:
            with Downloads() as progress:
                backend = from_spec(spec, **self.local(), **self._room(), progress=progress)
        return CachedBackend(backend, completions_path()) if cache else backend

    def local(self) -> dict[str, Any]:
        """Those that decide what a local model says."""
        return {
            "mode": self.mode,
            "adapter": self.adapter,
            "quantization": self.quantization,
            "dtype": self.dtype,
            "trust_remote_code": self.trust_remote_code,
        }

    def _room(self) -> dict[str, Any]:
        """Those that decide how much of it a local model does at once."""
        return {"batch_size": self.batch_size, "kv_cache_memory": self.kv_cache_memory}


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of a dataclass as options, wherever it takes one: `models: ModelOptions`."""
    groups: dict[str, Any] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            parameters += _options(parameter.annotation)
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def with_groups(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{one.name: given.pop(one.name) for one in fields(group)})
        command(**given)

    # What typer makes the options of.
    with_groups.__dict__["__signature__"] = inspect.Signature(parameters)
    with_groups.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_groups


def _options(group: Any) -> Iterator[inspect.Parameter]:
    kinds = get_type_hints(group, include_extras=True)
    for one in fields(group):
        default = one.default if one.default_factory is MISSING else one.default_factory()
        yield inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kinds[one.name])


def kind_of(text: str) -> Kind:
    """The kind of answer that an option names.

    Raises:
        ConfigError: there is none of that name.
    """
    if text not in get_args(Kind):
        raise ConfigError(f"unknown kind {text!r}", hint=f"use one of: {', '.join(get_args(Kind))}")
    return text  # pyright: ignore[reportReturnType]
