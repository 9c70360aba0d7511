"""YAML as people write it: strategy and demonstration files, with errors that name the line."""

from pathlib import Path
from typing import Any, cast

import yaml

from promptkit.errors import ConfigError


def read_yaml(path: str | Path, what: str) -> Any:
    """What a YAML file holds.

    Args:
        path: the file.
        what: it should be ("strategy file"), for errors.

    Raises:
        ConfigError: it cannot be read or is no YAML.
    """
    try:
        return yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the {what} {path}: {_reason(error)}", hint="check the path") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is no valid YAML: {yaml_problem(error)}", hint="correct that line") from error


def write_yaml(path: str | Path, data: Any, what: str, *, comment: str = "") -> None:
    """Write plain data; `comment` lines go first.

    Raises:
        ConfigError: the file cannot be written.
    """
    head = "".join(f"# {line}\n" for line in comment.splitlines())
    text: str = cast("Any", yaml).dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    try:
        Path(path).write_text(head + text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot write the {what} {path}: {_reason(error)}", hint="choose another place") from error


class _Loader(yaml.SafeLoader):
    """Plain data only. Merge keys are refused: a few lines of them could ask for gigabytes."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not read here; write the settings out", key.start_mark
                )


def yaml_problem(error: yaml.YAMLError) -> str:
    """What is wrong with a YAML text, and in which line."""
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}: " if mark else ""
    return where + (getattr(error, "problem", None) or " ".join(str(error).split()))


class _Dumper(yaml.SafeDumper):
    """Quotes texts with Unicode line breaks, which plain YAML scalars would turn into line feeds."""

    def represent_str(self, data: str) -> yaml.ScalarNode:
        style = '"' if any(character in data for character in "\x85\u2028\u2029\ufeff") else None
        return yaml.ScalarNode("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper.represent_str)


def _reason(error: Exception) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)
