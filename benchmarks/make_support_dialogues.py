"""Write the support dialogues of `evals/` from the scenarios in `support_dialogues.yaml`, byte for byte the same.

    python benchmarks/make_support_dialogues.py [FOLDER]

Each scenario is drawn as often as its part needs, its two endings in turn, with names and slots by seed 2026.
"""

import json
import random
import sys
from pathlib import Path
from typing import Any

import yaml

SCENARIOS = Path(__file__).with_name("support_dialogues.yaml")
EVALS = Path(__file__).parents[1] / "evals"
SEED = 2026
DRAWS = {"test": 2, "train": 4}
"""Dialogues of each scenario: 25 × 2 and 10 × 4."""
CUSTOMERS = [
    "Okafor",
    "Lindqvist",
    "Moreau",
    "Haddad",
    "Sato",
    "Novak",
    "Reyes",
    "Iyer",
    "Brandt",
    "Kowal",
    "Dunn",
    "Abe",
]
AGENTS = ["Lena", "Tariq", "Mina", "Owen", "Ines", "Paul", "Zora", "Felix", "Ruth", "Sami"]
GREETINGS = [
    "Good morning, this is {agent} of {shop}. How can I help?",
    "Hello, {agent} speaking, {shop}. What can I do?",
]
CLOSINGS = [("Thank you, that helps.", "You are welcome."), ("All right, thanks a lot.", "Have a good day."),
            ("Good, that is all I wanted to know.", "Then goodbye.")]  # fmt: skip


def dialogue(scenario: dict[str, Any], draw: int, rng: random.Random) -> dict[str, Any]:
    """One dialogue with what is true of it."""
    end = scenario["ends"][draw % 2]
    slots = {name: str(rng.choice(values)) for name, values in scenario["slots"].items()}
    slots |= {"agent": rng.choice(AGENTS), "shop": scenario["shop"]}
    customer = rng.choice(CUSTOMERS)
    thanks, bye = rng.choice(CLOSINGS)
    turns = [
        ("Agent", rng.choice(GREETINGS)),
        (customer, scenario["opening"]),
        ("Agent", scenario["ask"]),
        (customer, scenario["tell"]),
        ("Agent", end["say"]),
        (customer, thanks),
        ("Agent", bye),
    ]
    question, response = scenario["question"].format(**slots), end["response"].format(**slots)
    return {
        "id": f"{scenario['id']}-{draw + 1}",
        "dialogue": "\n".join(f"{who}: {said.format(**slots)}" for who, said in turns),
        "references": {"question": question, "response": response},
        "summary": f"The customer asked: {question.removesuffix('?')}. The agent answered: {response}",
    }


def parts() -> dict[str, list[dict[str, Any]]]:
    """The dialogues of both parts, each round through the scenarios in an order of its own."""
    scenarios: dict[str, list[dict[str, Any]]] = yaml.safe_load(SCENARIOS.read_text(encoding="utf-8"))
    made: dict[str, list[dict[str, Any]]] = {}
    for part, draws in DRAWS.items():
        rng = random.Random(f"{SEED} {part}")
        made[part] = []
        for draw in range(draws):
            order = rng.sample(scenarios[part], len(scenarios[part]))
            made[part] += [dialogue(scenario, draw, rng) for scenario in order]
    return made


def main() -> None:
    """Write both files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else EVALS
    for part, made in parts().items():
        name = "support-dialogues.jsonl" if part == "test" else "support-dialogues-train.jsonl"
        lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in made)
        (folder / name).write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
