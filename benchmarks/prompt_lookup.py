"""What speculative decoding by prompt lookup (Saxena, 2023) would save, counted on texts of a finished run.

    python -m benchmarks.prompt_lookup RUN_FOLDER … [--model NAME] [--draft 4] [--ngram 3]

At each step the last tokens are looked up in what came before; what followed there is the draft, and one step accepts
as much of it as the text has. Printed is the mean number of tokens a step makes, 1 without speculation. Whether that
pays depends on what a step costs with more positions: see docs/performance.md.
"""

import argparse
import statistics

from transformers import AutoTokenizer

from promptkit import models
from promptkit.evaluation import load_run


def steps_of(context: list[int], text: list[int], draft: int, ngram: int) -> int:
    """How many steps write `text` after `context`, if drafts of `draft` tokens are checked in one step each."""
    whole = context + text
    place, steps = len(context), 0
    while place < len(whole):
        place += 1 + accepted(whole, place, draft, ngram)
        steps += 1
    return steps


def accepted(whole: list[int], place: int, draft: int, ngram: int) -> int:
    """How many tokens of the draft at `place` are those that come."""
    for size in range(ngram, 0, -1):
        tail = whole[place - size : place]
        for start in range(place - size - 1, -1, -1):
            if whole[start : start + size] == tail:
                found = whole[start + size : min(start + size + draft, place)]
                coming = whole[place : place + len(found)]
                return next((i for i, (a, b) in enumerate(zip(found, coming, strict=False)) if a != b), len(coming))
    return 0


def main() -> None:
    """Count for each run, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--model", default=models.DEFAULT)
    parser.add_argument("--draft", type=int, default=4)
    parser.add_argument("--ngram", type=int, default=3)
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(models.local_path(options.model) or options.model)
    for folder in options.folders:
        gains: list[float] = []
        for sample in load_run(folder).samples:
            for call in sample.calls:
                if call.completion and call.completion.text:
                    prompt = "\n".join(message.content for message in call.request.messages)
                    context, text = (tokenizer.encode(part) for part in (prompt, call.completion.text))
                    gains.append(len(text) / steps_of(context, text, options.draft, options.ngram))
        print(f"{folder}: {statistics.mean(gains):.2f} tokens a step, {len(gains)} texts")


if __name__ == "__main__":
    main()
