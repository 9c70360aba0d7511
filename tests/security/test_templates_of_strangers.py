"""A strategy file and its template come from a stranger: they can write a bad prompt and nothing else."""

import re
from pathlib import Path

import pytest

from promptkit import FakeBackend, Strategy, ZeroShot
from promptkit.errors import ConfigError, PromptkitError, TemplateError
from promptkit.templates import Template
from promptkit.templates.meter import MAX_OUTPUT


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder; a secret and the user's own folder lie beside it."""
    (tmp_path / "secret.txt").write_text("canary")
    (tmp_path / "secret.j2").write_text("canary {{ question }}")
    (tmp_path / "secret.yaml").write_text("- {question: canary, answer: '1', rationale: because}")
    work = tmp_path / "work"
    (work / "templates").mkdir(parents=True)
    monkeypatch.chdir(work)
    monkeypatch.setenv("PROMPTKIT_CONFIG", str(tmp_path / "configuration"))
    return work


def ask(work: Path, template: str) -> FakeBackend:
    """Run a strategy file whose template is this one; the backend that was asked."""
    (work / "mine.j2").write_text(template)
    (work / "mine.yaml").write_text("{strategy: zero-shot, template: mine.j2}")
    backend = FakeBackend("4")
    Strategy.load("mine.yaml").run("2 + 2?", backend=backend)
    return backend


TRICKS = [
    "{{ question.__class__.__mro__[1].__subclasses__() }}",
    "{{ question['__class__'] }}",
    "{{ question | attr('__class__') }}",
    "{{ question['__cl' ~ 'ass__'] }}",
    "{{ question['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__.__builtins__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ lipsum.__globals__.os }}",
    "{{ range.__self__ }}",
    "{{ (question | map(attribute='__class__') | first) }}",
    "{{ '{0.__class__}'.format(question) }}",
    "{{ ('%s' | format(question)).__class__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ config }}{{ request }}",
    "{% import 'os' as os %}{{ os.system('id') }}",
    "{% import '/etc/passwd' as x %}",
    "{% macro m() %}{% endmacro %}{{ m.__code__ }}{{ m._func }}",
    "{% for i in [1] %}{{ loop.__class__ }}{{ loop._iterable }}{% endfor %}",
    "{{ caller.__globals__ }}",
    "{{ _self }}{{ self._TemplateReference__context }}",
    "{{ ().__iter__().__reduce__() }}",
    "{{ question.join.__self__.__class__ }}",
    "{{ dict.fromkeys }}",
    "{{ dict(a=1).__class__ }}",
    "{% set x = namespace() %}{% set x.__class__ = 1 %}{{ x.__class__ }}",
]


@pytest.mark.parametrize("source", TRICKS)
def test_attributes_and_imports_are_refused(work: Path, source: str) -> None:
    with pytest.raises(TemplateError):
        ask(work, "{{ question }}" + source)


BOMBS = {
    "a long range": "{% for i in range(10 ** 9) %}x{% endfor %}",
    "a list of a long range": "{{ range(10 ** 9) | list | length }}",
    "loops in loops": "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
    "a repeated text": "{{ 'x' * 10 ** 10 }}",
    "a repeated list": "{{ ([question] * 10 ** 9) | length }}",
    "a doubled text": "{% set n = namespace(x='x') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "a large number": "{{ 9 ** 9999 }}",
    "a wide pad": "{{ '%9999999999d' % 1 }}",
    "a pad by a filter": "{{ 'x' | center(10 ** 10) }}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "a file that includes itself": "{% include 'again' %}",
    "replaced letters": "{{ ('x' * 9999) | replace('x', 'x' * 9999) }}",
    "joined lists": "{{ (['x'] * 9999) | join('x' * 9999) }}",
}


@pytest.mark.parametrize("name", BOMBS)
def test_ranges_repeats_and_sizes_are_capped(work: Path, name: str) -> None:
    (work / "templates" / "again.j2").write_text("{% include 'again' %}x")
    with pytest.raises(TemplateError):
        ask(work, "{{ question }}" + BOMBS[name])


def test_no_prompt_is_longer_than_the_cap(work: Path) -> None:
    line = "x" * 1000
    with pytest.raises(TemplateError, match=r"longer than|more than"):
        ask(work, "{% for i in range(" + str(MAX_OUTPUT // 1000 + 1) + ") %}" + line + "{% endfor %}{{ question }}")


def test_a_question_is_never_taken_for_a_template() -> None:
    attack = "{{ 7 * 7 }}{% for i in range(10 ** 9) %}{% endfor %}{{ ''.__class__ }}"
    backend = FakeBackend("4")
    ZeroShot().run(attack, backend=backend)
    assert attack in backend.calls[0].text


ESCAPES = {
    "absolute": "{strategy: zero-shot, template: PARENT/secret.j2}",
    "upwards": "{strategy: zero-shot, template: ../secret.j2}",
    "upwards again": "{strategy: zero-shot, template: templates/../../secret.j2}",
    "a link": "{strategy: zero-shot, template: link.j2}",
    "a link to a folder": "{strategy: zero-shot, template: folder/secret.j2}",
    "hidden": "{strategy: zero-shot, template: .hidden.j2}",
    "inside another strategy": "{strategy: self-consistency, inner: {strategy: cot, answer_template: ../secret.j2}}",
    "a step of a chain": "{strategy: chain, links: [{name: one, template: ../secret.j2}]}",
    "a strategy of a step": "{strategy: chain, links: [{name: one, strategy: {strategy: cot, demos: ../secret.yaml}}]}",
    "demonstrations": "{strategy: few-shot, demos: ../secret.yaml}",
    "demonstrations by a link": "{strategy: few-shot, demos: link.yaml}",
    "demonstrations of the system": "{strategy: cot, demos: /etc/passwd}",
    "a device": "{strategy: zero-shot, template: /dev/zero}",
}


@pytest.mark.parametrize("name", ESCAPES)
def test_a_strategy_file_names_nothing_outside_its_folders(work: Path, name: str) -> None:
    (work / "link.j2").symlink_to(work.parent / "secret.j2")
    (work / "link.yaml").symlink_to(work.parent / "secret.yaml")
    (work / "folder").symlink_to(work.parent)
    (work / ".hidden.j2").write_text("{{ question }}")
    (work / "mine.yaml").write_text(ESCAPES[name].replace("PARENT", str(work.parent)))
    with pytest.raises(ConfigError, match=r"may not name") as caught:
        Strategy.load("mine.yaml")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "../../secret.txt", "link"])
def test_an_inclusion_stays_in_the_template_folders(work: Path, name: str) -> None:
    (work / "templates" / "link.j2").symlink_to(work.parent / "secret.j2")
    with pytest.raises(TemplateError) as caught:
        ask(work, "{{ question }}{% include '" + name + "' %}")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch pwned']",
        "{strategy: !!python/name:os.system , inner: 1}",
        "{strategy: chain, links: [{name: a, prompt: x, parse: json, model: os.system}]}",
        "{strategy: chain, links: [{name: a, prompt: x, parse: 'os.system'}]}",
        "{strategy: chain, links: [{name: a, prompt: x, when: \"''.__class__\"}]}",
        "strategy: zero-shot\nextractor: __import__('os').system('touch pwned')",
    ],
)
def test_a_strategy_file_runs_nothing(work: Path, text: str) -> None:
    (work / "mine.yaml").write_text(text)
    with pytest.raises(PromptkitError):
        Strategy.load("mine.yaml").run("2 + 2?", backend=FakeBackend("4"))
    assert not (work / "pwned").exists()


def test_a_few_lines_of_yaml_ask_for_no_gigabytes(work: Path) -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    (work / "mine.yaml").write_text("\n".join(["l0: &l0 [x]", *levels, "strategy: zero-shot"]))
    merges = [f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    (work / "merged.yaml").write_text("\n".join(["l0: &l0 {x: 1}", *merges, "strategy: zero-shot"]))
    for name in ("mine.yaml", "merged.yaml"):
        with pytest.raises(ConfigError) as caught:
            Strategy.load(name)
        assert len(str(caught.value)) < 500


def test_a_template_sees_only_what_it_is_given() -> None:
    source = "{{ question }}{% for name in ['os', 'sys', 'open', 'eval', 'exec', '__builtins__', '__import__'] %}"
    for name in re.findall(r"'(\w+)'", source):
        with pytest.raises(TemplateError, match="was not given"):
            Template("t", "{{ " + name + " }}").render(question="x")
