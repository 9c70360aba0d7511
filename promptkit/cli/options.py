"""Options that several commands share, and what is made of them."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, cast, get_args, get_origin, get_type_hints

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
    """How a model is reached and run: options that `with_option_groups` gives to a command.

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
        str | None, typer.Option(help="nf4 or int8.", metavar="NAME", autocompletion=completing.one_of("nf4", "int8"))
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
        local = {"--adapter": self.adapter, "--quantization": self.quantization, "--dtype": self.dtype}
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
        for spec in specs:
            check_spec(spec)

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


def with_option_groups(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the fields of a dataclass as options, for every parameter that is one, such as `ModelOptions`.

    Fields without a `typer.Option` are no options and keep their defaults.
    """
    groups: dict[str, type[Any]] = {}
    options: dict[str, list[inspect.Parameter]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        if is_dataclass(parameter.annotation):
            groups[parameter.name] = group = cast("type[Any]", parameter.annotation)
            options[parameter.name] = [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=getattr(group, name), annotation=option)
                for name, option in get_type_hints(group, include_extras=True).items()
                if get_origin(option) is Annotated
            ]
            parameters += options[parameter.name]
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(command)
    def with_options(**given: Any) -> None:
        made = {
            name: group(**{option.name: given.pop(option.name) for option in options[name]})
            for name, group in groups.items()
        }
        command(**given, **made)

    # What typer makes the options of.
    with_options.__dict__["__signature__"] = inspect.Signature(parameters)
    with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return with_options


def kind_of(text: str) -> Kind:
    """The kind of answer that an option names.

    Raises:
        ConfigError: there is none of that name.
    """
    if text not in get_args(Kind):
        raise ConfigError(f"unknown kind {text!r}", hint=f"use one of: {', '.join(get_args(Kind))}")
    return text  # pyright: ignore[reportReturnType]
