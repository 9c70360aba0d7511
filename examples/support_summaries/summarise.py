"""Sum up the 50 support dialogues, with the base model or with an adapter, for `promptkit judge`.

python examples/support_summaries/summarise.py base.jsonl
python examples/support_summaries/summarise.py adapter.jsonl --adapter adapters/support
promptkit judge base.jsonl adapter.jsonl --rubric support-summary
"""

import argparse
import json
from pathlib import Path

from promptkit import HFBackend, Question, ZeroShot
from promptkit.paths import packaged

TEMPLATE = Path(__file__).with_name("summarise.j2")


def main() -> None:
    """Write one summary a line, with its dialogue and what is right."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, help="where the summaries go")
    parser.add_argument("--adapter", help="folder of a LoRA adapter")
    parser.add_argument("--model", default="smollm2-135m")
    given = parser.parse_args()
    lines = (packaged("evals") / "support-dialogues.jsonl").read_text(encoding="utf-8").splitlines()
    dialogues = [json.loads(line) for line in lines]
    writer = ZeroShot(template=str(TEMPLATE), extractor="whole", max_tokens=100, temperature=0)
    questions = [Question(text=one["dialogue"], kind="text", id=one["id"]) for one in dialogues]
    results = writer.run_many(questions, backend=HFBackend(given.model, adapter=given.adapter))
    with given.file.open("w", encoding="utf-8") as file:
        for one, result in zip(dialogues, results, strict=True):
            row = {"id": one["id"], "source": one["dialogue"], "output": result.text.strip()}
            file.write(json.dumps({**row, "references": one["references"]}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
