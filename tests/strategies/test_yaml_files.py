"""Strategies and their YAML files: what comes back, what is refused, what cannot be saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from promptkit import CoT, Demonstration, FewShot, SelfConsistency, Strategy, ZeroShot
from promptkit.errors import ConfigError
from tests.strategies.both import Both

DEMOS = (Demonstration(question="1 + 1?", answer="2", rationale="Both make two."),)


texts = st.text(min_size=1, max_size=20)
temperatures = st.none() | st.floats(0.01, 2)
common = {
    "max_tokens": st.integers(1, 999),
    "temperature": temperatures,
    "stop": st.lists(texts, max_size=2).map(tuple),
}
demonstrations = st.lists(
    st.builds(Demonstration, question=texts, answer=texts, rationale=texts.filter(str.strip), id=texts),
    min_size=1,
    max_size=3,
).map(tuple)
plain = (
    st.builds(ZeroShot, style=st.sampled_from(["plain", "direct"]), **common)
    | st.builds(FewShot, demos=demonstrations, **common)
    | st.builds(
        CoT, trigger=texts, stages=st.sampled_from([None, 1, 2]), answer_max_tokens=st.integers(1, 99), **common
    )
    | st.builds(CoT, demos=demonstrations, **common)
)
strategies: st.SearchStrategy[Any] = st.recursive(
    plain,
    lambda inner: st.builds(SelfConsistency, inner, st.integers(1, 50), st.floats(0.01, 2)),
    max_leaves=3,
)


@settings(max_examples=100, deadline=None)
@given(strategy=strategies)
@example(strategy=CoT(trigger="a\x85b\u2028c\u2029d\ufeffe\r\nf: 'g' \"h\" #i \x00 ✓"))
def test_every_strategy_survives_its_file(tmp_path_factory: pytest.TempPathFactory, strategy: Strategy) -> None:
    path = tmp_path_factory.mktemp("yaml") / "strategy.yaml"
    strategy.save(path)
    again = Strategy.load(path)
    assert again == strategy
    assert hash(again) == hash(strategy)
    assert type(strategy).load(path) == strategy


def test_a_file_shows_nested_fields_whole(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    SelfConsistency(CoT(max_tokens=99), 5).save(path)
    data = yaml.safe_load(path.read_text())
    assert (data["strategy"], data["n"]) == ("self-consistency", 5)
    assert (data["inner"]["strategy"], data["inner"]["max_tokens"]) == ("cot", 99)


def test_inner_strategies_keep_their_settings_however_their_field_is_written(tmp_path: Path) -> None:
    strategy = Both(CoT(max_tokens=9), (ZeroShot("direct"), SelfConsistency(FewShot(DEMOS), 3)))
    strategy.save(tmp_path / "both.yaml")
    assert Strategy.load(tmp_path / "both.yaml") == strategy
    assert strategy.model_dump()["first"]["max_tokens"] == 9


@pytest.mark.parametrize(
    ("text", "strategy"),
    [
        ("strategy: cot", CoT()),
        ("strategy: zero-shot\nstyle: direct", ZeroShot("direct")),
        ("{strategy: self-consistency, inner: {strategy: zero-shot}, n: 3}", SelfConsistency(ZeroShot(), 3)),
        ("strategy: few-shot\ndemos: arithmetic", FewShot("arithmetic")),
        ("strategy: few-shot\ndemos: [{question: a, answer: b}]", FewShot((Demonstration(question="a", answer="b"),))),
    ],
)
def test_a_file_written_by_hand(tmp_path: Path, text: str, strategy: Strategy) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert Strategy.load(path) == strategy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no strategy"),
        ("- cot", "holds no strategy"),
        ("style: direct", "it needs a key `strategy`"),
        ("strategy: [", "no valid YAML"),
        ("strategy: tot", r"unknown strategy 'tot' \(known: .*cot, few-shot, .*self-consistency"),
        ("strategy: cot\nn: 5", "CoT: n: there is no such setting"),
        ("strategy: cot\nmax_tokens: many", "CoT: max_tokens: must be a whole number"),
        ("strategy: cot\nmax_tokens: yes", "CoT: max_tokens: must not be true"),
        ("strategy: cot\nstages: on", "CoT: stages: must not be true"),
        ("strategy: cot\ntemperature: no", "CoT: temperature: must not be false"),
        ("{strategy: self-consistency, inner: {strategy: cot}, temperature: -1}", "temperature: must be greater"),
        ("strategy: cot\n5: x", "keys"),
        ("strategy: cot\nbackend: hf:gpt2", "CoT: backend: "),
        ("strategy: self-consistency", "SelfConsistency: inner: is missing"),
        ("{strategy: self-consistency, inner: {strategy: bot}}", "unknown strategy 'bot'"),
        ("{strategy: self-consistency, inner: {strategy: cot, m: 1}}", "CoT: m: there is no such setting"),
        ("{strategy: self-consistency, inner: cot}", "inner: "),
        ("{strategy: self-consistency, inner: {strategy: cot}, temperature: 0}", "at temperature 0"),
        ("{strategy: cot, template: no/such}", "there is no template 'no/such'"),
        ("{strategy: cot, demos: nowhere}", "no demonstrations 'nowhere'"),
        ("{strategy: cot, template: /etc/passwd}", "may not name the template '/etc/passwd'"),
        ("{strategy: cot, answer_template: ../notes.j2}", r"may not name the template '../notes.j2'"),
        ("{strategy: cot, template: .ssh/id_rsa}", "may not name the template"),
        ("{strategy: cot, demos: a/../../secret.yaml}", "may not name the demonstrations"),
        ("{strategy: self-consistency, inner: {strategy: few-shot, demos: /etc/passwd}}", "may not name the demo"),
        ('{strategy: cot, template: "a\\0b"}', "template"),
    ],
)
def test_a_wrong_file_is_one_clear_line_that_names_it(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as caught:
        Strategy.load(path)
    assert "mine.yaml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_may_name_files_of_the_working_folder_but_no_links_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, secret = tmp_path / "work", tmp_path / "secret.j2"
    (work / "prompts").mkdir(parents=True)
    (work / "prompts/own.j2").write_text("{{ question }}")
    (work / "mine.yaml").write_text("{strategy: zero-shot, template: prompts/own.j2}")
    secret.write_text("{{ question }} and a secret")
    (work / "link.j2").symlink_to(secret)
    (work / "linked.yaml").write_text("{strategy: zero-shot, template: link.j2}")
    monkeypatch.chdir(work)
    assert Strategy.load("mine.yaml") == ZeroShot(template="prompts/own.j2")
    with pytest.raises(ConfigError, match=r"may not name the template 'link\.j2'"):
        Strategy.load("linked.yaml")
    assert ZeroShot(template=str(secret)).template == str(secret), "Python code may read what it likes"


@pytest.mark.parametrize("make", [lambda _: None, lambda p: p.mkdir(), lambda p: p.write_bytes(b"\xff\xfe\xfa")])
def test_a_file_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], Any]) -> None:
    make(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match=r"cannot read the strategy file .*mine\.yaml"):
        Strategy.load(tmp_path / "mine.yaml")


def test_a_file_of_another_class(tmp_path: Path) -> None:
    CoT().save(tmp_path / "mine.yaml")
    with pytest.raises(ConfigError, match="'cot' is no ZeroShot"):
        ZeroShot.load(tmp_path / "mine.yaml")


def test_what_cannot_be_saved_says_why(tmp_path: Path) -> None:
    class Filtering(Strategy):
        tag = "test-filtering"
        keep: Callable[[str], bool]

    class Nameless(Strategy):
        pass

    with pytest.raises(ConfigError, match=r"Filtering cannot be saved: .*function"):
        Filtering(lambda text: bool(text)).save(tmp_path / "a.yaml")
    with pytest.raises(ConfigError, match=r"Nameless cannot be saved: .*`tag`"):
        Nameless().save(tmp_path / "b.yaml")
    with pytest.raises(ConfigError, match=r"cannot write .*no-such-folder"):
        CoT().save(tmp_path / "no-such-folder" / "c.yaml")
    assert list(tmp_path.iterdir()) == []


def test_two_strategies_cannot_share_a_tag() -> None:
    with pytest.raises(TypeError, match=r"two strategies have the tag 'cot': CoT and .*Mine"):

        class Mine(CoT):
            pass
