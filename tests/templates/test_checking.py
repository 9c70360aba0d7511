"""`promptkit templates check`: what is wrong with a template file is found, and nothing else."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from promptkit import Chain, CoT, FakeBackend, FewShot, Question, SelfConsistency, Step, Strategy, ZeroShot, paths
from promptkit.errors import TemplateError
from promptkit.evaluation.judging import Criterion, Item, Judge, PairJudge, Rubric
from promptkit.strategies import TreeOfThoughts
from promptkit.strategies.tree import Asking, CreativeWriting, Crosswords, Game24, Propose, Reasoning, Sample, Vote
from promptkit.strategies.tree import Judge as Marks
from promptkit.templates import Template
from promptkit.templates.checking import check, check_file
from promptkit.templates.given import given_to, given_to_any
from tests.command_line import CommandLine
from tests.templates.writing import write


def found(source: str, folder: Path, *more: str, name: str = "mine") -> list[str]:
    """What is said of a template's text, without the file."""
    path = write(folder / "work/templates" / f"{name}.j2", source)
    return [str(one).removeprefix(f"{path}:") for one in check_file(path, name, frozenset(more))]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ question }}\n{{ qestion }}", "2: error: nothing gives the variable 'qestion' (did you mean question?"),
        ("{{ question }}\n{% sytem %}x{% endsytem %}", "2: error: there is no block {% sytem %} (did you mean system?"),
        ("{{ question }}{% human %}x{% endhuman %}", "1: error: there is no block {% human %} (did you mean user?"),
        ("{{ question }}{% weather %}", "1: error: there is no block {% weather %} (the roles are system, user and"),
        ("{{ question }}\n\n{% user %}", "3: error: Unexpected end of template."),
        ("{{ question }}\n{{ a b }}", "2: error: expected token 'end of print statement'"),
        ("{{ question }}\n{{ kind | nothing }}", "2: error: No filter named 'nothing'"),
        ("{{ question }}\n{% include 'parts/none.j2' %}", "2: error: it includes 'parts/none.j2', which no template"),
        ("{{ question }}\n{% include kind %}", "1: error: template 'mine'"),
        ("{% user %}{{ question }}{% enduser %}\nstray", "2: error: text outside its role blocks: 'stray'"),
        ("{% if kind %}\nstray\n{% endif %}{% user %}{{ question }}{% enduser %}", "2: error: text outside its role"),
        ("{% set a = 1 %}{{ question }}", "1: error: the variable 'a' is never used"),
        ("{{ question }}\n{% macro m() %}x{% endmacro %}", "2: error: the macro 'm' is never used"),
        ("{% macro m(a, b) %}{{ a }}{% endmacro %}{{ m(question) }}", "1: error: of the macro 'm', the argument 'b'"),
        ("{% from 'parts/question.j2' import ask %}{{ question }}", "1: error: the import 'ask' is never used"),
        ("{% import 'parts/question.j2' as q %}{{ question }}", "1: error: the import 'q' is never used"),
        ("Say hello.", "1: note: it shows no question: its prompt is always the same"),
    ],
)
def test_what_is_wrong_is_found(project: Path, source: str, said: str) -> None:
    assert [one[: len(said)] for one in found(source, project)] == [said]


@pytest.mark.parametrize(
    "source",
    [
        "{% user %}{{ question }}{% enduser %}{# a comment #}\n\n{% completion %}{{ question }}{% endcompletion %}\n",
        "{% set said = question | trim %}{{ said }}",
        "{% set ns = namespace(n=0) %}{% for c in choices %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ question }}",
        "{% for i in range(3) %}x{% endfor %}{{ question }}",
        "{% set demos = demos | default(()) %}{{ demos | length }}{{ question }}",
        "{% from 'parts/question.j2' import ask as put %}{{ put(question, choices, labels, ' ') }}",
        "{% include 'parts/none' ignore missing %}{{ question }}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(question) }}",
        "{% set _unused = 1 %}{{ question }}",
        "{{ loop_of_names | default('') }}{{ question }}",
    ],
)
def test_what_is_right_is_left_alone(project: Path, source: str) -> None:
    more = ("loop_of_names",) if "loop_of_names" in source else ()
    assert found(source, project, *more) == []


def test_a_packaged_name_is_given_what_its_strategy_gives(project: Path) -> None:
    (said,) = found(
        "{{ question }}{{ trigger }}{{ choices }}{{ labels }}{{ rationale }}", project, name="cot/zero-shot"
    )
    assert said.startswith("1: error: nothing gives the variable 'rationale' (there are choices, demos, kind")
    assert found("{{ question }}{{ choices }}{{ labels }}", project, name="cot/zero-shot") == [
        "1: note: it does not use 'trigger', as the packaged cot/zero-shot does"
    ]
    assert found("{{ question }}{{ rationale }}", project) == []


def test_a_fault_in_a_part_is_told_where_it_is_included(project: Path) -> None:
    write(project / "work/templates/parts/polite.j2", "Be {{ how }}.")
    (said,) = found("{% include 'parts/polite.j2' %}{{ question }}", project)
    assert said.startswith("1: error: a part that it includes reads it: nothing gives the variable 'how'")
    assert found("{% set how = 'kind' %}{% include 'parts/polite.j2' %}{{ question }}{{ how }}", project) == []
    write(project / "work/templates/parts/polite.j2", "{% if %}")
    (said,) = found("{% include 'parts/polite.j2' %}{{ question }}", project)
    assert "part 'parts/polite', line 1" in said


def test_every_packaged_template_is_without_fault() -> None:
    looked_at = check([paths.packaged("templates")])
    assert len(looked_at.files) > 25
    assert looked_at.findings == ()


# -- the table of what is given, against what is given ---------------------------------------------------

CLUES = "\n".join(f"{place}{number}. a clue" for place in "hv" for number in range(1, 6))


def asked(strategy: Strategy, question: Question, *said: str) -> None:
    """Run a strategy on a model that says these things in turn, over and over."""
    count = iter(range(10**6))
    strategy.run_many([question], backend=FakeBackend(lambda _: said[next(count) % len(said)]))


def test_the_table_says_what_is_really_given(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, set[str]] = defaultdict(set)
    render = Template.render

    def watched(self: Template, /, **variables: Any) -> Any:
        given[self.name] |= variables.keys()
        return render(self, **variables)

    monkeypatch.setattr(Template, "render", watched)
    sums, words = Question(text="What is 6 times 7?"), Question(text="Use the numbers 4 5 6 10.", kind="expression")
    demo = {"question": "1+1?", "rationale": "One and one.", "answer": "2"}
    for strategy in (ZeroShot(), ZeroShot("direct"), FewShot((demo,)), CoT(), CoT(stages=1), CoT((demo,))):
        asked(strategy, sums, "The answer is 42.")
    for wording in ("formal", "colloquial"):
        asked(CoT((demo,), template=f"cot/{wording}"), sums, "The answer is 42.")
    for labels in ("unlabelled", "unpaired"):
        asked(FewShot((demo,), template=f"few-shot/{labels}"), sums, "The answer is 42.")
    asked(Chain((Step(name="a", prompt="{{ question }}", parse="number"),)), sums, "none")
    steps = "4 + 5 = 9 (left: 6 9 10)\n6 * 4 = 24 (left: 24)\nAnswer: (4 + 5) * 6 = 24\nsure"
    asked(TreeOfThoughts(Game24()), words, steps)
    asked(TreeOfThoughts(Crosswords()), Question(text=CLUES, kind="grid"), "h1. apple (certain)\nv1. angle (high)")
    writing = Question(text="Write a passage whose paragraphs end with: A b. C d. E f. G h.", kind="text")
    asked(TreeOfThoughts(CreativeWriting()), writing, "Plan:\n1. x\nThe best choice is 1")
    trees = [
        TreeOfThoughts(Reasoning(), generate=Propose()),
        TreeOfThoughts(Reasoning(), generate=Sample(), evaluate=Vote()),
        TreeOfThoughts(Reasoning(), evaluate=Marks(ZeroShot()), checker=Asking(ZeroShot())),
    ]
    for tree in trees:
        asked(tree, sums, "Step one.\nlikely\nThe best choice is 1")
    rubric = Rubric(name="r", criteria=(Criterion(name="c", ask="Is it short?"),))
    Judge(rubric).question(Item("1", "text"), rubric.criteria[0])
    PairJudge(rubric).question(Item("1", "a"), Item("1", "b"))

    packaged = {path.relative_to(paths.packaged("templates")).with_suffix("").as_posix()
                for path in paths.packaged("templates").rglob("*.j2") if path.parent.name != "parts"}  # fmt: skip
    assert packaged - given.keys() == set()
    assert {name: given_to(name) for name in packaged} == {name: frozenset(given[name]) for name in packaged}
    assert given_to("mine") is None
    assert given_to_any() >= {"question", "item", "index", "rationale"}


def test_a_run_names_the_hash_of_every_template_that_it_renders(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered: set[str] = set()
    render = Template.render

    def watched(self: Template, /, **variables: Any) -> Any:
        rendered.add(self.name)
        return render(self, **variables)

    monkeypatch.setattr(Template, "render", watched)
    tree = TreeOfThoughts(Reasoning(), evaluate=Marks(SelfConsistency(CoT(), 2)), checker=Asking(ZeroShot()))
    chain = Chain((Step(name="a", strategy=CoT()), Step(name="b", template="zero-shot/plain", parse="number")))
    for strategy in (tree, chain, SelfConsistency(ZeroShot("direct"), 2)):
        rendered.clear()
        asked(strategy, Question(text="What is 6 times 7?"), "nothing\nlikely")
        assert rendered - {"a (a step)"} <= strategy.templates().keys()


# -- the command ------------------------------------------------------------------------------------------


@pytest.fixture
def promptkit(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(capsys, monkeypatch, project / "work")


def test_the_command_shows_file_and_line_and_ends_with_2(promptkit: CommandLine) -> None:
    write(promptkit.folder / "templates/good.j2", "{{ question }}")
    assert promptkit("templates", "check").code == 0
    write(promptkit.folder / "templates/cot/bad.j2", "\n{{ question }}{{ wetter }}")
    said = promptkit("templates", "check")
    assert said.code == 2
    assert said.out.startswith("templates/cot/bad.j2:2: error: nothing gives the variable 'wetter' (")
    assert said.err == "2 files, 1 error, 0 notes\n"
    assert promptkit("templates", "check", "templates/good.j2").code == 0
    assert promptkit("templates", "check", "--var", "wetter").code == 0
    told = json.loads(promptkit("templates", "check", "templates/cot/bad.j2", "--json").out)
    assert [(one["line"], one["level"]) for one in told["findings"]] == [(2, "error")]


def test_notes_are_no_errors(promptkit: CommandLine) -> None:
    write(promptkit.folder / "mine.j2", "Say hello.")
    said = promptkit("templates", "check", "mine.j2")
    assert (said.code, said.err) == (0, "1 file, 0 errors, 1 note\n")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ([], "there is no file or folder templates (`promptkit templates new` writes a first template)"),
        (["none.j2"], "there is no file or folder none.j2"),
        (["empty"], "empty holds no template (template files end in .j2)"),
        (["binary.j2"], "binary.j2 is not UTF-8 text"),
    ],
)
def test_what_cannot_be_checked(promptkit: CommandLine, args: list[str], said: str) -> None:
    (promptkit.folder / "empty").mkdir()
    (promptkit.folder / "binary.j2").write_bytes(b"\xff\xfe")
    refused = promptkit("templates", "check", *args)
    assert refused.code == 2
    assert said in refused.err


def test_a_hostile_template_cannot_steer_the_terminal(promptkit: CommandLine) -> None:
    write(promptkit.folder / "mine.j2", "{{ question }}{% include '\x1b[31mred' %}{% user %}x{% enduser %}\x1b[2J")
    assert "\x1b" not in promptkit("templates", "check", "mine.j2").out


def test_names_that_python_strings_are_not(project: Path) -> None:
    with pytest.raises(TemplateError, match="larger than"):
        check([write(project / "big.j2", "x" * 500_001)])
