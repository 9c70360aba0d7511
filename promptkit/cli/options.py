"""Options that several commands share, and what is made of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, TypeAlias, get_args

import typer

from promptkit.cli.progress import Downloads
from promptkit.errors import ConfigError
from promptkit.types import Kind

if TYPE_CHECKING:
    from promptkit.backends.base import Backend


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


class Access(NamedTuple):
    """Where the server of `openai:<model>` is, and where its key is found."""

    base_urls: list[str] | None
    api_key_env: str | None
    api_key_file: Path | None


def check_options(
    specs: list[str], adapter: str | None, quantization: str | None, dtype: str | None, access: Access
) -> None:
    """Refuse options that none of the backends understands.

    Raises:
        ConfigError: there is such an option.
    """
    servers = [spec.startswith("openai:") for spec in specs]
    for name, value in (("--adapter", adapter), ("--quantization", quantization), ("--dtype", dtype)):
        if value and all(servers):
            raise ConfigError(f"{name} is for local models", hint="leave it out for openai:<model>")
    for name, value in zip(("--base-url", "--api-key-env", "--api-key-file"), access, strict=True):
        if value and not any(servers):
            raise ConfigError(f"{name} is for servers", hint="name the model with --backend openai:<model>")


def kind_of(text: str) -> Kind:
    """The kind of answer that an option names.

    Raises:
        ConfigError: there is none of that name.
    """
    if text not in get_args(Kind):
        raise ConfigError(f"unknown kind {text!r}", hint=f"use one of: {', '.join(get_args(Kind))}")
    return text  # pyright: ignore[reportReturnType]


def backend_of(
    spec: str,
    mode: str | None,
    adapter: str | None,
    quantization: str | None,
    dtype: str | None,
    batch_size: int | None,
    trust_remote_code: bool,
    access: Access,
) -> "Backend":
    """The backend that the options say, with bars for what is downloaded."""
    from promptkit.backends import from_spec

    if spec.startswith("openai:"):
        return from_spec(
            spec,
            mode=mode,
            concurrency=batch_size,
            base_url=access.base_urls,
            api_key_env=access.api_key_env,
            api_key_file=access.api_key_file,
        )
    with Downloads() as progress:
        return from_spec(
            spec,
            mode=mode,
            adapter=adapter,
            quantization=quantization,
            dtype=dtype,
            batch_size=batch_size,
            trust_remote_code=trust_remote_code,
            progress=progress,
        )
