"""The router: what it looks at, whom it asks, and that a file gives back what was saved."""

from pathlib import Path
from typing import Any

import pytest

from promptkit import FakeBackend, Router, SelfConsistency, Strategy, ZeroShot, embedding, evaluate, models
from promptkit.errors import BackendError, ConfigError, ModelError
from promptkit.strategies.router import KnownQuestion, Route, length_of
from promptkit.types import Completion, Request

SHORT, LONG = "How many eggs?", "How many eggs has Ann, who has had four boxes of twelve and has broken five of them?"
STRATEGIES = (ZeroShot("direct"), ZeroShot())
PROBE = SelfConsistency(ZeroShot(max_tokens=50), 3)


def by_length(**options: Any) -> Router:
    """Long questions to "plain"."""
    long_ones = Route("plain", base=-6.0 * 5, length=6.0)
    return Router(STRATEGIES, (Route("direct", tokens=5.0), long_ones), **options)


def by_agreement() -> Router:
    """Questions on which samples agree to "direct"."""
    return Router(STRATEGIES, (Route("direct", base=-5.0, agreement=8.0), Route("plain")), PROBE)


def near(*, neighbours: int = 2, **right: str) -> Router:
    known = [
        KnownQuestion("how many eggs are in the box", tuple(right["eggs"].split())),
        KnownQuestion("how many eggs are left in the box", tuple(right["eggs"].split())),
        KnownQuestion("is this review of a film friendly", tuple(right["films"].split())),
        KnownQuestion("is this review of the long film angry", tuple(right["films"].split())),
    ]
    routes = (Route("direct", near=4.0), Route("plain", near=4.0))
    return Router(STRATEGIES, routes, known=tuple(known), neighbours=neighbours, embedder="tf-idf")


def answering(*texts: str) -> FakeBackend:
    """Gives the texts to the samples of the probe, and 7 to whatever is chosen."""

    def answer(request: Request) -> str:
        return f"The answer is {texts[request.sample[-1]] if request.sample else '7'}."

    return FakeBackend(answer)


def test_the_length_of_a_question_decides_and_nothing_else_is_asked() -> None:
    backend = answering()
    short, long = by_length().run_many([SHORT, LONG], backend=backend)
    assert (short.details["route"], long.details["route"]) == ("direct", "plain")
    assert short.answer == "7"
    assert len(backend.calls) == 2
    assert [call.sampling.max_tokens for call in backend.calls] == [32, 300]
    assert short.details["length"] == pytest.approx(length_of(SHORT), abs=1e-3)


@pytest.mark.parametrize(
    ("samples", "agreement", "route"),
    [(("1", "1", "1"), 1.0, "direct"), (("1", "1", "2"), 0.6667, "direct"), (("1", "2", "3"), 0.3333, "plain")],
)
def test_agreement_of_samples_decides(samples: tuple[str, ...], agreement: float, route: str) -> None:
    backend = answering(*samples)
    result = by_agreement().run(SHORT, backend=backend)
    assert (result.details["route"], result.details["agreement"]) == (route, agreement)
    assert result.answer == "7", "the probe chooses, and does not answer"
    assert len(backend.calls) == 4
    assert sum(result.details["chances"].values()) > 0.5


def test_a_probe_that_fails_counts_as_no_agreement() -> None:
    def answer(request: Request) -> Completion:
        if request.sample:
            raise BackendError("too long")
        return Completion(text="The answer is 7.")

    result = by_agreement().run(SHORT, backend=FakeBackend(answer))
    assert (result.details["route"], result.details["agreement"], result.answer) == ("plain", 0.0, "7")


def test_near_questions_decide() -> None:
    router = near(eggs="direct", films="plain")
    eggs, film = "how many eggs are in her box", "is a review of this film friendly"
    found = router.run_many([eggs, film], backend=answering())
    assert [result.details["route"] for result in found] == ["direct", "plain"]
    assert found[0].details["chances"] == {"direct": 0.982, "plain": 0.5}


def test_a_question_is_no_neighbour_of_itself() -> None:
    router = near(eggs="direct", films="plain", neighbours=1)
    known = router.known[0].text
    changed = router.with_fields(known=(KnownQuestion(known, ("plain",)), *router.known[1:]))
    assert changed.run(known, backend=answering()).details["route"] == "direct"


def test_tokens_count_where_it_is_said_what_they_are_worth() -> None:
    routes = (Route("direct", base=0.0, tokens=5.0), Route("plain", base=0.4, tokens=205.0))
    assert Router(STRATEGIES, routes).run(SHORT, backend=answering()).details["route"] == "plain"
    dear = Router(STRATEGIES, routes, worth=1000.0)
    assert dear.run(SHORT, backend=answering()).details["route"] == "direct"


def test_of_equal_chances_the_first_is_taken() -> None:
    routes = (Route("direct"), Route("plain"))
    assert Router(STRATEGIES, routes).run(SHORT, backend=answering()).details["route"] == "direct"


def test_words_that_stood_in_for_an_encoder_in_a_plan_are_forgotten(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("sentence_transformers", reason="sentence encoders need the extra `similarity`")
    monkeypatch.setenv("PROMPTKIT_CACHE", str(tmp_path))
    router = near(eggs="direct", films="plain").with_fields(embedder=embedding.MINILM)
    with embedding.nothing_fetched() as absent:
        router.run(SHORT, backend=answering())
    assert absent == {embedding.MINILM}

    def away(name: str) -> Path:
        raise ModelError(f"cannot download {name}")

    monkeypatch.setattr(models, "ensure", away)
    loading = vars(embedding)["_loaded"].__wrapped__  # another test may have loaded the encoder already
    monkeypatch.setattr(embedding, "_loaded", loading)
    with pytest.raises(ModelError, match="cannot download"):
        router.run(SHORT, backend=answering())


@pytest.mark.parametrize("router", [by_length(worth=300.0), by_agreement(), near(eggs="direct", films="plain direct")])
def test_a_file_gives_back_what_was_saved(router: Router, tmp_path: Path) -> None:
    router.save(tmp_path / "router.yaml")
    again = Strategy.load(tmp_path / "router.yaml")
    assert again == router
    assert hash(again) == hash(router)
    assert "!!" not in (tmp_path / "router.yaml").read_text(), "plain data only"
    results = [one.run(LONG, backend=answering("1", "1", "2")) for one in (router, again)]
    assert results[0].details == results[1].details


def test_it_is_a_strategy_like_any_other(tmp_path: Path) -> None:
    by_length().save(tmp_path / "router.yaml")
    runs = evaluate([str(tmp_path / "router.yaml"), "zero-shot"], "multiarith-style", answering(), limit=3)
    assert [run.strategy for run in runs] == ["router", "zero-shot"]
    assert {sample.details["route"] for sample in runs[0].samples} <= {"direct", "plain"}
    assert by_length().templates().keys() == {"zero-shot/direct", "zero-shot/plain"}
    assert SelfConsistency(by_length(), 2).run(LONG, backend=FakeBackend("The answer is 7.")).answer == "7"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"routes": (Route("one"),)}, "2 strategies need as many routes with different names"),
        ({"routes": (Route("one"), Route("one"))}, "2 strategies need as many routes with different names"),
        ({"routes": (Route("one", agreement=1.0), Route("two"))}, "there is no probe whose samples could agree"),
        ({"routes": (Route("one", near=1.0), Route("two"))}, "weighs near questions, but none is known"),
        ({"routes": (Route("one"), Route("two")), "worth": 0.0}, "worth: must be greater than 0"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        Router(STRATEGIES, **options)


def test_weights_must_be_numbers() -> None:
    with pytest.raises(ConfigError, match="length"):
        Route("one", length=float("inf"))
