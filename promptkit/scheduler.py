"""The scheduler: runs many flows at once against one backend.

It holds what is pending of all questions, branches and strategies of a run. The backend pulls from it whenever it
has room, and each flow goes on as soon as its own completions are there: no lockstep, no timers, no event loop.
Everything happens in the caller's thread.
"""

import heapq
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, Generic, TypeVar, cast

from promptkit.backends.base import Answer, Backend, Group
from promptkit.budget import Meter
from promptkit.errors import BackendError, ConfigError, RefusalError
from promptkit.flow import Ask, Flow, Fork, check_new
from promptkit.types import Call, Completion, Request, Usage

T = TypeVar("T")
OnCall = Callable[[Request, Answer], None]


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """How one flow ended: with a value, or with the error that it did not catch."""

    index: int
    """Its place among the flows given to `run_flows`."""
    value: T | None
    error: Exception | None
    trace: tuple[Call, ...]
    """All its answered calls, in the order in which they were asked."""

    @property
    def usage(self) -> Usage:
        """What its calls cost."""
        completions = [call.completion for call in self.trace if call.completion]
        cached = [c for c in completions if c.cached]
        return Usage(
            calls=len(self.trace),
            prompt_tokens=sum(c.prompt_tokens for c in completions),
            completion_tokens=sum(c.completion_tokens for c in completions),
            cached_calls=len(cached),
            cached_completion_tokens=sum(c.completion_tokens for c in cached),
            cached_prompt_tokens=sum(c.prompt_tokens for c in cached),
            reused_prompt_tokens=sum(c.reused_prompt_tokens for c in completions),
            uncounted_calls=sum(not c.counted for c in completions),
        )


class _Task:
    """A flow under way: one of those given to `run_flows`, or a branch of a `Fork`."""

    def __init__(
        self, flow: Flow[Any], index: int, trace: list[Call | None], parent: "_Task | None", slot: int
    ) -> None:
        self.flow = flow
        self.index = index
        self.trace = trace
        self.parent = parent
        self.slot = slot
        self.children: list[_Task] = []
        self.results: list[Any] = []
        self.unfinished = 0
        self.waits_for: Request | None = None
        self.trace_slot = 0
        self.begun = False
        self.closed = False

    def answered(self, answer: Answer) -> None:
        """Write into the trace what came of the call that it waits for."""
        request = cast("Request", self.waits_for)
        completion, error = (answer, None) if isinstance(answer, Completion) else (None, str(answer))
        self.trace[self.trace_slot] = Call(request=request, completion=completion, error=error)
        self.waits_for = None


class _Scheduler(Generic[T]):
    def __init__(
        self, flows: Iterable[Flow[T] | None], window: int, seed: int | None, on_call: OnCall | None, meter: Meter
    ) -> None:
        self.flows = iter(flows)
        self.index = count()
        self.window = window
        self.seed = seed
        self.on_call = on_call
        self.meter = meter
        self.open: dict[_Task, None] = {}  # of the flows given to `run_flows`, those under way
        self.done: deque[Outcome[T]] = deque()
        self.ready: deque[tuple[_Task, Any]] = deque()
        # Groups wait in a heap: what older flows need comes first, so that they finish and free their place.
        self.heap: list[tuple[int, int, str]] = []
        self.order = count()
        self.pending: dict[str, dict[str, Request]] = {}  # group key -> request key -> not yet taken
        self.waiters: dict[str, list[_Task]] = {}  # request key -> who waits for it, pending or in flight

    def take(self, k: int) -> list[Group]:
        """Hand out at most `k` pending requests, in groups; see `backends.base.Take`."""
        groups: list[Group] = []
        self.advance()
        k = self.meter.room(k)
        while k > 0 and self.heap:
            group_key = self.heap[0][2]
            requests = self.pending[group_key]
            chosen = list(requests)[:k]
            if chosen:
                groups.append(Group(tuple(requests.pop(key) for key in chosen)))
                self.meter.took(len(chosen))
                k -= len(chosen)
            if not requests:
                heapq.heappop(self.heap)
                del self.pending[group_key]
        return groups

    def settle(self, request: Request, answer: Answer) -> None:
        """Give the answer to every flow that waits for this request."""
        if request.key not in self.waiters or request.key in self.pending.get(request.group_key, {}):
            raise BackendError(
                "the backend answered a request that it did not have", hint="this is a bug of the backend"
            )
        if not isinstance(cast(object, answer), Completion | BackendError):
            raise BackendError(
                f"the backend gave {type(answer).__name__} where a Completion or a BackendError belongs",
                hint="this is a bug of the backend",
            )
        if isinstance(answer, Completion) and not answer.id:
            answer = answer.model_copy(update={"id": request.key})
        self.meter.answered(answer)
        if self.on_call:
            self.on_call(request, answer)
        for place, task in enumerate(self.waiters.pop(request.key)):
            if place == 1 and isinstance(answer, Completion):
                answer = answer.model_copy(update={"cached": True})  # the others that asked the same pay nothing
            task.answered(answer)
            self.ready.append((task, _unless_refused(answer)))
        self.advance()

    def fail_all(self, error: BackendError) -> None:
        """Answer whatever is still waited for with an error."""
        self.heap.clear()
        self.pending.clear()
        for key in list(self.waiters):
            for task in self.waiters.pop(key):
                task.answered(error)
                self.ready.append((task, error))

    def stop(self, backend: Backend) -> None:
        """Ask nothing more: give flows what the backend has at hand, and close those that need anything else.

        A flow that is closed has no outcome.
        """
        if not backend.remembers:
            self.flows = iter(())
        while self.open:
            waiting = [request for group in self.pending.values() for request in group.values()]
            recalled = [(request, found) for request in waiting if (found := backend.recall(request)) is not None]
            for request, completion in recalled:
                del self.pending[request.group_key][request.key]
                self.meter.took(1)
                self.settle(request, completion)
            if not recalled:
                self.close(self.open, BackendError(self.meter.reason))
                self.open.clear()
                self.advance()

    def advance(self) -> None:
        """Run flows until every open one waits for the backend, admitting new ones while there is room."""
        while True:
            while self.ready:
                task, received = self.ready.popleft()
                if not task.closed:
                    self.step(task, received)
            # Outcomes not yet fetched count as well, so that flows that ask nothing are pulled lazily too.
            if len(self.open) + len(self.done) >= self.window or (flow := next(self.flows, None)) is None:
                return
            task = _Task(flow, next(self.index), [], None, 0)
            self.open[task] = None
            self.ready.append((task, None))

    def step(self, task: _Task, received: Any) -> None:
        """Send a value (or throw an exception) into a flow, once, and note what it wants next."""
        try:
            if not task.begun:
                check_new(task.flow)
                task.begun = True
            wanted = task.flow.throw(received) if isinstance(received, Exception) else task.flow.send(received)
        except StopIteration as stop:
            self.finish(task, value=stop.value)
        except Exception as error:
            self.finish(task, error=error)
        else:
            match wanted:
                case Ask(request):
                    self.enqueue(task, request)
                case Fork(flows):
                    self.fork(task, flows)
                case _:
                    self.ready.append((task, _not_a_step(wanted)))

    def fork(self, task: _Task, flows: tuple[Flow[Any], ...]) -> None:
        task.results = [None] * len(flows)
        task.unfinished = len(flows)
        task.children = [_Task(flow, task.index, task.trace, task, slot) for slot, flow in enumerate(flows)]
        self.ready.extend((child, None) for child in task.children)
        if not flows:
            self.ready.append((task, []))

    def enqueue(self, task: _Task, request: Request) -> None:
        sampling = request.sampling
        if sampling.temperature and sampling.seed is None and self.seed is not None:
            request = request.replace(sampling=sampling.model_copy(update={"seed": self.seed}))
        task.trace_slot = len(task.trace)
        task.trace.append(None)
        task.waits_for = request
        if request.key in self.waiters:
            self.waiters[request.key].append(task)
            return
        self.waiters[request.key] = [task]
        if request.group_key not in self.pending:
            self.pending[request.group_key] = {}
            heapq.heappush(self.heap, (task.index, next(self.order), request.group_key))
        self.pending[request.group_key][request.key] = request

    def finish(self, task: _Task, value: Any = None, error: Exception | None = None) -> None:
        task.closed = True
        parent = task.parent
        if parent is None:
            del self.open[task]
            self.done.append(Outcome(task.index, value, error, tuple(filter(None, task.trace))))
        elif error is not None:
            siblings, parent.children = parent.children, []
            self.close(siblings, error)
            self.ready.append((parent, error))
        else:
            parent.results[task.slot] = value
            parent.unfinished -= 1
            if parent.unfinished == 0:
                parent.children = []
                self.ready.append((parent, parent.results))

    def close(self, tasks: Iterable[_Task], reason: BaseException) -> None:
        """Close flows, branches before the flow that forked them; what they raise thereby is noted on `reason`.

        A request that only a closed flow waited for is withdrawn unless the backend has it already.
        """
        pending, order = list(tasks), list[_Task]()
        while pending:
            task = pending.pop()
            order.append(task)
            pending.extend(task.children)
        for task in reversed(order):
            if task.closed:
                continue
            task.closed = True
            if task.waits_for is not None:
                self.withdraw(task, task.waits_for.key)
            if task.begun:
                try:
                    task.flow.close()
                except Exception as error:
                    reason.add_note(f"while a branch was closed: {type(error).__name__}: {error}")

    def withdraw(self, task: _Task, key: str) -> None:
        self.waiters[key].remove(task)
        pending = self.pending.get(key.partition("/")[0], {})
        if not self.waiters[key] and key in pending:
            del pending[key], self.waiters[key]


def run_flows(
    flows: Iterable[Flow[T] | None],
    backend: Backend,
    window: int = 256,
    *,
    seed: int | None = None,
    on_call: OnCall | None = None,
    meter: Meter | None = None,
) -> Iterator[Outcome[T]]:
    """Run flows against a backend and yield each one's outcome as it finishes.

    Args:
        flows: the flows; pulled lazily, so a long iterable costs no memory. Older ones are served first. `None` among
            them says that the next one depends on outcomes to come: it is asked for again when one has been taken.
        backend: where their requests go. Requests equal but for their sample index reach it as one group, and
            requests equal in everything are asked once while one of them is pending or in flight.
        window: how many of the flows may be under way at a time.
        seed: put into every sampled request that has no seed of its own.
        on_call: told of every request that the backend has answered (each of them once).
        meter: says how much may still be asked. Flows that it leaves unfinished have no outcome.

    Raises:
        BackendError: what the backend raised (rather than answered): it ends the run.
    """
    if window < 1:
        raise ConfigError(f"window must be at least 1, not {window}")
    meter = meter or Meter()
    meter.in_flight, meter.running = 0, True
    scheduler = _Scheduler(flows, window, seed, on_call, meter)
    try:
        while True:
            scheduler.advance()
            if scheduler.done:
                yield from _drain(scheduler.done)
                continue
            if not scheduler.waiters:
                return
            progress = False
            for request, answer in backend.serve(scheduler.take):
                progress = True
                scheduler.settle(request, answer)
                yield from _drain(scheduler.done)
            if not progress and not scheduler.done and meter.reason and not meter.in_flight:
                scheduler.stop(backend)
            elif not progress and not scheduler.done:
                scheduler.fail_all(BackendError(f"{backend.name} gave no answer", hint="this is a bug of the backend"))
    except BaseException as error:
        scheduler.close(scheduler.open, error)
        raise
    finally:
        meter.running = False


def _unless_refused(answer: Answer) -> Answer:
    """What the flow gets: a refusal has been paid for and is kept as a completion, but it answers nothing."""
    if isinstance(answer, Completion) and answer.finish_reason == "content_filter":
        words = " ".join(answer.text.split())
        return RefusalError(f"the model declined{f': {words[:200]}' if words else ', or a content filter stopped it'}")
    return answer


def _drain(done: "deque[Outcome[T]]") -> Iterator[Outcome[T]]:
    while done:
        yield done.popleft()


def _not_a_step(wanted: object) -> TypeError:
    name = type(wanted).__name__
    said = "write `yield from`, not `yield`" if isinstance(wanted, Generator) else "use `ask` or `gather`"
    return TypeError(f"a flow may only yield what `ask` and `gather` yield, not {name}: {said}")
