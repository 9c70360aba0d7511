"""lm-evaluation-harness's HF backend as a child of `rivals.Elsewhere`; runs in a Python where that is installed."""

import json
import sys


def main() -> None:
    """Load, say so, and answer line by line."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    folder, dtype = sys.argv[1:]
    model = HFLM(pretrained=folder, dtype=dtype, device="cpu", batch_size=32, add_bos_token=False)
    print("@@null", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        ends = [model.tokenizer.decode([token]) for token in asked["ends"]]
        settings = {"until": [*asked["stop"], *ends], "max_gen_toks": asked["max_tokens"]}
        if asked["temperature"]:
            settings |= {"do_sample": True, "temperature": asked["temperature"]}
        instances = [
            Instance("generate_until", {}, (text, dict(settings)), place)
            for place, text in enumerate(text for text in asked["texts"] for _ in range(asked["samples"]))
        ]
        texts = model.generate_until(instances, disable_tqdm=True)
        # It gives texts, so the tokens are counted again; an end token that it cut off is put back.
        rows = [model.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        rows = [row if len(row) >= asked["max_tokens"] else [*row, asked["ends"][0]] for row in rows]
        samples = asked["samples"]
        whole = [rows[start : start + samples] for start in range(0, len(rows), samples)]
        print("@@" + json.dumps(whole), flush=True)


if __name__ == "__main__":
    main()
