"""vLLM as a child of `rivals.Elsewhere`; runs in a Python where vLLM for CPUs is installed, without promptkit."""

import json
import os
import sys

os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "4")
os.environ.setdefault("VLLM_CPU_NUM_OF_RESERVED_CPU", "0")  # by itself it leaves one core to its scheduler
os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("VLLM_LOGGING_STREAM", "ext://sys.stderr")  # standard output is for the answers


def main() -> None:
    """Load, say so, and answer line by line."""
    from vllm import LLM, SamplingParams

    folder, dtype = sys.argv[1:]
    engine = LLM(folder, dtype=dtype, max_model_len=4096, max_num_seqs=128, enable_prefix_caching=True)
    print("@@null", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        settings = SamplingParams(
            n=asked["samples"],
            max_tokens=asked["max_tokens"],
            temperature=asked["temperature"],
            stop=asked["stop"],
            stop_token_ids=asked["ends"],  # and no seed: with one, 0.32 fails ("CPU Generator does not use offset")
        )
        prompts = [{"prompt_token_ids": ids} for ids in asked["prompts"]]
        found = engine.generate(prompts, settings, use_tqdm=False)
        rows = [[list(sample.token_ids) for sample in output.outputs] for output in found]
        print("@@" + json.dumps(rows), flush=True)


if __name__ == "__main__":
    main()
