"""Tokens a second of `HFBackend` against what a user would pick instead: same model, prompts and settings, in turn.

    python -m benchmarks.generation [--model default] [--dtype NAME] [--questions 128] [--rounds 3] [--only NAME …]
        [--rivals static,single,tuned,continuous] [--lm-eval PYTHON] [--vllm PYTHON] [--batch-size N]
        [--switches [PART …]] [--output FILE]

Prints a Markdown table of medians and ratios for each workload, how many greedy texts equal those of static batches,
the memory each took, what the bare forward pass reaches with as many rows, and what the second stage of chain of
thought adds. Completion tokens are counted without padding, the end-of-text token included. `--output` keeps all laps
as JSON and draws the medians beside it as SVG.
"""

import argparse
import json
import statistics
import sys
from pathlib import Path

import torch

from benchmarks.generation.drawing import draw
from benchmarks.generation.measuring import SWITCHES, Lap, Watched, bare_rate, lap, watching, without
from benchmarks.generation.rivals import Continuous, Elsewhere, Rival, Static
from benchmarks.generation.workloads import Workload, two_stages, workloads
from promptkit import models
from promptkit.backends.hf import HFBackend


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="default")
    parser.add_argument("--dtype")
    parser.add_argument("--benchmark", default="multiarith-style")
    parser.add_argument("--questions", type=int, default=128)
    parser.add_argument("--max-tokens", type=int, default=300)
    parser.add_argument("--puzzles", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="workloads: greedy, samples, prefix, few-shot, tree, stages")
    parser.add_argument("--rivals", default="static", help="of this process: static, single, tuned, continuous")
    parser.add_argument("--lm-eval", help="a Python where lm-evaluation-harness is installed")
    parser.add_argument("--vllm", help="a Python where vLLM for CPUs is installed")
    parser.add_argument("--plain-weights", action="store_true", help="without packed weights, to see what they give")
    parser.add_argument("--batch-size", type=int, default=128, help="rows that promptkit decodes at once")
    parser.add_argument(
        "--switches", nargs="*", choices=SWITCHES[1:], help="these parts of the engine switched off, in turn; else all"
    )
    parser.add_argument("--output", type=Path)
    return parser.parse_args()


def opponents(options: argparse.Namespace, plain: HFBackend) -> list[Rival]:
    """The rivals asked for; the first is what ratios are taken against."""
    made = {
        "static": lambda: Static(plain, 32),
        "single": lambda: Static(plain, 1),
        "tuned": lambda: Static(plain, 128, by_length=True),
        "continuous": lambda: Continuous(plain),
    }
    rivals: list[Rival] = [made[name]() for name in options.rivals.split(",") if name]
    folder = str(models.local_path(plain.name) or options.model)
    for name, python in (("lm_eval", options.lm_eval), ("vllm", options.vllm)):
        if python:
            rivals.append(Elsewhere(plain, name, python, folder))
    return rivals


def compare(ours: HFBackend, rivals: list[Rival], workload: Workload, rounds: int) -> dict[str, list[Lap]]:
    """Run a workload with each in turn and print its table."""
    laps: dict[str, list[Lap]] = {name: [] for name in ["promptkit", *(rival.name for rival in rivals)]}
    watched = Watched()
    for _ in range(rounds):
        with watching(watched):
            laps["promptkit"].append(_told("promptkit", lap(ours, workload)))
        for rival in rivals:
            laps[rival.name].append(_told(rival.name, lap(rival, workload)))
    mine = laps["promptkit"]
    print(f"**{workload.title}**\n")
    print("| | tokens/s (min–max) | promptkit is faster by (min–max) | same texts | memory |")
    print("|---|---|---|---|---|")
    for name, these in laps.items():
        rates = [one.rate for one in these]
        ratios = [a.rate / b.rate for a, b in zip(mine, these, strict=True)]
        equal = sum(a == b for a, b in zip(mine[0].texts, these[0].texts, strict=False))
        same = f"{equal} of {len(mine[0].texts)}" if workload.greedy and name != "promptkit" else ""
        ratio = f"{_range(ratios, 2)}×" if name != "promptkit" else ""
        memory = "" if name in ("vLLM", "lm-evaluation-harness, HF backend") else f"{these[0].peak / 1e9:.2f} GB"
        print(f"| {name} | {_range(rates, 0)} | {ratio} | {same} | {memory} |")
    last = mine[-1]
    rows = round(watched.rows / max(watched.steps, 1))
    bare = bare_rate(ours, max(rows, 1), max(watched.positions // max(watched.steps, 1), 16))
    print(
        f"\n{rows} rows a step on average; the bare forward pass makes {bare:.0f} tokens/s of them, the decode steps "
        f"reached {watched.tokens / watched.seconds / bare:.0%} of that and the whole run {last.rate / bare:.0%}. "
        f"{last.reused / max(last.prompt_tokens, 1):.0%} of {last.prompt_tokens:,} prompt tokens were not computed.\n",
        flush=True,
    )
    return laps


def switched(ours: HFBackend, workload: Workload, rounds: int, parts: list[str]) -> None:
    """Print what each of these parts of the engine gives, by leaving it out."""
    rates: dict[str, list[float]] = {part: [] for part in [SWITCHES[0], *(parts or SWITCHES[1:])]}
    for _ in range(rounds):
        for part in rates:
            with without(part):
                rates[part].append(lap(ours, workload).rate)
    print(f"| {workload.title}, without | tokens/s (min–max) | of the whole |\n|---|---|---|")
    whole = statistics.median(rates["everything"])
    for part, these in rates.items():
        print(f"| {'(nothing left out)' if part == 'everything' else part} | {_range(these, 0)} "
              f"| {statistics.median(these) / whole:.0%} |")  # fmt: skip
    print(flush=True)


def _told(name: str, done: Lap) -> Lap:
    """Say on standard error how it went: all rounds together may take an hour."""
    print(f"{name}: {done.tokens} tokens in {done.seconds:.0f} s", file=sys.stderr, flush=True)
    return done


def _range(values: list[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def main() -> None:
    """Run all that was asked for."""
    options = arguments()
    packed = not options.plain_weights
    ours = HFBackend(options.model, dtype=options.dtype, pack_weights=packed, batch_size=options.batch_size)
    dtype = str(ours.model.dtype).removeprefix("torch.")
    plain = HFBackend(options.model, dtype=dtype, pack_weights=False)
    plain.model.set_attn_implementation("sdpa")
    print(f"{ours.name}, {dtype}, {torch.get_num_threads()} threads, torch {torch.__version__}, "
          f"{options.rounds} rounds, at most {options.max_tokens} new tokens\n")  # fmt: skip
    rivals = opponents(options, plain)
    kept: dict[str, dict[str, list[Lap]]] = {}
    for name, workload in workloads(options.benchmark, options.questions, options.max_tokens, options.puzzles).items():
        if not options.only or name in options.only:
            if options.switches is not None:
                switched(ours, workload, options.rounds, options.switches)
            else:
                kept[workload.title] = compare(ours, rivals, workload, options.rounds)
    if not options.only or "stages" in options.only:
        stages = two_stages(options.benchmark, options.questions)
        pairs = [(lap(ours, stages["first"]), lap(ours, stages["both"])) for _ in range(options.rounds)]
        shares = [both.seconds / first.seconds - 1 for first, both in pairs]
        print(
            f"The second stage of chain of thought takes {_range([100 * x for x in shares], 1)} % of the first's time."
        )
    for rival in rivals:
        rival.close()
    if options.output:
        whole = {title: {name: [vars(one) for one in these] for name, these in laps.items()}
                 for title, laps in kept.items()}  # fmt: skip
        options.output.write_text(json.dumps(whole), encoding="utf-8")
        draw(options.output.with_suffix(".svg"), [options.output])


if __name__ == "__main__":
    main()
