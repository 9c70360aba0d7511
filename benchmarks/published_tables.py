"""Published outputs read again: do the published figures come out, and where does promptkit's own reading differ?

    python -m benchmarks.published_tables addsub_zero_shot.log example_model_solutions.jsonl [--show]

Takes logs of Kojima et al. (2022) and labelled solutions of GSM8K (Cobbe et al., 2021) as their authors published them.
"""

import argparse
from pathlib import Path

from benchmarks.recordings import Recording, Solution, parse, solutions


def main() -> None:
    """Print a line a file, and with --show every text on which the readings differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, help="logs (.log) and labelled solutions (.jsonl)")
    parser.add_argument("--show", action="store_true", help="show each text that is judged otherwise")
    given = parser.parse_args()
    for path in given.files:
        content = path.read_text(encoding="utf-8")
        if path.suffix == ".jsonl":
            labels(path.name, list(solutions(content.split("\n"))), given.show)
        else:
            accuracies(path.name, parse(content), given.show)


def accuracies(name: str, recording: Recording, show: bool) -> None:
    """The accuracy that was published, by the published reading, and by promptkit's own."""
    blocks = recording.blocks
    published = [recording.published(block) == block.gold for block in blocks]
    ours = [recording.right(block) for block in blocks]
    alike = sum(recording.published(block) == block.pred_after for block in blocks)
    differ = [place for place, block in enumerate(blocks) if ours[place] != block.correct]
    print(
        f"{name}: {len(blocks)} questions, published {recording.accuracy:.2f} %, "
        f"by its reading {100 * sum(published) / len(blocks):.2f} % ({alike} predictions the same), "
        f"by ours {100 * sum(ours) / len(blocks):.2f} % ({len(differ)} verdicts differ)"
    )
    for place in differ if show else ():
        block = blocks[place]
        readings = f"{block.pred_after!r}, ours {recording.ours(block)!r}, gold {block.gold!r}"
        print(f"  {place}: {block.pred_before!r}: {readings}")


def labels(name: str, given: list[Solution], show: bool) -> None:
    """How many of the authors' labels come out."""
    published = [one for one in given if one.published() != one.correct]
    ours = [one for one in given if one.right() != one.correct]
    agree = [len(given) - len(others) for others in (published, ours)]
    print(f"{name}: {len(given)} solutions, {agree[0]} labels by the published rule, {agree[1]} by ours (by value)")
    for one in ours if show else ():
        print(f"  {one.model}: {one.text[-60:]!r}: {one.correct}, gold {one.gold[-20:]!r}")


if __name__ == "__main__":
    main()
