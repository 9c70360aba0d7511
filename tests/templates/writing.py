"""Short ways to render a template's text, and to write one into a folder."""

from pathlib import Path

import pytest

from promptkit.errors import TemplateError
from promptkit.templates import Template


def prompt(source: str, /, **variables: object) -> str:
    """The only message of a template."""
    (message,) = Template("test", source).render(**variables).messages
    return message.content


def refusal(source: str, /, **variables: object) -> str:
    """The message of the error that a template ends in."""
    with pytest.raises(TemplateError) as caught:
        Template("test", source).render(**variables)
    return str(caught.value)


def write(path: Path, source: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path
