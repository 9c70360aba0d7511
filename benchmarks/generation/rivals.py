"""The same requests through other programs, each as a backend."""

import atexit
import json
import os
import signal
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import torch

from promptkit.backends.base import Answer, Backend
from promptkit.backends.hf import HFBackend
from promptkit.types import Completion, Request

HERE = Path(__file__).parent


class Rival(Backend):
    """Takes all that is pending at once (so a tree of thoughts goes level by level) and completes prompt by prompt,
    settings by settings.

    Args:
        of: gives tokenizer, chat format and, in this process, the model.
        name: shown in the table.
    """

    batch_size = 100_000

    def __init__(self, of: HFBackend, name: str) -> None:
        self.of = of
        self.name = name
        self.ends = sorted(of._ends)

    def generate(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """Complete them; what differs in settings or number of samples goes apart."""
        groups: dict[str, list[Request]] = {}
        for request in requests:
            groups.setdefault(request.group_key, []).append(request)
        found: dict[str, Completion] = {}
        alike = sorted(groups.values(), key=_settings)
        for _, several in groupby(alike, key=_settings):
            prompts = list(several)
            first = prompts[0][0]
            ids = [self.of.render(group[0])[1] for group in prompts]
            texts = self.complete(ids, len(prompts[0]), first)
            for group, tokens in zip(prompts, texts, strict=True):
                for request, row in zip(group, tokens, strict=True):
                    found[request.key] = self._completion(row)
        return [found[request.key] for request in requests]

    def complete(self, prompts: list[list[int]], samples: int, like: Request) -> list[list[list[int]]]:
        """For each prompt its samples, as the tokens generated; what follows the end of a text is cut off."""
        raise NotImplementedError

    def _completion(self, row: list[int]) -> Completion:
        end = next((place for place, token in enumerate(row) if token in self.of._ends), None)
        tokens = row if end is None else row[: end + 1]
        text = self.of.tokenizer.decode(tokens if end is None else tokens[:-1], skip_special_tokens=True)
        return Completion(text=text, completion_tokens=len(tokens))


class Static(Rival):
    """`model.generate` in left-padded batches, or one prompt at a time.

    Args:
        of: with plain weights, as a user would load them.
        rows: of a batch.
        by_length: whether prompts of like length share a batch, which a user who tunes would do.
    """

    def __init__(self, of: HFBackend, rows: int, by_length: bool = False) -> None:
        name = "one at a time" if rows == 1 else f"static batches of {rows}"
        super().__init__(of, name + (", by length" if by_length else ""))
        self.rows, self.by_length = rows, by_length

    def complete(self, prompts: list[list[int]], samples: int, like: Request) -> list[list[list[int]]]:
        """See `Rival`."""
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]) if self.by_length else i)
        size = max(1, self.rows // samples)
        found: dict[int, list[list[int]]] = {}
        for start in range(0, len(order), size):
            which = order[start : start + size]
            longest = max(len(prompts[i]) for i in which)
            ids = torch.tensor([[self.ends[0]] * (longest - len(prompts[i])) + prompts[i] for i in which])
            mask = torch.tensor([[0] * (longest - len(prompts[i])) + [1] * len(prompts[i]) for i in which])
            with torch.inference_mode():
                output = self.of.model.generate(
                    input_ids=ids, attention_mask=mask, num_return_sequences=samples, **self._options(like)
                )
            rows = output[:, longest:].tolist()
            found |= {i: rows[place * samples : (place + 1) * samples] for place, i in enumerate(which)}
        return [found[i] for i in range(len(prompts))]

    def _options(self, like: Request) -> dict[str, Any]:
        sampling = like.sampling
        options: dict[str, Any] = {
            "max_new_tokens": sampling.max_tokens or 512,
            "eos_token_id": self.ends,
            "pad_token_id": self.ends[0],
            "repetition_penalty": 1.0,
        }
        if sampling.stop:
            options |= {"stop_strings": list(sampling.stop), "tokenizer": self.of.tokenizer}
        if sampling.temperature:
            return options | {"do_sample": True, "temperature": sampling.temperature, "top_p": 1.0, "top_k": 0}
        return options | {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}


class Continuous(Static):
    """Continuous batching of transformers itself."""

    def __init__(self, of: HFBackend) -> None:
        super().__init__(of, 0)
        self.name = "transformers, continuous batching"

    def complete(self, prompts: list[list[int]], samples: int, like: Request) -> list[list[list[int]]]:
        """See `Rival`."""
        from transformers import GenerationConfig

        options = {name: value for name, value in self._options(like).items() if value is not None}
        inputs = [prompt for prompt in prompts for _ in range(samples)]
        output = self.of.model.generate_batch(inputs=inputs, generation_config=GenerationConfig(**options))
        rows = [output[key].generated_tokens for key in sorted(output, key=lambda key: int(key.rpartition("_")[2]))]
        return [rows[i * samples : (i + 1) * samples] for i in range(len(prompts))]


class Elsewhere(Rival):
    """A program in a Python of its own, which reads a line of JSON a batch and writes one.

    It is stopped while it is not asked: vLLM's processes look for work all the time, which takes cores from the others.

    Args:
        of: whose prompts and end tokens it uses.
        name: vllm or lm_eval, for the script beside this file.
        python: the interpreter where that program is installed.
        folder: the model, as a folder.
    """

    def __init__(self, of: HFBackend, name: str, python: str, folder: str) -> None:
        super().__init__(of, {"vllm": "vLLM", "lm_eval": "lm-evaluation-harness, HF backend"}[name])
        dtype = str(of.model.dtype).removeprefix("torch.")
        command = [python, str(HERE / f"elsewhere_{name}.py"), folder, dtype]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        atexit.register(self.close)  # a stopped process does not see that its input has ended
        self._read()

    def complete(self, prompts: list[list[int]], samples: int, like: Request) -> list[list[list[int]]]:
        """See `Rival`."""
        sampling = like.sampling
        asked = {
            "prompts": prompts,
            "texts": [self.of.tokenizer.decode(prompt) for prompt in prompts],
            "samples": samples,
            "max_tokens": sampling.max_tokens or 512,
            "temperature": sampling.temperature or 0.0,
            "stop": list(sampling.stop),
            "ends": self.ends,
        }
        assert self.process.stdin is not None
        os.killpg(self.process.pid, signal.SIGCONT)
        print(json.dumps(asked), file=self.process.stdin, flush=True)
        return self._read()

    def _read(self) -> Any:
        """The next line that is meant for us: such programs print much else."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("@@"):
                os.killpg(self.process.pid, signal.SIGSTOP)
                return json.loads(line[2:])
        raise SystemExit(f"{self.name} ended: {self.process.wait()}")

    def close(self) -> None:
        """End the process and those that it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _settings(group: Iterable[Request]) -> str:
    requests = list(group)
    return json.dumps([requests[0].sampling.model_dump(exclude={"seed"}), len(requests)], default=str)
