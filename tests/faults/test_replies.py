"""What a server sends becomes what the user sees."""

import pytest

from promptkit import OpenAIBackend, SelfConsistency, ZeroShot, evaluate
from promptkit.errors import RefusalError
from promptkit.evaluation import load
from promptkit.types import Completion
from tests.faults.asking import answer, answers, backend, request
from tests.faults.server import MisbehavingServer, good, raw, status


def chat(text: str | None = "The answer is 4.", reason: str | None = "stop", **fields: object) -> dict[str, object]:
    return {"message": {"role": "assistant", "content": text, **fields}, "finish_reason": reason}


def test_what_is_sent_and_what_comes_back_in_chat() -> None:
    logprobs = {"content": [{"token": "4", "logprob": -0.25}, {"token": ".", "logprob": -0.5}]}
    with MisbehavingServer(good(choices=[{**chat("4."), "logprobs": logprobs}])) as server:
        wanted = request(temperature=0, max_tokens=9, stop=("Q:",), top_p=0.5, top_k=3)
        (found,) = answers(backend(server.url), wanted)
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "What is 2 + 2?"}],
        "temperature": 0.0,
        "top_p": 0.5,
        "top_k": 3,
        "max_tokens": 9,
        "stop": ["Q:"],
        "seed": wanted.sample_seed,
        "logprobs": True,
    }
    assert isinstance(found, Completion)
    assert (found.text, found.finish_reason, found.logprob) == ("4.", "stop", -0.75)
    assert (found.prompt_tokens, found.completion_tokens, found.counted) == (11, 5, True)
    assert found.seconds > 0


def test_what_is_sent_and_what_comes_back_in_completion_mode() -> None:
    choice = {"text": " 4", "finish_reason": "length", "logprobs": {"token_logprobs": [-1.0, -2.0]}}
    with MisbehavingServer(good(choices=[choice])) as server:
        (found,) = answers(
            backend(server.url, mode="completion", logprobs=True), request().replace(prompt="Q: 2+2\nA:")
        )
    (seen,) = server.seen
    assert seen.path == "/v1/completions"
    assert (seen.body["prompt"], seen.body["logprobs"]) == ("Q: 2+2\nA:", 1)
    assert "messages" not in seen.body and "temperature" not in seen.body and "max_tokens" not in seen.body
    assert isinstance(found, Completion)
    assert (found.text, found.finish_reason, found.logprob) == (" 4", "length", -3.0)


def test_texts_end_at_the_stop_strings_whether_the_server_knows_them_or_not() -> None:
    with MisbehavingServer(good("It is 4.\nQ: and?", choices=[chat("It is 4.\nQ: and?", "length")])) as server:
        (found,) = answers(backend(server.url), request(stop=("a", "b", "c", "d", "\nQ:")))
    assert isinstance(found, Completion)
    assert (found.text, found.finish_reason) == ("It is 4.", "stop")
    assert len(server.seen[0].body["stop"]) == 4


def test_no_content_is_an_empty_text() -> None:
    with MisbehavingServer(good(choices=[chat(None, "length")])) as server:
        found = answer(backend(server.url))
    assert isinstance(found, Completion)
    assert (found.text, found.finish_reason) == ("", "length")


def test_half_characters_are_no_text() -> None:
    usage = b'"usage": {"prompt_tokens": 1, "completion_tokens": 1}'
    with MisbehavingServer(raw(b'{"choices": [{"message": {"content": "4 \\ud83d"}}], %b}' % usage)) as server:
        found = answer(backend(server.url))
    assert isinstance(found, Completion)
    assert found.text == "4 ?"


@pytest.mark.parametrize(
    "usage", [None, {}, {"prompt_tokens": -1, "completion_tokens": 2}, {"prompt_tokens": "many"}, 7]
)
def test_missing_counts_are_unknown_and_said_once(usage: object) -> None:
    with MisbehavingServer(good(usage=usage)) as server:
        where = backend(server.url)
        with pytest.warns(UserWarning, match="m does not say how many tokens it takes") as told:
            results = [ZeroShot().run(f"What is {number} + 2?", backend=where) for number in range(2)]
    assert len(told) == 1
    assert [result.usage.uncounted_calls for result in results] == [1, 1]
    assert results[0].usage.prompt_tokens == 0


@pytest.mark.parametrize(("told", "reused"), [(8, 8), (400, 11), (-1, 0), (True, 0), ("8", 0), (None, 0)])
def test_tokens_that_a_server_read_from_its_own_cache_are_counted(told: object, reused: int) -> None:
    usage = {"prompt_tokens": 11, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": told}}
    with MisbehavingServer(good(usage=usage)) as server:
        result = ZeroShot().run("What is 2 + 2?", backend=backend(server.url))
    assert (result.usage.prompt_tokens, result.usage.reused_prompt_tokens) == (11, reused)


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (
            good(choices=[chat(None, refusal="I cannot help with that.")]),
            "the model declined: I cannot help with that.",
        ),
        (good(choices=[chat("The answer is", "content_filter")]), "the model declined: The answer is"),
        (good(choices=[chat("", "content_filter")]), "a content filter stopped it"),
        (status(400, "filtered by policy", code="content_filter"), "filtered by policy"),
    ],
)
def test_a_refusal_is_no_answer(act, told: str) -> None:
    with MisbehavingServer(act) as server:
        found = answer(backend(server.url))
    assert isinstance(found, RefusalError)
    assert told in str(found)
    assert len(server.seen) == 1


def test_a_refused_question_is_failed_with_its_reason_and_its_cost(tmp_path) -> None:
    file = tmp_path / "two.jsonl"
    file.write_text('{"asked": "one?", "gold": "4"}\n{"asked": "two?", "gold": "4"}\n', encoding="utf-8")
    benchmark = load(str(file), question="asked", answer="gold", kind="number")
    script = [good(choices=[chat(None, refusal="The answer is 4, but no.")]), good()]
    with MisbehavingServer(script) as server:
        (run,) = evaluate(ZeroShot(), benchmark, backend(server.url, concurrency=1))
    refused, right = run.samples
    assert (refused.status, right.status) == ("failed", "correct")
    assert refused.error == "the model declined: The answer is 4, but no."
    assert refused.usage.completion_tokens == 5


def test_equal_ids_of_a_server_mix_nothing_up() -> None:
    """The stub gives every reply the same id, as some servers do."""
    with MisbehavingServer([good("The answer is 1."), good("The answer is 2.")]) as server:
        first, second = answers(backend(server.url, concurrency=1), request("1"), request("2"))
    assert isinstance(first, Completion) and isinstance(second, Completion)
    assert (first.text, second.text) == ("The answer is 1.", "The answer is 2.")
    assert first.id != second.id


def several(count: int) -> dict[str, object]:
    return {"choices": [chat(f"The answer is {number}.") for number in range(count)]}


def test_samples_are_asked_for_together_where_the_server_does_so() -> None:
    with MisbehavingServer([good(**several(3))]) as server:
        result = SelfConsistency(ZeroShot(), n=3).run("What is 2 + 2?", backend=backend(server.url))
    assert [candidate.answer for candidate in result.candidates] == ["0", "1", "2"]
    assert [seen.body.get("n") for seen in server.seen] == [3]
    # what the server counted, once
    assert (result.usage.calls, result.usage.prompt_tokens, result.usage.completion_tokens) == (3, 11, 15)


@pytest.mark.parametrize("first", [good(**several(1)), status(400, "n must be 1"), raw(b'{"detail": "n > 1"}', 422)])
def test_a_server_that_takes_no_n_is_found_out_once_and_each_sample_has_its_seed(first) -> None:
    with MisbehavingServer([first, good(**several(1))]) as server:
        where = backend(server.url)
        result = SelfConsistency(ZeroShot(), n=3).run("What is 2 + 2?", backend=where)
        SelfConsistency(ZeroShot(), n=3).run("What is 2 + 3?", backend=where)
    assert len(result.candidates) == 3
    assert [seen.body["n"] for seen in server.seen if "n" in seen.body] == [3]
    assert len(server.seen) in (6, 7)  # a refusal answers nothing, one choice of three answers one
    alone = [seen.body["seed"] for seen in server.seen if "n" not in seen.body]
    assert len(set(alone)) == len(alone)


def test_too_many_choices_are_not_too_many_samples() -> None:
    with MisbehavingServer([good(**several(7))]) as server:
        result = SelfConsistency(ZeroShot(), n=3).run("What is 2 + 2?", backend=backend(server.url))
    assert len(result.candidates) == 3
    assert len(server.seen) == 1


def test_native_n_can_be_switched_off() -> None:
    with MisbehavingServer() as server:
        SelfConsistency(ZeroShot(), n=3).run("What is 2 + 2?", backend=backend(server.url, native_n=False))
    assert len({seen.body["seed"] for seen in server.seen}) == 3
    assert all("n" not in seen.body for seen in server.seen)


def test_the_other_name_of_the_token_limit_is_found_out_once() -> None:
    told = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    with MisbehavingServer([status(400, told, param="max_tokens", code="unsupported_parameter"), good()]) as server:
        where = backend(server.url, concurrency=1)
        found = answers(where, request("1", max_tokens=9), request("2", max_tokens=9))
    assert all(isinstance(one, Completion) for one in found)
    assert ["max_tokens" in seen.body for seen in server.seen] == [True, False, False]
    assert [seen.body.get("max_completion_tokens") for seen in server.seen] == [None, 9, 9]


def test_a_model_that_takes_no_temperature_is_found_out_and_said_once() -> None:
    told = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) is supported."
    with MisbehavingServer([status(400, told, param="temperature", code="unsupported_value"), good()]) as server:
        where = backend(server.url, concurrency=1)
        with pytest.warns(UserWarning, match="m does not take the temperature") as warned:
            found = answers(where, request("1", temperature=0), request("2", temperature=0))
    assert all(isinstance(one, Completion) for one in found)
    assert ["temperature" in seen.body for seen in server.seen] == [True, False, False]
    assert len(warned) == 1


def test_a_wrong_value_is_no_missing_parameter() -> None:
    with MisbehavingServer(status(400, "temperature must be at most 2", param="temperature")) as server:
        found = answer(backend(server.url), temperature=9)
    assert "temperature must be at most 2" in str(found)
    assert len(server.seen) == 1


def test_a_server_that_complains_for_ever_is_not_asked_for_ever() -> None:
    complaint = raw(b'{"detail": "Unexpected fields: seed, max_tokens, logprobs, n"}', 422)
    with MisbehavingServer(complaint) as server, pytest.warns(UserWarning):
        found = answer(backend(server.url), max_tokens=9)
    assert "Unexpected fields" in str(found)
    assert len(server.seen) < 8


def test_the_name_and_the_key_of_the_store() -> None:
    where = OpenAIBackend("m", base_url=["http://b:1/v1/", "http://a:1/v1"])
    assert where.name == "m"
    assert where.identity() == {
        "backend": "openai",
        "model": "m",
        "base_urls": ["http://a:1/v1", "http://b:1/v1"],
        "mode": "chat",
    }
