"""What `eval --json` prints."""

import json

from promptkit.evaluation import verdict
from promptkit.evaluation.presentation.summary import summary
from tests.made_runs import run, voting_run


def test_it_is_plain_json_with_all_that_the_terminal_says() -> None:
    runs = [
        run("zero-shot", "+++---", backend="a"),
        voting_run("self-consistency", ["++a", "+++", "+ab", "aaa", "?a+", "+++"], backend="a"),
        run("zero-shot", "++++--", backend="b"),
        voting_run("self-consistency", ["aaa"] * 6, backend="b"),
    ]
    said = json.loads(json.dumps(summary(runs), allow_nan=False))
    assert list(said) == ["runs", "tables", "interactions", "noise"]
    assert said["runs"] == json.loads(json.dumps([one.summary() for one in runs]))
    first, second = said["tables"]
    assert (first["backend"], first["verdict"]) == ("a", verdict(runs[:2]))
    assert [point["n"] for point in first["curves"]["self-consistency"]] == [1, 2, 3]
    assert second["frontier"][1]["break_even"]["tokens"] is None, "it never pays"
    (found,) = said["interactions"]
    assert found["gains"].keys() == {"a", "b"}
    assert said["noise"] == []


def test_several_seeds_have_a_table_each_and_a_noise_floor() -> None:
    said = summary([run("zero-shot", text, seed=seed) for seed, text in enumerate(["++--", "+-+-", "+++-"])])
    assert len(said["tables"]) == 3
    (floor,) = said["noise"]
    assert (floor["seeds"], floor["flip_rate"]) == (3, (2 + 1 + 1) / 12)
