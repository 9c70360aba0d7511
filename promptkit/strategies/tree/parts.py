"""What the exchangeable parts of a tree of thoughts have in common: like strategies, they are frozen values."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, cast

from pydantic import (
    BeforeValidator,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from promptkit.errors import ConfigError
from promptkit.flow import Flow
from promptkit.strategies.base import Strategy
from promptkit.strategies.pool import Pool
from promptkit.strategies.values import Value
from promptkit.templates import Template
from promptkit.types import Kind

_REGISTRY: "dict[tuple[str, str], type[Part]]" = {}


class Part(Value):
    """Base of problems, generators, evaluators, checkers and search policies.

    An immutable value that compares and hashes. In files it is its name, or a mapping with its `name` and settings:
    `search: bfs`, `search: {name: bfs, width: 3}`.

    Raises:
        ConfigError: an argument makes no sense.
    """

    family: ClassVar[str] = ""
    """What it is a part as: "search", "evaluator", …"""
    tag: ClassVar[str] = ""
    """Its name in files, unique in its family."""
    asks_for: ClassVar[Kind | None] = None
    """The kind of answer that it asks the strategies inside it for, whatever the question's is."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.tag:
            known = _REGISTRY.setdefault((cls.family, cls.tag), cls)
            if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
                raise TypeError(f"two {cls.family} parts have the tag {cls.tag!r}")
            _REGISTRY[cls.family, cls.tag] = cls

    def strategies(self) -> list[Strategy]:
        """The strategies inside it."""
        values = [getattr(self, name) for name in type(self).model_fields]
        own = [value for value in values if isinstance(value, Strategy)]
        return own + [inner for value in values if isinstance(value, Part) for inner in value.strategies()]

    def prepare(self, pool: Pool) -> "Flow[Self]":
        """The same part with its strategies prepared, where they need a pool of worked questions.

        Raises:
            ConfigError: one needs a pool with another kind of answer than this one's.
        """
        changed: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, Strategy) and value.needs_pool() and self.asks_for not in (None, pool.kind):
                raise ConfigError(
                    f"{type(self).__name__} asks {type(value).__name__} for a {self.asks_for}, "
                    f"but the pool {pool.source} has demonstrations with a {pool.kind}",
                    hint="give it demonstrations of its own, or a strategy without",
                )
            if isinstance(value, Part) or (isinstance(value, Strategy) and value.needs_pool()):
                changed[name] = yield from value.prepare(pool)
        return type(self)(**({name: getattr(self, name) for name in self.model_fields_set} | changed))

    def templates(self) -> dict[str, str]:
        """The template files that it uses itself: name → hash of the source."""
        found: dict[str, str] = {}
        for value in (self.__pydantic_private__ or {}).values():
            several = cast("Mapping[str, object]", value).values() if isinstance(value, Mapping) else (value,)
            found |= {one.name: one.hash for one in several if isinstance(one, Template)}
        for name in type(self).model_fields:
            if isinstance(value := getattr(self, name), Part):
                found |= value.templates()
        return found

    @model_validator(mode="wrap")
    @classmethod
    def _by_name(cls, data: Any, handler: Callable[[Any], Self]) -> Self:
        if isinstance(data, str):
            data = {"name": data}
        if not isinstance(data, dict):
            return handler(data)
        fields = dict(cast("dict[str, Any]", data))
        if odd := [key for key in fields if not isinstance(cast(object, key), str)]:
            raise ValueError(f"keys must be names of fields, not {odd[0]!r}")
        if "name" not in fields:
            if not cls.tag:
                raise ValueError(f"say which {cls.family} it is: name: {' or '.join(names(cls.family))}")
            return handler(fields)
        wanted = named(cls.family, str(fields.pop("name")))
        if not issubclass(wanted, cls):
            raise ValueError(f"{wanted.tag!r} is no {cls.__name__}")
        return wanted(**fields) if wanted is not cls else handler(fields)

    @model_serializer(mode="wrap")
    def _with_name(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        fields = handler(self)
        if type(self).model_fields.keys() - fields.keys():
            # The field that holds it is annotated with a base class, whose fields alone pydantic would write.
            return type(self).__pydantic_serializer__.to_python(self, mode=info.mode, context=info.context)
        return {"name": self.tag, **fields}


def by_name(family: str) -> BeforeValidator:
    """For fields that hold a part of a family: its name stands for the part with its own settings."""

    def read(value: Any) -> Any:
        if isinstance(value, Strategy):
            raise ConfigError(
                f"a strategy ({type(value).__name__}) cannot be the {family} of a tree",
                hint=f"known: {', '.join(names(family))}; strategies can be evaluator or checker",
            )
        return named(family, value)() if isinstance(value, str) else value

    return BeforeValidator(read)


def names(family: str) -> list[str]:
    """The names of all parts of a family."""
    return sorted(tag for known, tag in _REGISTRY if known == family)


def named(family: str, tag: str) -> type[Part]:
    """The class of a part.

    Raises:
        ConfigError: there is none of this name.
    """
    if (family, tag) not in _REGISTRY:
        raise ConfigError(f"there is no {family} {tag!r}", hint=f"known: {', '.join(names(family))}")
    return _REGISTRY[family, tag]
