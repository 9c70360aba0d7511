"""The Jinja environment that templates run in, and the role blocks that they may write.

Jinja's own sandbox guards attributes. On top of it, this one lists what may be called, and rewrites loops, lists,
`in` and `~` in the syntax tree so that they are paid for (`meter`).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from numbers import Rational
from types import BuiltinMethodType
from typing import Any, Literal, cast

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace, missing
from jinja2.visitor import NodeTransformer

from promptkit.templates import meter
from promptkit.templates.filters import FILTERS, GROWING_METHODS, METHODS, formatted
from promptkit.types import Message

Block = Literal["system", "user", "assistant", "completion"]

MAX_BITS = 4_096
"""Size of a whole number."""

# Names that no template can write, since they are no identifiers.
OPEN, CLOSE, COUNTED, CHARGED, READ, CONCAT = "+open", "+close", "+counted", "+charged", "+read", "+concat"


class RoleBlocks(Extension):
    """`{% system %}`, `{% user %}`, `{% assistant %}` and `{% completion %}`, each up to its `{% end… %}`.

    What a block holds goes straight into the meter's list of turns, not through marks in the output: no text that a
    variable holds can open or close a turn.
    """

    tags = {"system", "user", "assistant", "completion"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The tree of one block: a statement that opens it and a filter over its body that files the turn."""
        token = next(parser.stream)
        body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        block = nodes.Const(token.value)
        return [
            nodes.ExprStmt(_filter(block, OPEN), lineno=token.lineno),
            nodes.FilterBlock(body, nodes.Filter(None, CLOSE, [block], [], None, None), lineno=token.lineno),
        ]


@pass_context  # which also keeps Jinja from running it once and for all when the template is compiled
def _open_block(_: Context, block: Block) -> None:
    state = meter.current()
    if state.open_block:
        raise meter.RefusedError(
            f"a {{% {block} %}} block inside a {{% {state.open_block} %}} block", "put them one after the other"
        )
    state.open_block = block


def _close_block(body: str, block: Block) -> str:
    state = meter.current()
    state.open_block = None
    if block == "completion":
        if state.text is not None:
            raise meter.RefusedError("more than one {% completion %} block", "keep one, or choose with {% if … %}")
        state.text = body.rstrip("\n")
    elif content := body.strip():
        state.turns.append(Message(role=block, content=content))
        state.chat += len(content)
        if state.chat > meter.MAX_OUTPUT:
            raise meter.RefusedError(f"the prompt is longer than {meter.MAX_OUTPUT:,} characters")
    return ""


def has_role_blocks(tree: nodes.Template) -> bool:
    """Whether a parsed template writes turns itself."""
    return any(block.filter.name == CLOSE for block in tree.find_all(nodes.FilterBlock))


class Missing(StrictUndefined):
    """A variable that was not given: any use of it is an error."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        if self._undefined_hint or self._undefined_obj is not missing:
            return super()._undefined_message
        return f"the variable {self._undefined_name!r} was not given"


class Sources(BaseLoader):
    """Templates that were read before, by name: nothing is read while a prompt is rendered."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        """The source of one template, which is also known by its name in tracebacks."""
        if template not in self.sources:
            raise TemplateNotFound(template)
        return self.sources[template], template, lambda: True


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja for prompts: strict about missing variables, no HTML escaping, and nothing that can hurt.

    Args:
        sources: the templates that it can load and that these may include, by name.
    """

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(meter.concat)  # type: ignore[assignment]

    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__(
            loader=Sources(sources),
            extensions=[RoleBlocks],
            undefined=Missing,
            finalize=meter.printed,
            autoescape=False,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            auto_reload=False,
            cache_size=-1,
        )
        self.filters = {
            **FILTERS,
            OPEN: _open_block,
            CLOSE: _close_block,
            COUNTED: meter.counted,
            CHARGED: meter.charge,
            READ: meter.read,
            CONCAT: _concatenated,
        }
        self.globals = {"range": _range, "dict": dict, "namespace": Namespace, "cycler": Cycler, "joiner": Joiner}

    def make_globals(self, d: Any) -> Any:
        """What every template sees, as a plain dictionary: a chain of them is slow to read, and nothing is added."""
        return cast("Any", {**self.globals, **(d or {})})

    def join_path(self, template: str, parent: str) -> str:  # noqa: ARG002
        """The name of an included template; called once for each inclusion, which costs a step."""
        meter.step()
        return part_name(template)

    def is_safe_callable(self, obj: Any) -> bool:
        """Macros, loops, Jinja's own functions and the listed methods of plain values; nothing that a caller gave."""
        owner = getattr(obj, "__self__", None)
        if isinstance(obj, BuiltinMethodType):
            return any(isinstance(owner, kind) and obj.__name__ in names for kind, names in METHODS.items())
        return (
            isinstance(obj, (Undefined, Macro, LoopContext, Joiner, BlockReference))
            or isinstance(owner, (LoopContext, Cycler))
            or any(obj is function for function in _FUNCTIONS)
        )

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call something from a template, if it may be called, and pay for it."""
        meter.step()
        owner = getattr(__obj, "__self__", None)
        name = getattr(__obj, "__name__", type(__obj).__name__)
        if not __self.is_safe_callable(__obj):
            raise SecurityError(f"{name!r} may not be called in a template")
        if isinstance(__obj, LoopContext):
            args = tuple(map(meter.counted, args))
        elif isinstance(__obj, Macro) and (__obj.catch_varargs or __obj.catch_kwargs):
            meter.charge((args, [kwargs[key] for key in kwargs.keys() - _OF_JINJA]))
        elif isinstance(owner, str):
            meter.spend(len(owner))
            if grow := GROWING_METHODS.get(name):
                __obj = partial(grow, owner)
        return meter.charge(__context.call(__obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic that can grow: refused before the result is made."""
        if operator == "%" and isinstance(left, str):
            return meter.charge(formatted(left, right if isinstance(right, (tuple, dict)) else (right,)))
        if operator == "+" and isinstance(left, (str, list, tuple)) and isinstance(right, (str, list, tuple)):
            meter.spend(len(cast("str", left)) + len(cast("str", right)))
        elif operator == "*":
            _check_product(left, right)
        elif operator == "**":
            _check_power(left, right)
        return meter.charge(super().call_binop(context, operator, left, right))

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        metered = cast("nodes.Template", _Metering().visit(source))
        metered.set_environment(self)
        return super()._generate(metered, name, filename, defer_init)


def part_name(name: str) -> str:
    """The name of an included template, which may be written with or without `.j2`."""
    return name.removesuffix(".j2")


class _Metering(NodeTransformer):
    """Puts the meter into the syntax tree where Jinja has no hook: loops, literals, `in` and `~`."""

    def visit_For(self, node: nodes.For) -> nodes.Node:
        self.generic_visit(node)
        node.iter = _filter(node.iter, COUNTED)
        return node

    def visit_Operand(self, node: nodes.Operand) -> nodes.Node:
        self.generic_visit(node)
        if node.op in ("in", "notin"):
            node.expr = _filter(node.expr, READ)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), CONCAT)

    def visit_List(self, node: nodes.List) -> nodes.Node:
        self.generic_visit(node)
        return node if _constant(node.items) else _filter(node, CHARGED)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:
        self.generic_visit(node)
        return node if node.ctx != "load" or _constant(node.items) else _filter(node, CHARGED)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:
        self.generic_visit(node)
        return _filter(node, CHARGED)


def _filter(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)


def _constant(items: Iterable[nodes.Expr]) -> bool:
    return all(isinstance(item, nodes.Const) for item in items)


def _concatenated(values: list[object]) -> str:
    return meter.concat(map(meter.text, values))


def _range(*args: int) -> range:
    numbers = range(*args)
    if numbers[meter.MAX_RANGE :]:
        raise meter.RefusedError(f"range makes at most {meter.MAX_RANGE:,} numbers")
    return numbers


# Compiled templates add these to every call inside a loop or a block; `Context.call` takes them out again.
_OF_JINJA = {"_loop_vars", "_block_vars"}
_FUNCTIONS = (_range, dict, Namespace, Cycler, Joiner)


def _check_product(left: Any, right: Any) -> None:
    for sequence, times in ((left, right), (right, left)):
        if isinstance(sequence, (str, bytes, list, tuple)) and isinstance(times, int):
            meter.spend(len(cast("str", sequence)) * max(times, 0))
    if _bits(left) + _bits(right) > MAX_BITS:
        raise meter.RefusedError("a number grows too large")


_POWERS = (int, float, Undefined)  # the last fails by itself, and says what is missing


def _check_power(left: Any, right: Any) -> None:
    if not (isinstance(left, _POWERS) and isinstance(right, _POWERS)):
        raise meter.RefusedError("** takes numbers")
    if isinstance(left, int) and isinstance(right, int) and _bits(left) * abs(right) > MAX_BITS:
        raise meter.RefusedError("a number grows too large")


def _bits(value: Any) -> int:
    if not isinstance(value, Rational):
        return 0
    return int(value.numerator).bit_length() + int(value.denominator).bit_length()
