"""Train a tiny LoRA adapter that sums up support dialogues in two sentences: SmolLM2-135M on a CPU, a few minutes.

    python examples/support_summaries/train_adapter.py adapters/support --steps 40

It learns from `evals/support-dialogues-train.jsonl`, 40 dialogues of 10 sorts, none of
which is among the 25 sorts of the dialogues whose summaries are judged.
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from promptkit import models
from promptkit.paths import packaged
from promptkit.templates import load

TEMPLATE = load(str(Path(__file__).with_name("summarise.j2")))


def examples(tokenizer: Any) -> list[tuple[list[int], int]]:
    """Token ids of prompt and summary, and how many of them are the prompt, for each dialogue."""
    found: list[tuple[list[int], int]] = []
    lines = (packaged("evals") / "support-dialogues-train.jsonl").read_text(encoding="utf-8").splitlines()
    for one in map(json.loads, lines):
        turns = [message.model_dump() for message in TEMPLATE.render(question=one["dialogue"]).messages]
        prompt = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        asked = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        answer = tokenizer(one["summary"], add_special_tokens=False)["input_ids"]
        found.append(([*asked, *answer, tokenizer.eos_token_id], len(asked)))
    return found


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the adapter goes")
    parser.add_argument("--steps", type=int, default=40, help="of 2 dialogues each")
    given = parser.parse_args()
    torch.manual_seed(0)
    rng = random.Random(0)
    folder = models.ensure("smollm2-135m")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    upper = list(range(20, 30))  # the lower 20 of its 30 layers stay as they are, which halves the time
    settings = LoraConfig(
        r=8,
        lora_alpha=16,
        target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
        layers_to_transform=upper,
        task_type="CAUSAL_LM",
    )
    model = get_peft_model(model, settings)
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=2e-3)
    data = examples(tokenizer)
    order: list[int] = []
    for step in range(1, given.steps + 1):
        loss = torch.tensor(0.0)
        for _ in range(2):
            order = order or rng.sample(range(len(data)), len(data))
            ids, asked = data[order.pop()]
            inputs = torch.tensor([ids])
            labels = torch.tensor([[-100] * asked + ids[asked:]])  # only the summary is learned
            loss = loss + model(input_ids=inputs, labels=labels).loss / 2
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 10 == 0:
            print(f"step {step}: loss {loss.item():.2f}", flush=True)
    model.save_pretrained(given.folder)


if __name__ == "__main__":
    main()
