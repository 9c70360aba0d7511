"""Values: frozen settings objects whose fields may be given by position, and whose mistakes are `ConfigError`s."""

import re
from typing import Any, Self, dataclass_transform, get_args

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from promptkit.errors import ConfigError


@dataclass_transform(field_specifiers=(Field, PrivateAttr))
class PositionalFields(type(BaseModel)):
    """Tells type checkers that fields may be given by position, which pydantic's own metaclass denies."""


class Value(BaseModel, metaclass=PositionalFields):
    """Base of strategies, selectors, parts of trees and judges: an immutable value that compares and hashes.

    Positional arguments are the fields in their order, without those that are `kw_only`.

    Raises:
        ConfigError: an argument makes no sense.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def __init__(self, *args: Any, **fields: Any) -> None:
        names = [name for name, field in type(self).model_fields.items() if not field.kw_only]
        if len(args) > len(names):
            raise ConfigError(
                f"{type(self).__name__} takes at most {len(names)} positional arguments: {', '.join(names)}"
            )
        for name, value in zip(names, args, strict=False):
            if name in fields:
                raise ConfigError(f"{type(self).__name__} got {name!r} twice")
            fields[name] = value
        try:
            super().__init__(**fields)
        except ValidationError as error:
            settings = (name for name, field in type(self).model_fields.items() if not field.exclude)
            hint = f"its settings are {', '.join(settings)}"
            raise ConfigError(f"{type(self).__name__}: {first_problem(error)}", hint=hint) from error

    def with_fields(self, **changed: Any) -> Self:
        """A copy with some fields changed, checked like a new one."""
        fields = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**(fields | changed))

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Pydantic would take `max_tokens: yes` for 1."""
        if isinstance(value, bool) and not _takes_truth_values(cls.model_fields[str(info.field_name)].annotation):
            raise ValueError(
                f"must not be {'true' if value else 'false'} (which is what yes, no, on and off mean, too)"
            )
        return value


def _takes_truth_values(annotation: Any) -> bool:
    return annotation in (bool, Any, object) or any(map(_takes_truth_values, get_args(annotation)))


def first_problem(error: ValidationError) -> str:
    """What is wrong with the first field that pydantic refused, in one line and in plain words."""
    problem = error.errors()[0]
    # Of a field that may hold several types, pydantic names the functions that it tried.
    where = ".".join(str(part) for part in problem["loc"] if not str(part).startswith("function-"))
    message = _PLAIN.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
    message = re.sub(r"^(Input should|[A-Z]\w+ should)\b", "must", message).replace(" after validation", "")
    return f"{where}: {message}" if where else message


_PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "there is no such setting",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "string_type": "must be a text",
    "model_type": "must be a mapping with its settings",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
}
"""Pydantic's kinds of errors that it words for programmers."""
