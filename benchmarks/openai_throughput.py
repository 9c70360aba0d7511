"""`OpenAIBackend` against a server with 200 ms latency, and against a limit of 50 requests a second.

    python benchmarks/openai_throughput.py [latency|limit] [--rounds N]

The stub server is a process of its own (this file with `serve`), so that what is measured is the client alone:
wall-clock time, processor time and peak memory of this process.
"""

import argparse
import asyncio
import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter, deque
from typing import ClassVar

LATENCY = 0.2
ROOM = 64
QUESTIONS = 500


class Stub(asyncio.Protocol):
    """Answers every POST after `LATENCY`, at most `ROOM` at once; the others queue. With a rate, 429 beyond it."""

    under_way = 0
    queue: ClassVar[deque["Stub"]] = deque()
    begun: ClassVar[deque[float]] = deque()
    counts: ClassVar[Counter[str]] = Counter()
    rate = 0
    retry_after = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, gap, body = self.received.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head.lower())
        if not gap or len(body) < int(found.group(1) if found else 0):
            return
        self.received = b""
        if head.startswith(b"GET"):
            self.write(200, json.dumps(Stub.counts))
        elif Stub.rate and self.too_many():
            Stub.counts["refused"] += 1
            self.write(429, '{"error": {"message": "more than the limit"}}', Stub.retry_after)
        else:
            Stub.counts["accepted"] += 1
            Stub.queue.append(self)
            Stub.admit()

    @staticmethod
    def too_many() -> bool:
        now = time.monotonic()
        while Stub.begun and Stub.begun[0] <= now - 1:
            Stub.begun.popleft()
        if len(Stub.begun) >= Stub.rate:
            return True
        Stub.begun.append(now)
        return False

    @staticmethod
    def admit() -> None:
        while Stub.queue and Stub.under_way < ROOM:
            Stub.under_way += 1
            asyncio.get_running_loop().call_later(LATENCY, Stub.queue.popleft().answer)

    def answer(self) -> None:
        Stub.under_way -= 1
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "So the answer is 4."},
        }
        usage = {"prompt_tokens": 40, "completion_tokens": 8, "total_tokens": 48}
        self.write(200, json.dumps({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage}))
        Stub.admit()

    def write(self, status: int, body: str, more: str = "") -> None:
        head = f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\n{more}content-length: {len(body)}\r\n\r\n"
        self.transport.write((head + body).encode())  # type: ignore[attr-defined]


async def serve(rate: int, retry_after: str) -> None:
    """Run the stub and print its port."""
    Stub.rate = rate
    Stub.retry_after = f"retry-after: {retry_after}\r\n" if retry_after else ""
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def measure(title: str, ideal: float, rate: int = 0, retry_after: str = "") -> None:
    """Put 500 two-stage questions to the stub and print what it took."""
    import urllib.request

    from promptkit import CoT, OpenAIBackend, Question

    arguments = [sys.executable, __file__, "serve", "--rate", str(rate), "--retry-after", retry_after]
    stub = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
    assert stub.stdout is not None
    port = int(stub.stdout.readline())
    try:
        backend = OpenAIBackend("stub", base_url=f"http://127.0.0.1:{port}/v1", concurrency=ROOM)
        questions = [Question(text=f"What is {number} + 2?") for number in range(QUESTIONS)]
        processor, began = time.process_time(), time.perf_counter()
        results = list(CoT().run_many(questions, backend=backend))
        seconds, processor = time.perf_counter() - began, time.process_time() - processor
        assert all(result.answer == "4" for result in results)
        counts = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/"))
    finally:
        stub.kill()
        stub.wait()
    calls = sum(result.usage.calls for result in results)
    refused = counts.get("refused", 0)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{title}: {calls} calls in {seconds:.2f} s, {calls / seconds / ideal:.1%} of {ideal:g}/s; "
        f"refused {refused / (calls + refused):.1%}; {processor / seconds:.2f} of a core; peak memory {memory:.0f} MB",
        flush=True,
    )


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", default="all", choices=["all", "latency", "limit", "serve"])
    parser.add_argument("--rate", type=int, default=0)
    parser.add_argument("--retry-after", default="")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    if options.what == "serve":
        asyncio.run(serve(options.rate, options.retry_after))
        return
    for _ in range(options.rounds):
        if options.what in ("all", "latency"):
            measure("200 ms, room for 64", ROOM / LATENCY)
        if options.what in ("all", "limit"):
            measure("50 requests/s, no Retry-After", 50, rate=50)
            measure("50 requests/s, Retry-After: 1", 50, rate=50, retry_after="1")


if __name__ == "__main__":
    main()
