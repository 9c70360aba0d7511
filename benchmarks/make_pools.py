"""Writes `evals/pools/*.jsonl`: questions that Auto-CoT may take demonstrations from, one file a kind of answer.

    python benchmarks/make_pools.py [--out evals/pools]

Every wording is written by hand, names and numbers are drawn with a fixed seed, and every answer is computed. The files
come out byte for byte the same each time.
"""

import argparse
import json
from collections.abc import Callable
from datetime import date, timedelta
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

SEED = 2026
COUNT = 60
NAMES = (
    *("Ines", "Tomas", "Leila", "Oskar", "Farid", "Greta", "Hiro", "Amara", "Pavel", "Suri", "Jonas", "Zuri"),
    *("Mateo", "Nadia", "Emil", "Rosa", "Viggo", "Aiko", "Carlos", "Dilara"),
)
Row = dict[str, Any]
Maker = Callable[[Random], Row]


# --- yes or no -------------------------------------------------------------------------------------------------------


def switched(random: Random) -> Row:
    """Something with two states that some people change and others do not."""
    thing, change, leave, state = random.choice(
        [
            (
                "The porch light is on.",
                "presses the switch once",
                "walks past the switch",
                "Is the porch light on now?",
            ),
            ("A card lies face up.", "turns the card over", "does not touch the card", "Does the card lie face up?"),
            (
                "The garden gate is shut.",
                "opens it if it is shut and shuts it if it is open",
                "climbs over it",
                "Is it shut?",
            ),
        ]
    )
    people = random.sample(NAMES, random.randint(2, 4))
    changes = [random.random() < 0.6 for _ in people]
    acts = [f"{name} {change if changed else leave}." for name, changed in zip(people, changes, strict=True)]
    return {"question": " ".join([thing, *acts, state]), "answer": _yesno(sum(changes) % 2 == 0)}


def compared(random: Random) -> Row:
    """A product against a number."""
    many, each = random.randint(3, 19), random.randint(4, 25)
    limit = many * each + random.choice([-1, 1]) * random.randint(1, 9)
    said = random.choice(
        [
            f"Is the total more than {limit} if each of {many} shelves holds {each} jars?",
            f"A van makes {many} trips with {each} parcels a trip. Does it carry over {limit} parcels?",
            f"Do {many} classes of {each} pupils have more than {limit} pupils together?",
        ]
    )
    return {"question": said, "answer": _yesno(many * each > limit)}


def in_time(random: Random) -> Row:
    """A span of time against a deadline."""
    start, minutes = random.randint(8, 18), random.randint(25, 170)
    due = start * 60 + minutes + random.choice([-1, 1]) * random.randint(3, 20)
    clock = f"{due // 60}:{due % 60:02}"
    said = random.choice(
        [
            f"A train leaves at {start}:00 and takes {minutes} minutes. Has it arrived by {clock}?",
            f"The oven is set at {start}:00 for {minutes} minutes. Is the bread done at {clock}?",
        ]
    )
    return {"question": said, "answer": _yesno(start * 60 + minutes <= due)}


def divided(random: Random) -> Row:
    """Whether something can be shared without a rest."""
    people, things = random.randint(3, 9), random.randint(20, 99)
    said = random.choice(
        [
            f"Can {things} marbles be dealt to {people} children so that all get the same number and none is left?",
            f"Will rows of {people} chairs use up exactly {things} chairs?",
        ]
    )
    return {"question": said, "answer": _yesno(things % people == 0)}


def _yesno(true: bool) -> str:
    return "yes" if true else "no"


# --- multiple choice -------------------------------------------------------------------------------------------------


def swapped(random: Random) -> Row:
    """Three people who swap what they hold."""
    things = random.choice([("drum", "flute", "violin"), ("map", "torch", "rope"), ("plum", "pear", "fig")])
    people = random.sample(NAMES, 3)
    holds = dict(zip(people, things, strict=True))
    told = [f"{name} starts with the {thing}" for name, thing in holds.items()]
    swaps: list[str] = []
    for _ in range(random.randint(2, 3)):
        one, other = random.sample(people, 2)
        holds[one], holds[other] = holds[other], holds[one]
        swaps.append(f"{one} and {other} trade")
    asked = random.choice(people)
    question = f"{', '.join(told)}. First {', then '.join(swaps)}. What is in {asked}'s hands afterward?"
    return _options(random, question, f"the {holds[asked]}", [f"the {thing}" for thing in things])


def cheapest(random: Random) -> Row:
    """Which pack costs least a piece; the prices a piece all differ."""
    prices = random.sample(range(3, 15), 4)
    sizes = random.sample((4, 5, 6, 8, 10, 12), 4)
    packs = [f"{size} for ${price * size / 10:.2f}" for price, size in zip(prices, sizes, strict=True)]
    thing = random.choice(("batteries", "light bulbs", "notebooks", "candles"))
    name = random.choice(NAMES)
    said = random.choice(
        [
            f"{name} compares packs of {thing}. Which of them costs least a piece?",
            f"Which offer should {name} take to pay the least for each of the {thing}?",
        ]
    )
    return _options(random, said, packs[prices.index(min(prices))], packs)


def weekday(random: Random) -> Row:
    """The day of the week some days on."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    today, later = random.randrange(7), random.randint(9, 60)
    right = days[(today + later) % 7]
    others = random.sample([day for day in days if day != right], 4)
    said = random.choice(
        [
            f"If today is {days[today]}, which day is it in {later} days?",
            f"A parcel sent on a {days[today]} is {later} days on its way. On which day does it come?",
        ]
    )
    return _options(random, said, right, [right, *others])


def continued(random: Random) -> Row:
    """The next number of a row."""
    start, step, factor = random.randint(2, 9), random.randint(3, 12), random.randint(2, 3)
    if random.random() < 0.5:
        row = [start + step * place for place in range(5)]
    else:
        row = [start * factor**place for place in range(5)]
    wrong = {row[-1] + step + 1, row[-1] + 1, row[-1] * 2 + 1, row[-1] + row[0] + 2} - {row[-1]}
    shown = ", ".join(map(str, row[:-1]))
    said = random.choice([f"Which number goes on with {shown}?", f"{shown}: what comes next in this row?"])
    return _options(random, said, str(row[-1]), [str(row[-1]), *map(str, sorted(wrong)[:4])])


def _options(random: Random, question: str, right: str, options: list[str]) -> Row:
    shuffled = random.sample(options, len(options))
    return {"question": question, "choices": shuffled, "answer": "ABCDE"[shuffled.index(right)]}


# --- dates -----------------------------------------------------------------------------------------------------------


def counted(random: Random) -> Row:
    """Some days before or after a date."""
    day, days = _day(random), random.randint(5, 45)
    before = random.random() < 0.5
    said = random.choice(
        [
            f"Which date lies {days} days {'before' if before else 'after'} {_long(day)}?",
            f"The festival is on {_long(day)}. What date is it {days} days {'earlier' if before else 'later'}?",
        ]
    )
    return _date(said, day - timedelta(days) if before else day + timedelta(days))


def weeks(random: Random) -> Row:
    """Some weeks from a date."""
    day, many = _day(random), random.randint(2, 9)
    said = random.choice(
        [
            f"Seeds were sown on {_long(day)} and sprouted exactly {many} weeks later. When did they sprout?",
            f"A cast comes off {many} weeks after {_long(day)}. On what date is that?",
        ]
    )
    return _date(said, day + timedelta(weeks=many))


def neighbor(random: Random) -> Row:
    """Yesterday, tomorrow and the day after, near the end of a month."""
    last = _day(random).replace(day=1) - timedelta(random.randint(1, 2))
    words, days = random.choice(
        [("the day after tomorrow", 2), ("tomorrow", 1), ("three days from now", 3), ("the day before yesterday", -2)]
    )
    said = random.choice(
        [f"It is {_long(last)}. What date is {words}?", f"Today's paper says {_long(last)}. Which date is {words}?"]
    )
    return _date(said, last + timedelta(days))


def ordinal(random: Random) -> Row:
    """A day of the year by its number."""
    year, number = random.randint(1990, 2030), random.randint(32, 360)
    said = random.choice(
        [
            f"What is the date of day number {number} of the year {year}?",
            f"Day 1 of {year} is New Year's Day. Which date is day {number}?",
        ]
    )
    return _date(said, date(year, 1, 1) + timedelta(number - 1))


def _day(random: Random) -> date:
    return date(1990, 1, 1) + timedelta(random.randrange(14_000))


def _long(day: date) -> str:
    return f"{day:%B} {day.day}, {day.year}"


def _date(question: str, answer: date) -> Row:
    return {"question": f"{question} Write it as MM/DD/YYYY.", "answer": f"{answer:%m/%d/%Y}"}


# --- letters of words ------------------------------------------------------------------------------------------------

WORDS = (
    *("anchor", "blanket", "candle", "dolphin", "engine", "falcon", "guitar", "hammer", "island", "jacket", "kettle"),
    *("lemon", "mirror", "needle", "orange", "pencil", "quartz", "ribbon", "saddle", "tunnel", "velvet", "walnut"),
    *("yogurt", "zipper", "bridge", "copper", "garden", "planet", "rocket", "silver", "timber", "marble"),
)


def ends(random: Random) -> Row:
    """The last letters of some words."""
    words = random.sample(WORDS, random.randint(2, 4))
    said = random.choice(
        [
            f"Write down only the final letter of {_listed(words)}, in this order. What stands there?",
            f"What do you get from {_listed(words)} when all letters but each word's last are rubbed out?",
        ]
    )
    return {"question": said, "answer": "".join(word[-1] for word in words)}


def starts(random: Random) -> Row:
    """The first letters of some words."""
    words = random.sample(WORDS, random.randint(3, 5))
    said = random.choice(
        [
            f"Which abbreviation do the initials of {_listed(words)} make?",
            f"String together the letter that each of {_listed(words)} begins with.",
        ]
    )
    return {"question": said, "answer": "".join(word[0] for word in words)}


def reversed_(random: Random) -> Row:
    """A word from its end to its start."""
    word = random.choice(WORDS)
    said = random.choice(
        [
            f'Spell "{word}" from its end to its start.',
            f'What does "{word}" look like in a mirror, letter by letter from the right?',
        ]
    )
    return {"question": said, "answer": word[::-1]}


def without(random: Random) -> Row:
    """A word without its vowels."""
    word = random.choice(WORDS)
    said = random.choice(
        [
            f'Strike every a, e, i, o and u from "{word}". What is left?',
            f'Which letters remain of "{word}" without its vowels (a, e, i, o, u)?',
        ]
    )
    return {"question": said, "answer": "".join(letter for letter in word if letter not in "aeiou")}


def _listed(words: list[str]) -> str:
    quoted = [f'"{word}"' for word in words]
    return f"{', '.join(quoted[:-1])} and {quoted[-1]}"


POOLS: dict[str, tuple[Maker, ...]] = {
    "yesno": (switched, compared, in_time, divided),
    "choice": (swapped, cheapest, weekday, continued),
    "date": (counted, weeks, neighbor, ordinal),
    "text": (ends, starts, reversed_, without),
}


def pool(kind: str) -> list[Row]:
    """The questions of one kind: all makers in turn, no question twice, and as often yes as no."""
    random = Random(f"{SEED} {kind}")
    rows: list[Row] = []
    for maker in cycle(POOLS[kind]):
        while True:
            row = maker(random) | {"template": maker.__name__.strip("_")}
            wanted = kind != "yesno" or row["answer"] == ("yes", "no")[(len(rows) + len(rows) // len(POOLS[kind])) % 2]
            if wanted and row["question"] not in {made["question"] for made in rows}:
                break
        rows.append(row)
        if len(rows) == COUNT:
            return rows
    raise AssertionError("cycle() has no end")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "evals" / "pools")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for kind in POOLS:
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in pool(kind)]
        (out / f"{kind}.jsonl").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
