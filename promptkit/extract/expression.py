"""Arithmetic expressions in a text: found, put into one form, and worked out exactly. Nothing is ever executed."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from promptkit.extract.rules import Found, Reader, trim

LONGEST = 200
"""Characters of an expression; a longer one is a model stuck in a loop."""
_DEEPEST = 50
_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{0,12})?|\.[0-9]{1,12}")
_ALLOWED = re.compile(r"[0-9+\-*/(). ]+")
_SIGNS = str.maketrans({"×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/", "−": "-", "–": "-", "[": "(", "]": ")"})
_LATEX = re.compile(r"\\(times|cdot|div|left|right)(?![a-zA-Z])")
_LATEX_SIGN = {"times": "*", "cdot": "*", "div": "/", "left": "", "right": ""}
_TIMES = r"(?<=[0-9)\] ])[xX](?=[0-9(\[ ])"
_EQUATION = re.compile(rf"(?:[0-9.()\[\]+*/×÷·⋅∙−–\-= \t]|{_LATEX.pattern}|{_TIMES})+")
_LEAD = re.compile(r"(?:[ \t*/+)]|[-–] |\.(?![0-9]))*")
_ITEM_NUMBER = re.compile(r"[0-9]{1,3}[.)][ \t]+")
_HAND = re.compile(r"[0-9]+(?:(?:[ \t]*,[ \t]*(?:and[ \t]+)?|[ \t]+(?:and[ \t]+)?)[0-9]+)+")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
}


@dataclass(frozen=True)
class Expression:
    """What an arithmetic expression says."""

    text: str
    """In one form: spaces around operators, no needless parentheses."""
    numbers: tuple[Fraction, ...]
    """The numbers in it, from left to right."""
    value: Fraction | None
    """What it comes to, exactly; `None` where it divides by zero."""


def parse(text: str) -> Expression | None:
    """Read `+ - * /`, unary minus, parentheses, integers and decimals; × ÷ and their LaTeX names are known.

    Returns:
        The expression, or `None` where the text is none, is too long or is nested too deeply.
    """
    text = _LATEX.sub(lambda sign: _LATEX_SIGN[sign[1]], text[: LONGEST + 1]).translate(_SIGNS).strip()
    text = re.sub(_TIMES, "*", text)
    if len(text) > LONGEST or not _ALLOWED.fullmatch(text):
        return None
    try:
        tree = ast.parse(text, mode="eval").body
        numbers: list[Fraction] = []
        _read(tree, text, numbers, _DEEPEST)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    try:
        value = _work_out(tree)
    except ZeroDivisionError:
        value = None
    return Expression(ast.unparse(tree), tuple(numbers), value)


def _read(node: ast.expr, text: str, numbers: list[Fraction], depth: int) -> None:
    """Collect the numbers, written exactly as they stand, and refuse all that is no arithmetic."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS and depth:
            _read(left, text, numbers, depth - 1)
            _read(right, text, numbers, depth - 1)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if depth:
            _read(operand, text, numbers, depth - 1)
        case ast.Constant() if _NUMBER.fullmatch(written := text[node.col_offset : node.end_col_offset]):
            number = Fraction(written)
            node.value = int(number) if number.denominator == 1 else float(number)
            numbers.append(number)
        case _:
            raise ValueError("no arithmetic")


def _work_out(node: ast.expr) -> Fraction:
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_work_out(left), _work_out(right))
        case ast.UnaryOp(operand=operand):
            return -_work_out(operand)
        case ast.Constant(value=int() | float() as value):
            return Fraction(str(value))
        case _:
            raise ValueError("no arithmetic")


def hand(question: str) -> tuple[int, ...]:
    """The numbers that a question gives to be combined: its first row of two or more ("4 5 6 10", "4, 5, 6 and 10").

    Empty where there is no such row.
    """
    row = _HAND.search(question)
    return tuple(int(number) for number in re.findall(r"[0-9]{1,12}", row[0])) if row else ()


def solves(answer: str, question: str, target: str) -> bool:
    """Whether an expression uses each number of the question exactly once and comes to the target."""
    found, wanted = parse(answer), parse(target)
    if found is None or wanted is None or found.value is None:
        return False
    return found.value == wanted.value and sorted(found.numbers) == sorted(hand(question))


class ExpressionReader(Reader):
    """Expressions such as "(4 + 8) * (6 - 4)"; of an equation, the side with the most numbers."""

    nouns = r"answer|(?:final\ )?expression|solution"

    def canonical(self, value: str) -> str | None:
        """The expression in one form; a number alone is one too."""
        start, end = trim(value, 0, len(value))
        whole = _EQUATION.fullmatch(value, start, end)
        found = _widest(value, start, end, least=1) if whole else None
        return str(found.value) if found else None

    def values(self, text: str, start: int, end: int) -> list[Found]:
        """Every expression of two or more numbers, in order; an equation gives one."""
        runs = (_widest(text, *run.span(), least=2) for run in _EQUATION.finditer(text, start, end))
        return [found for found in runs if found]

    def marked(self, text: str, start: int, end: int) -> Found | None:
        """The expression, when there is nothing else but what it equals."""
        start, end = trim(text, start, end)
        return _widest(text, start, end, least=2) if _EQUATION.fullmatch(text, start, end) else None

    def last(self, text: str, start: int, end: int) -> Found | None:
        """Of the expressions with the most numbers the last one: the steps towards it have fewer."""
        values = self.values(text, start, end)
        return max(reversed(values), key=lambda found: _count(text[found.start : found.end]), default=None)


def _count(text: str) -> int:
    found = parse(text)
    return len(found.numbers) if found else 0


def _widest(text: str, start: int, end: int, least: int) -> Found | None:
    """The side of an equation that has the most numbers, and at least `least`; the first of several."""
    sides = [(len(side.numbers), side.text, span) for side, span in _sides(text, start, end)]
    count, value, span = max(sides, key=lambda side: side[0], default=(0, "", (0, 0)))
    return Found(value, *span) if count >= least else None


def _sides(text: str, start: int, end: int) -> Iterator[tuple[Expression, tuple[int, int]]]:
    for side in re.finditer(r"[^=]+", text[start:end]):
        span = _bare(text, start + side.start(), start + side.end())
        found = parse(text[slice(*span)])
        if not found and (item := _ITEM_NUMBER.match(text, *span)):
            span = _bare(text, item.end(), span[1])
            found = parse(text[slice(*span)])
        if found:
            yield found, span


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """Narrow a stretch by bullets, bold marks and parentheses that belong to the sentence around it."""
    start = cast("re.Match[str]", _LEAD.match(text, start, end)).end()
    while start < end and text[end - 1] in " \t*/+-–−.([":
        end -= 1
    if end - start > LONGEST:
        return start, end
    while start < end and (surplus := _surplus(text, start, end)):
        if surplus > 0 and text[start] in "([":
            start += 1
        elif surplus < 0 and text[end - 1] in ")]":
            end -= 1
        else:
            break
    return start, end


def _surplus(text: str, start: int, end: int) -> int:
    """How many more brackets are opened than closed."""
    part = text[start:end]
    return sum(map(part.count, "([")) - sum(map(part.count, ")]"))
