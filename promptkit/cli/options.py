"""Options that several commands share, and what is made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, get_args

import typer

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


KIND_HELP = "Kind of answer: number, choice, label, yesno, date, text or set."
_BACKEND_HELP = "`default`, hf:<hub id or folder>, or openai:<model> (see --base-url)."
Backends: TypeAlias = Annotated[
    list[str], typer.Option("--backend", help=f"{_BACKEND_HELP} May be repeated.", metavar="SPEC")
]
OneBackend: TypeAlias = Annotated[str, typer.Option("--backend", help=_BACKEND_HELP, metavar="SPEC")]
AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="Seed of all sampling.", parser=whole_number, metavar="INTEGER")]
Limit: TypeAlias = Annotated[
    int | None, typer.Option(help="Only the first so many questions.", parser=whole_number, metavar="INTEGER")
]
Mode: TypeAlias = Annotated[
    str | None,
    typer.Option(help="chat, or completion for base models. [default: chat]", show_default=False, metavar="NAME"),
]
Adapter: TypeAlias = Annotated[str | None, typer.Option(help="PEFT adapter: hub id or folder.", metavar="NAME")]
Quantization: TypeAlias = Annotated[str | None, typer.Option(help="nf4 or int8.", metavar="NAME")]
Dtype: TypeAlias = Annotated[
    str | None,
    typer.Option(help="bfloat16, float16 or float32. [default: the fastest here]", show_default=False, metavar="NAME"),
]
BatchSize: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Rows decoded at once, or requests at a server.",
        show_default=False,
        parser=whole_number,
        metavar="INTEGER",
    ),
]
RemoteCode: TypeAlias = Annotated[
    bool, typer.Option("--trust-remote-code", help="Run code that comes with the model. Read it first.")
]


BaseUrls: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--base-url",
        help="Address of the server of openai:<model>. May be repeated for several with the same model, used together. "
        "[default: OpenAI's own]",
        show_default=False,
        metavar="URL",
    ),
]
KeyEnv: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--api-key-env",
        help="Environment variable with the server's key. [default: OPENAI_API_KEY]",
        show_default=False,
        metavar="NAME",
    ),
]
KeyFile: TypeAlias = Annotated[
    Path | None, typer.Option("--api-key-file", help="File with the server's key.", metavar="FILE")
]
Ray: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Spread a local model over a Ray cluster: auto, local, or the address of its head (docs/scaling.md).",
        metavar="ADDRESS",
    ),
]
RayWorkers: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Workers, each with the whole model. [default: as many as there is room for]",
        show_default=False,
        parser=whole_number,
        metavar="INTEGER",
    ),
]
RayCpus: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="CPUs of each worker. [default: 1 beside a GPU, else a whole node]",
        show_default=False,
        parser=number,
        metavar="NUMBER",
    ),
]
RayGpus: TypeAlias = Annotated[
    float | None,
    typer.Option(
        help="GPUs of each worker, or a part of one. [default: 1 where there are any]",
        show_default=False,
        parser=number,
        metavar="NUMBER",
    ),
]


@dataclass(frozen=True, kw_only=True)
class RayOptions:
    """What the options of a command say of a Ray cluster."""

    address: str | None = None
    workers: int | None = None
    cpus: float | None = None
    gpus: float | None = None

    def check(self, specs: Sequence[str]) -> None:
        """Refuse what cannot be, before anything is loaded.

        Raises:
            ConfigError: Ray is not installed or not asked for, or a backend is a server.
        """
        if self.address is None:
            shares = {"--ray-workers": self.workers, "--ray-cpus": self.cpus, "--ray-gpus": self.gpus}
            if given := [name for name, value in shares.items() if value is not None]:
                raise ConfigError(f"{given[0]} needs --ray", hint="add --ray auto or --ray local")
            return
        from promptkit.backends.ray import installed

        if any(spec.startswith("openai:") for spec in specs):
            raise ConfigError("--ray is for local models", hint="use several servers by repeating --base-url")
        installed()

    def open(self, make: "Callable[[], Backend]") -> "Backend":
        """The backend that `make` makes, spread over the cluster."""
        from promptkit.backends.ray import RayBackend

        assert self.address is not None
        return RayBackend(make, self.address, workers=self.workers, cpus=self.cpus, gpus=self.gpus)


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What the options of a command say of how a model is reached and run. `None` is the backend's own default."""

    mode: str | None = None
    adapter: str | None = None
    quantization: str | None = None
    dtype: str | None = None
    batch_size: int | None = None
    trust_remote_code: bool = False
    base_urls: list[str] | None = None
    api_key_env: str | None = None
    api_key_file: Path | None = None
    ray: RayOptions = RayOptions()

    def check(self, specs: Sequence[str]) -> None:
        """Refuse options that none of the backends understands, and specs that name none; no model is loaded.

        Raises:
            ConfigError: there is such an option or spec.
            ModelError: there is no such model folder, or packages are missing.
        """
        from promptkit.backends import check_spec

        servers = [spec.startswith("openai:") for spec in specs]
        local = {"--adapter": self.adapter, "--quantization": self.quantization, "--dtype": self.dtype}
        for name, value in local.items():
            if value and all(servers):
                raise ConfigError(f"{name} is for local models", hint="leave it out for openai:<model>")
        server = {
            "--base-url": self.base_urls,
            "--api-key-env": self.api_key_env,
            "--api-key-file": self.api_key_file,
        }
        for name, value in server.items():
            if value and not any(servers):
                raise ConfigError(f"{name} is for servers", hint="name the model with --backend openai:<model>")
        if twice := [spec for spec in specs if specs.count(spec) > 1]:
            raise ConfigError(f"backend {twice[0]!r} is given twice", hint="give different ones")
        self.ray.check(specs)
        for spec in specs:
            check_spec(spec)

    def open(self, spec: str, *, cache: bool = False) -> "Backend":
        """The backend that a spec names, with bars for what is downloaded; `cache` puts the store in front of it."""
        from promptkit.backends import from_spec
        from promptkit.backends.cached import CachedBackend
        from promptkit.paths import completions_path

        if spec.startswith("openai:"):
            backend = from_spec(
                spec,
                mode=self.mode,
                concurrency=self.batch_size,
                base_url=self.base_urls,
                api_key_env=self.api_key_env,
                api_key_file=self.api_key_file,
            )
        elif self.ray.address:
            backend = self.ray.open(partial(from_spec, spec, **self.local(), batch_size=self.batch_size))
        else:
            with Downloads() as progress:
                backend = from_spec(spec, **self.local(), batch_size=self.batch_size, progress=progress)
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


def kind_of(text: str) -> Kind:
    """The kind of answer that an option names.

    Raises:
        ConfigError: there is none of that name.
    """
    if text not in get_args(Kind):
        raise ConfigError(f"unknown kind {text!r}", hint=f"use one of: {', '.join(get_args(Kind))}")
    return text  # pyright: ignore[reportReturnType]
