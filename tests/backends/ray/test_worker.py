"""The worker alone: a backend in a thread, fed and emptied from outside."""

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from promptkit import FakeBackend, __version__
from promptkit.backends.base import Answer, Backend, Group, Take
from promptkit.backends.ray.worker import About, News, Worker
from promptkit.errors import AuthError, BackendError, ModelError
from promptkit.types import Completion, Request
from tests.scripted import echo, prompt


def started(backend: Backend) -> Worker:
    worker = Worker()
    assert isinstance(worker.start(lambda: backend, "."), About)
    return worker


def group(*texts: str) -> list[Group]:
    return [Group((prompt(text),)) for text in texts]


def answers(worker: Worker, count: int) -> dict[str, Answer]:
    found: dict[str, Answer] = {}
    while len(found) < count:
        found |= dict(worker.news().answers)
    return found


class Rolling(Backend):
    """Takes up to `rows` and ends them one a step, like a rolling batch; `step` lets it go on."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.live: list[Request] = []
        self.most = 0
        self.step = threading.Semaphore(0)

    def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
        while True:
            groups = take(self.rows - len(self.live))
            self.live += [request for group in groups for request in group.requests]
            self.most = max(self.most, len(self.live))
            if not self.live:
                return
            self.step.acquire()
            request = self.live.pop(0)
            yield request, echo(request)


def test_it_says_what_it_is() -> None:
    worker = Worker()
    assert worker.version() == __version__
    about = worker.start(lambda: FakeBackend("yes"), ".")
    assert isinstance(about, About)
    assert (about.name, about.identity, about.price) == ("fake", FakeBackend().identity(), FakeBackend().price())


def test_an_error_of_loading_comes_back_as_what_it_is() -> None:
    def make() -> Backend:
        raise ModelError("there is no such model", hint="look again")

    error = Worker().start(make, ".")
    assert isinstance(error, ModelError)
    assert str(error) == "there is no such model (look again)"


def test_it_answers_what_it_is_given_whenever_that_comes() -> None:
    worker = started(FakeBackend(echo))
    worker.give(group("a", "b"))
    assert answers(worker, 2) == {prompt(text).key: echo(prompt(text)) for text in "ab"}
    worker.give(group("c"))
    assert answers(worker, 1) == {prompt("c").key: echo(prompt("c"))}


def test_it_can_be_given_more_with_the_question_for_news() -> None:
    worker = started(FakeBackend(echo))
    assert worker.news() == News((), 2)
    found = dict(worker.news(group("a", "b")).answers)
    assert found | answers(worker, 2 - len(found)) == {prompt(text).key: echo(prompt(text)) for text in "ab"}


def test_it_says_first_how_much_it_would_take() -> None:
    assert started(FakeBackend(echo, batch_size=8)).news() == News((), 8)
    assert started(FakeBackend(echo)).news() == News((), 2), "a backend that takes one at a time has one ahead"


def test_a_rolling_batch_is_filled_while_it_runs() -> None:
    backend = Rolling(4)
    worker = started(backend)
    assert worker.news().limit == 4
    worker.give(group("a", "b"))
    worker.give(group("c", "d"))
    for _ in range(2):
        backend.step.release()
    assert len(answers(worker, 2)) == 2
    worker.give(group("e"))
    for _ in range(3):
        backend.step.release()
    answers(worker, 3)
    assert backend.most > 2


def test_room_is_what_left() -> None:
    backend = Rolling(4)
    worker = started(backend)
    assert worker.news().limit == 4
    worker.give(group("a", "b", "c", "d"))
    backend.step.release()
    found = worker.news()
    while found.limit < 5:
        found = worker.news()
    assert found.limit == 5


def test_a_group_is_split_where_the_backend_takes_less() -> None:
    backend = FakeBackend(echo, batch_size=3)
    worker = started(backend)
    requests = tuple(prompt("a", 0.7, sample=(number,)) for number in range(5))
    worker.give([Group(requests)])
    assert answers(worker, 5).keys() == {request.key for request in requests}
    assert backend.groups == [3, 2]


def test_a_failed_call_is_an_answer_and_a_refused_key_the_end() -> None:
    def answer(request: Request) -> Completion:
        if request.text == "fail":
            raise BackendError("too long")
        raise AuthError("the key is refused")

    worker = started(FakeBackend(answer))
    worker.give(group("fail"))
    (failed,) = answers(worker, 1).values()
    assert str(failed) == "too long"
    worker.give(group("key"))
    ended = worker.news()
    while ended.ended is None:
        ended = worker.news()
    assert isinstance(ended.ended, AuthError)
    with pytest.raises(AuthError):
        worker.count_tokens("some words")


def test_a_fault_of_the_backend_is_told_in_one_line() -> None:
    class Broken(FakeBackend):
        def generate(self, _: Sequence[Request]) -> Sequence[Answer]:
            raise ZeroDivisionError("division\nby zero")

    worker = started(Broken())
    worker.give(group("a"))
    ended = worker.news()
    while ended.ended is None:
        ended = worker.news()
    assert str(ended.ended) == "fake failed: ZeroDivisionError: division"


def test_tokens_are_counted_in_the_backends_own_thread_even_while_it_works() -> None:
    threads: list[int] = []

    class Counting(Rolling):
        def serve(self, take: Take) -> Iterator[tuple[Request, Answer]]:
            threads.append(threading.get_ident())
            return super().serve(take)

        def count_tokens(self, text: str) -> int:
            threads.append(threading.get_ident())
            return len(text)

    backend = Counting(2)
    worker = started(backend)
    assert worker.count_tokens("four") == 4
    worker.give(group("a", "b"))
    counted: list[int] = []
    asking = threading.Thread(target=lambda: counted.append(worker.count_tokens("three")))
    asking.start()
    while asking.is_alive():
        backend.step.release()
        time.sleep(0.001)
    assert counted == [5]
    assert len(set(threads)) == 1


def test_it_works_in_the_drivers_folder_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    seen: list[str] = []

    def make() -> Backend:
        seen.append(str(Path.cwd()))
        return FakeBackend()

    Worker().start(make, str(tmp_path / "there"))
    Worker().start(make, str(tmp_path / "nowhere"))
    assert seen == [str(tmp_path / "there")] * 2
