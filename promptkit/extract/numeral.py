"""Numbers written in digits, found and read exactly: integers, decimals, fractions, thousands, powers, LaTeX.

The value of "50%" is 50 and of "18 dollars" 18: units belong neither to the value nor to its span. Scale words do
("2 million"), and so does a sign. Dates, times, versions and exponents are no numbers. A comma is a decimal one only
where nothing else can be meant: "1.234,50", "€3,50".
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

MAX_DIGITS = 100
"""A number with more digits than this is a model stuck in a loop, not an answer."""
SCALES = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
CURRENCY = "$€£¥₹"
MINUS = "-−–"

_VULGAR = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5",
    "⅘": "4/5", "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_COMMA = r"(?:,|\{,\}|,?\\[,!]|[\u00a0\u2009\u202f]|[ ](?=000))"
_WHOLE = rf"(?:[1-9][0-9]{{0,2}}(?:{_COMMA}[0-9]{{3}})++(?!{_COMMA}?[0-9])|[0-9]++)"
_DECIMAL = rf"(?:{_WHOLE}(?:\.[0-9]++)?+|(?<!\.)\.[0-9]++)"
_EURO = (
    r"(?:[1-9][0-9]{0,2}(?:\.[0-9]{3})++,[0-9]{1,2}|€\s?+[0-9]++,[0-9]{2}|[0-9]++,[0-9]{2}\s?+(?:€|EUR\b|euros?\b))"
    r"(?!,?[0-9])"
)
"""A decimal comma: after a dot for thousands, or beside the sign of the euro."""
_POWER = r"(?:\^\{?|\*\*)(?P<NAME>[-−]?[0-9]{1,3})\}?+(?![0-9])"
_NUMERAL = re.compile(
    rf"""(?ix)
    (?: (?<![\w^]) (?<!\^\{{) | (?<=\\times) | (?<=\\cdot) | (?<=\\div) )
    (?: (?P<other>
            [0-9]{{1,4}} / [0-9]{{1,2}} / [0-9]{{1,4}} (?![0-9])                                 # dates
          | [0-9]{{4}} - [0-9]{{2}} - [0-9]{{2}} (?![0-9]) | [0-9]{{1,2}} - [0-9]{{1,2}} - [0-9]{{4}} (?![0-9])
          | [0-9]++ (?: : [0-9]++ )++                                                            # times, ratios
          | (?! {_EURO} ) [0-9]++ (?: \. [0-9]++ ){{2,}}+ )                                       # versions
      | 10{_POWER.replace("NAME", "ten_to")}
      | (?: (?P<mixed> [0-9]{{1,18}} )
            (?: \ (?:and\ )? (?= [0-9]{{1,18}}/[0-9]{{1,18}} (?![0-9/]) )
              | \ ? (?= \\[dt]?frac | [{"".join(_VULGAR)}] ) ) )?
        (?: (?P<vulgar> [{"".join(_VULGAR)}] )
          | \\[dt]?frac (?: \{{ (?P<top> {_DECIMAL} ) \}} \{{ (?P<under> {_DECIMAL} ) \}}
                        | (?P<one> [0-9]) (?P<two> [0-9]) )
          | (?P<number> {_EURO} | {_DECIMAL} )
            (?: / (?P<divisor> {_DECIMAL} )
              | e (?P<exponent> [-+]?[0-9]{{1,3}} ) (?! \w | \.[0-9] )
              | \s?+ (?: [×x*] | \\times | \\cdot ) \s?+ 10{_POWER.replace("NAME", "times_ten_to")}
              | \ (?P<scale> {"|".join(SCALES)} ) \b
            )?+
        )
    ) (?! \s?\^ | \*\*[0-9] | [⁰¹²³⁴-⁹] )"""
)


class Number(NamedTuple):
    """A number and where it stands in the text."""

    value: Fraction
    start: int
    end: int


def numerals(text: str, start: int, end: int) -> Iterator[Number]:
    """The numbers in digits that stand in `text[start:end]`, in order."""
    for match in _NUMERAL.finditer(text, start, end):
        value = None if match["other"] else _value(match)
        if value is not None:
            sign = _sign(text, match.start(), start)
            yield Number(value if sign is None else -value, match.start() if sign is None else sign, match.end())


def canonical_number(value: Fraction) -> str | None:
    """An exact decimal without trailing zeros, or "p/q" in lowest terms; `None` above `MAX_DIGITS` digits."""
    if value.denominator == 1 and abs(value.numerator) < 10**18:
        return str(value.numerator)
    limit = 10**MAX_DIGITS
    if abs(value.numerator) >= limit or value.denominator >= limit:
        return None
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest, count = rest // prime, count + 1
        places = max(places, count)
    if rest != 1:
        form = str(value)
    else:
        digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
        form = ("-" if value < 0 else "") + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
    return form if sum(map(str.isdigit, form)) <= MAX_DIGITS else None


def _value(match: re.Match[str]) -> Fraction | None:
    if len(match[0]) > MAX_DIGITS and sum("0" <= char <= "9" for char in match[0]) > MAX_DIGITS:
        return None
    if match[0].isdecimal():
        return Fraction(int(match[0]))
    if match["ten_to"]:
        return _ten_to(match["ten_to"])
    if match["vulgar"]:
        value = Fraction(_VULGAR[match["vulgar"]])
    else:
        value = _exact(match["number"] or match["top"] or match["one"])
        divisor = _exact(match["divisor"] or match["under"] or match["two"] or "1")
        if not divisor:
            return None
        value = value / divisor * SCALES.get((match["scale"] or "").lower(), 1)
        value *= _ten_to(match["exponent"] or match["times_ten_to"] or "0")
    return value + int(match["mixed"] or "0")


def _exact(digits: str) -> Fraction:
    if re.search(r",[0-9]{1,2}(?![0-9])", digits):
        digits = digits.replace(".", "").replace(",", ".")
    return Fraction(re.sub(r"[^0-9.]", "", digits))


def _ten_to(power: str) -> Fraction:
    return Fraction(10) ** int(power.replace("−", "-"))


def _sign(text: str, at: int, floor: int) -> int | None:
    """Where the minus sign of the number at `at` stands; a dash between operands or in a list is none."""
    if at - 1 > floor and text[at - 1] in CURRENCY:
        at -= 1 + (text[at - 2] == "\\")
    spaced = at - 1 > floor and text[at - 1] == " "
    at -= 1 + spaced
    if at < floor or text[at] not in MINUS:
        return None
    before = text[max(at - 12, 0) : at]
    operand = before.rstrip(" \t")[-1:]
    if spaced:
        return at if operand in ("=", "(", "{") and operand else None
    if (
        before[-1:].isalnum()
        or before[-1:] in ("_", "^", *MINUS)
        or operand.isdigit()
        or operand in (")", "]", "}", "%")
    ):
        return None
    return at
