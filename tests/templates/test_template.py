"""Templates: what they may use, how they are loaded, cached and found."""

import threading
from pathlib import Path

import pytest

from promptkit import paths
from promptkit.errors import TemplateError
from promptkit.templates import Template, load, names, render
from promptkit.types import Demonstration
from tests.templates.writing import prompt, write


class TestWhatMayBeUsed:
    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("{{ ' a '.strip().upper() }}", "A"),
            ("{{ ', '.join(xs) }} {{ xs | join('; ') }}", "b, a b; a"),
            ("{{ 'a-b'.split('-') | last }}{{ xs.index('a') }}{{ d.get('k') }}", "b11"),
            ("{% for k, v in d.items() %}{{ k }}={{ v }}{% endfor %}", "k=1"),
            ("{% for k, v in d | items %}{{ k }}={{ v }}{% endfor %}", "k=1"),
            ("{{ '%.2f and %5s %% %(%' | format(1, 2) if false else '%.2f %% %s' % (1.005, 'x') }}", "1.00 % x"),
            ("{{ '%(a)s' | format(a=1) }}", "1"),
            ("{{ xs | map('upper') | join }}{{ demos | map(attribute='answer') | join(',') }}", "BA1,2"),
            ("{{ demos | selectattr('answer', 'eq', '2') | map(attribute='question') | first }}", "two"),
            ("{{ demos | join(',', attribute='question') }}", "one,two"),
            ("{{ 'a b c d' | wordwrap(3) }}", "a b\nc d"),
            ("{{ 'a\nb' | indent(2) }}|{{ 'a' | center(3) }}|{{ 'a'.rjust(3, '.') }}", "a\n  b| a |..a"),
            ("{{ 'abcdefgh' | truncate(5, true, '…', 0) }}", "abcd…"),
            ("{{ 2 ** 10 + 3 * 4 - 7 // 2 + 7 % 4 }} {{ 2.567 | round(1) }}", "1036 2.6"),
            ("{{ 'a' * 3 ~ 1 ~ 2.5 }} {{ [1] + [2] == [1, 2] }}", "aaa12.5 True"),
            ("{{ [3, 1] | sort | tojson }} {{ [1, 2, 2] | unique | sum }} {{ [1, 2] | max }}", "[1, 3] 3 2"),
            ("{{ {'a': [1]} | tojson(indent=1) }}", '{\n "a": [\n  1\n ]\n}'),
            ("{% set n = namespace(n=0) %}{% for x in xs if x %}{% set n.n = n.n + 1 %}{% endfor %}{{ n.n }}", "2"),
            ("{% for x in xs %}{{ loop.cycle('o', 'e') }}{{ loop.first }}{{ loop.length }}{% endfor %}",
             "oTrue2eFalse2"),
            ("{% for x in [1, [2, [3]]] recursive %}{{ loop(x) if x is iterable else x }}{% endfor %}", "123"),
            ("{% macro m(a, b='!') %}{{ a }}{{ b }}{{ caller() }}{% endmacro %}{% call m('x') %}y{% endcall %}", "x!y"),
            ("{% set x %}a{% endset %}{% filter upper %}{{ x }}b{% endfilter %}", "AB"),
            ("{% with y = 1 %}{{ y }}{% endwith %}", "1"),
            ("{{ 'a' in xs }}{{ 'z' not in 'abc' }}{{ kind in ('number', 'date') }}", "TrueTrueTrue"),
            ("{% for x in xs %}{{ x.replace('a', 'c').rjust(2) }}{{ '-'.join(xs) }}{% endfor %}", "bb-a cb-a"),
            ("{% macro m() %}{{ varargs[0] }}{{ kwargs.k }}{% endmacro %}{% for x in xs %}{{ m(x, k=1) }}{% endfor %}",
             "b1a1"),
            ("{% block b %}{% for x in xs %}{{ x.upper() }}{{ x.center(3) }}{% endfor %}{% endblock %}", "B b A a"),
            ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
            ("{{ dict(a=1).a }}{{ xs[:1] | join }}{{ xs[-1] }}", "1ba"),
        ],
    )  # fmt: skip
    def test_ordinary_jinja(self, source: str, expected: str) -> None:
        demos = (Demonstration(question="one", answer="1"), Demonstration(question="two", answer="2"))
        assert prompt(source, xs=["b", "a"], d={"k": 1}, demos=demos, kind="number") == expected


class TestTemplate:
    def test_value_semantics(self) -> None:
        one, two = Template("a", "x"), Template("a", "x", Path("elsewhere.j2"))
        assert one == two and hash(one) == hash(two)
        assert one != Template("b", "x") and one != Template("a", "y")

    def test_hash_covers_the_source_and_its_parts(self, project: Path) -> None:
        assert Template("a", "x").hash == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        part = project / "work/templates/parts/p.j2"
        write(part, "1")
        source = "{% include 'parts/p' %}"
        before = Template("a", source)
        assert before == Template("a", source)
        write(part, "2")
        after = Template("a", source)
        assert before.hash != after.hash and before != after
        assert before.render().messages[0].content == "1"
        assert after.render().messages[0].content == "2"

    def test_variables(self, project: Path) -> None:
        assert Template("t", "{% set a = b %}{{ a }}{{ c | default(1) }}{{ range(2) | sum }}").variables == {"b", "c"}
        write(project / "work/templates/parts/p.j2", "{{ demo }}{{ trigger }}")
        source = "{% for demo in demos %}{% include 'parts/p' %}{% endfor %}"
        assert Template("t", source).variables == {"demos", "trigger"}

    def test_rendering_reads_no_file(self, project: Path) -> None:
        part = write(project / "work/templates/parts/p.j2", "{{ q }}")
        template = Template("t", "{% include 'parts/p' %}")
        part.unlink()
        assert [template.render(q=i).messages[0].content for i in range(3)] == ["0", "1", "2"]

    def test_threads_do_not_mix(self) -> None:
        template = load("cot/few-shot")
        wrong: list[str] = []

        def work(number: int) -> None:
            for turn in range(200):
                demos = tuple(Demonstration(question=f"{number}", answer=f"{turn}") for _ in range(number))
                made = template.render(question=f"{number}-{turn}", demos=demos)
                if len(made.messages) != 2 * number + 1 or made.messages[-1].content != f"{number}-{turn}":
                    wrong.append(f"{number}-{turn}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_a_failed_rendering_leaves_nothing_behind(self) -> None:
        template = Template("t", "{% user %}a{% enduser %}{% user %}{{ x }}{% enduser %}")
        with pytest.raises(TemplateError):
            template.render()
        assert [m.content for m in template.render(x="b").messages] == ["a", "b"]


class TestSearch:
    def test_user_folder_then_working_folder_then_packaged(self, project: Path) -> None:
        packaged = load("zero-shot/plain")
        assert packaged.path == paths.packaged("templates") / "zero-shot/plain.j2"
        write(project / "work/templates/zero-shot/plain.j2", "work {{ question }}")
        assert render("zero-shot/plain", question="q")[0].content == "work q"
        write(project / "user/templates/zero-shot/plain.j2", "user {{ question }}")
        assert render("zero-shot/plain", question="q")[0].content == "user q"
        assert load("zero-shot/plain") != packaged

    def test_a_changed_file_is_read_anew(self, project: Path) -> None:
        for text in ("one", "two"):
            write(project / "work/templates/mine.j2", text)
            assert render("mine")[0].content == text

    def test_a_part_may_be_overridden(self, project: Path) -> None:
        write(project / "user/templates/parts/question.j2", "{% macro ask(q, c, l, gap) %}<{{ q }}>{% endmacro %}")
        assert render("zero-shot/plain", question="q")[0].content == "<q>"

    def test_by_path(self, project: Path) -> None:
        path = write(project / "odd name.j2", "\ufeffa\r\n{{ q }}")
        assert render(str(path), q="b")[0].content == "a\nb"
        plain = write(project / "work/prompt.txt", "c")
        assert load("prompt.txt").path == Path("prompt.txt") and plain.exists()
        assert load("cot/answer.j2").name == "cot/answer.j2"

    def test_unknown_names_suggest_close_ones(self) -> None:
        with pytest.raises(TemplateError) as caught:
            load("cot/zeroshot")
        assert caught.value.message == "there is no template 'cot/zeroshot'"
        assert caught.value.hint.startswith("did you mean cot/zero-shot")
        with pytest.raises(TemplateError, match="templates list"):
            load("qqqqqqqq")

    @pytest.mark.parametrize(
        "name", ["../x", "/nowhere/x.j2", "", "a\0b", "a b", "x" * 5000, "cot", "cot/", "~/x", "."]
    )
    def test_what_is_no_template(self, name: str, project: Path) -> None:  # noqa: ARG002
        with pytest.raises(TemplateError):
            load(name)

    def test_unreadable_files(self, project: Path) -> None:
        (project / "latin.j2").write_bytes(b"caf\xe9")
        with pytest.raises(TemplateError, match="not UTF-8"):
            load(str(project / "latin.j2"))

    def test_names(self, project: Path) -> None:
        write(project / "work/templates/mine/own.j2", "x")
        write(project / "work/templates/.hidden.j2", "x")
        assert set(names()) == {
            "chain/retry", "cot/answer", "cot/colloquial", "cot/few-shot", "cot/formal", "cot/one-stage",
            "cot/zero-shot",
            "few-shot/plain", "few-shot/unlabelled", "few-shot/unpaired", "judge/criterion", "judge/pair", "mine/own",
            "tree-of-thoughts/check", "tree-of-thoughts/judge",
            "tree-of-thoughts/creative-writing/passage", "tree-of-thoughts/creative-writing/plan",
            "tree-of-thoughts/creative-writing/vote", "tree-of-thoughts/crosswords/propose",
            "tree-of-thoughts/crosswords/value", "tree-of-thoughts/game24/answer", "tree-of-thoughts/game24/propose",
            "tree-of-thoughts/game24/value", "tree-of-thoughts/game24/value-answer",
            "tree-of-thoughts/reasoning/propose", "tree-of-thoughts/reasoning/sample",
            "tree-of-thoughts/reasoning/value", "tree-of-thoughts/reasoning/vote",
            "zero-shot/direct", "zero-shot/plain",
        }  # fmt: skip
        assert names() == sorted(names())
