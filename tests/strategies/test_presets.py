"""The names on the command line and what they stand for."""

from pathlib import Path

import pytest

from promptkit import (
    Balanced,
    CoT,
    Diverse,
    FakeBackend,
    FewShot,
    Question,
    Random,
    SelfConsistency,
    Similar,
    Strategy,
    ZeroShot,
)
from promptkit.errors import ConfigError
from promptkit.strategies import PRESETS, resolve
from promptkit.strategies.demonstrations import SETS
from promptkit.types import Kind


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("direct", ZeroShot("direct")),
        ("zero-shot", ZeroShot()),
        ("few-shot", FewShot("arithmetic")),
        ("zero-shot-cot", CoT()),
        ("manual-cot", CoT("arithmetic")),
        ("self-consistency", SelfConsistency(CoT(), 10)),
        ("self-consistency:n=5,temperature=0.5", SelfConsistency(CoT(), 5, 0.5)),
        ("self-consistency: n = 5 , temperature = 0.5", SelfConsistency(CoT(), 5, 0.5)),
        ("zero-shot:style=direct,max_tokens=8", ZeroShot("direct", max_tokens=8)),
        ("direct:max_tokens=8", ZeroShot("direct", max_tokens=8)),
        ("manual-cot:max_tokens=8", CoT("arithmetic", max_tokens=8)),
        ("zero-shot-cot:stages=1", CoT(stages=1)),
        ("few-shot:k=8,select=similar", FewShot(Similar(8))),
        (
            "few-shot:select=similar,k=3,embedder=tf-idf,order=selected,max_tokens=9",
            FewShot(Similar(3, embedder="tf-idf", order="selected"), max_tokens=9),
        ),
        ("manual-cot:select=balanced,seed=2,demo_tokens=300", CoT(Balanced(seed=2, max_tokens=300))),
        ("few-shot:select=random", FewShot(Random())),
        ("manual-cot:select=diverse,k=4", CoT(Diverse(4))),
    ],
)
def test_a_preset(name: str, strategy: Strategy) -> None:
    assert resolve(name) == strategy


def test_the_presets_of_the_design_are_all_there() -> None:
    assert {"direct", "zero-shot", "few-shot", "zero-shot-cot", "manual-cot", "self-consistency"} <= set(PRESETS)
    assert all(about for about, _ in PRESETS.values())


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_answers_every_kind(name: str, kind: Kind) -> None:
    choices = ("a", "b") if kind == "choice" else ()
    question = Question(text="Well?", kind=kind, choices=choices, labels=("positive", "negative"))
    answers = {"number": "5", "yesno": "yes", "choice": "(B)", "date": "05/17/2020", "label": "positive"}
    backend = FakeBackend(f"The answer is {answers.get(kind, 'ab')}.")
    resolve(name, kind).run(question, backend=backend)
    assert backend.calls


def test_a_kind_without_demonstrations() -> None:
    with pytest.raises(ConfigError, match="no packaged demonstrations for answers of kind 'set'"):
        resolve("few-shot", "set")
    assert resolve("few-shot:select=random,k=2", "set") == FewShot(Random(2))
    assert resolve("zero-shot", "set") == ZeroShot()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cot-zero-shot", r"unknown strategy 'cot-zero-shot' \(known: direct, zero-shot, .*YAML file"),
        ("", "unknown strategy ''"),
        ("self-consistency:n", "cannot read 'n' in 'self-consistency:n'"),
        ("self-consistency:=5", "cannot read '=5'"),
        ("self-consistency:n=[", r"cannot read 'n=\['"),
        ("self-consistency:n=0", "n: "),
        ("self-consistency:n=many", "n: "),
        ("self-consistency:samples=5", "samples: "),
        ("self-consistency:temperature=0", "temperature 0"),
        ("zero-shot:backend=hf", "backend: "),
        ("few-shot:k=8", "does not say how to select.*select=random"),
        ("few-shot:select=best", "there is no selector 'best'"),
        ("few-shot:select=random,embedder=tf-idf", "has no setting 'embedder'"),
        ("zero-shot:select=random", "select: "),
        ("nowhere.yaml", "cannot read the strategy file nowhere.yaml"),
    ],
)
def test_a_name_that_makes_no_sense(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        resolve(name)
    assert "\n" not in str(caught.value)


def test_a_file(tmp_path: Path) -> None:
    SelfConsistency(ZeroShot(), 3).save(tmp_path / "mine.yaml")
    assert resolve(str(tmp_path / "mine.yaml")) == SelfConsistency(ZeroShot(), 3)
    (tmp_path / "plain").write_text("strategy: cot")
    assert resolve(str(tmp_path / "plain")) == CoT()


def test_a_preset_is_not_shadowed_by_a_file_that_happens_to_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("direct").write_text("notes")
    assert resolve("direct") == ZeroShot("direct")
