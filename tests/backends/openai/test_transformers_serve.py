"""Against a real server with a real model: `transformers serve` with the small model, on this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.request import urlopen

import pytest

from promptkit import CoT, OpenAIBackend, Question, SelfConsistency, ZeroShot

QUESTION = Question(text="Tom has 3 apples and buys 4 more. How many apples does he have?")


@pytest.fixture(scope="module")
def served(smollm2: Path) -> Iterator[OpenAIBackend]:
    missing = [name for name in ("fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        pytest.skip(f"transformers serve needs {' and '.join(missing)}: pip install 'transformers[serving]'")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(smollm2)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            if server.poll() is not None:
                pytest.skip("transformers serve does not run here: it ended at once")
            try:
                urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        backend = OpenAIBackend(str(smollm2), base_url=f"http://127.0.0.1:{port}/v1", concurrency=2)
        yield backend
        backend.close()
    finally:
        server.terminate()
        server.wait()


def test_a_chat_completion(served: OpenAIBackend) -> None:
    first, second = (ZeroShot(max_tokens=12).run(QUESTION, backend=served) for _ in range(2))
    assert first.text.strip()
    assert first.text == second.text  # temperature 0 was sent as 0
    assert first.truncated
    assert first.usage.completion_tokens == 12
    assert first.usage.prompt_tokens > 10


def test_two_stages(served: OpenAIBackend) -> None:
    result = CoT(max_tokens=16).run(QUESTION, backend=served)
    assert [call.request.purpose for call in result.trace] == ["rationale", "answer"]
    assert result.rationale.strip()


def test_a_vote_of_three_samples(served: OpenAIBackend) -> None:
    """The server knows no `n` and gives one choice: the others are asked for one by one."""
    result = SelfConsistency(ZeroShot(max_tokens=12), n=3).run(QUESTION, backend=served)
    assert len(result.candidates) == 3
    assert result.usage.calls == 3
    assert result.usage.uncounted_calls == 0
