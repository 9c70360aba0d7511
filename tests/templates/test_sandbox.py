"""Templates in their sandbox: what is refused, what is metered."""

from fractions import Fraction
from pathlib import Path

import pytest

from promptkit.errors import TemplateError
from promptkit.templates import load, names
from promptkit.templates import meter as limits
from promptkit.types import Demonstration
from tests.templates.writing import prompt, refusal, write


class TestSandbox:
    @pytest.mark.parametrize(
        "source",
        [
            "{{ ''.__class__ }}",
            "{{ ''['__class__'] }}",
            "{{ ''.__class__.__mro__[1].__subclasses__() }}",
            "{{ kind.mro() }}",
            "{{ kind('x') }}",
            "{{ q | attr('__class__') }}",
            "{{ [q] | map(attribute='__class__') | join }}",
            "{{ [q] | map('attr', '__class__') | join }}",
            "{{ ['__class__'] | map(attribute='x.__class__') | join }}",
            "{{ '{0.__class__}'.format(q) }}",
            "{{ '{0.__class__}'['format'](q) }}",
            "{{ '{x.__class__}'.format_map({'x': q}) }}",
            "{{ '%(x)s'.__mod__({'x': 1}) }}",
            "{{ range.__init__.__globals__ }}",
            "{{ cycler.__init__.__globals__.os }}",
            "{{ namespace.__init__.__globals__ }}",
            "{{ self.__init__ }}",
            "{{ self._TemplateReference__context }}",
            "{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}",
            "{% for x in 'a' %}{{ loop._iterable }}{% endfor %}",
            "{{ function() }}",
            "{{ function.__globals__ }}",
            "{{ demo.model_dump() }}",
            "{{ demo.__dict__ }}",
            "{{ demo.copy() }}",
            "{{ items.append(1) }}",
            "{{ table.update({}) }}",
            "{{ table.pop('a') }}",
            "{{ q.encode() }}",
            "{{ q.translate({}) }}",
            "{{ 'a'.maketrans({}) }}",
            "{{ lipsum() }}",
            "{{ items | random }}",
            "{% do items.append(1) %}",
            "{{ q.join.__self__ }}",
            "{{ () | groupby('__class__') | list | length }}{{ [q] | groupby('__class__') | list }}",
            "{{ [q, q] | sort(attribute='__class__') | first }}",
        ],
    )
    def test_tricks_are_refused(self, source: str) -> None:
        items, table = [1], {"a": 1}
        demo = Demonstration(question="q", answer="a")
        refusal(source, q="x", kind=str, function=lambda: "called", demo=demo, items=items, table=table)
        assert items == [1] and table == {"a": 1}

    @pytest.mark.parametrize(
        "name", ["../secret", "/etc/passwd", "a/../../secret", "..\\secret", ".hidden", "a//b", ""]
    )
    @pytest.mark.parametrize("tag", ["{% include NAME %}", "{% import NAME as x %}", "{% from NAME import x %}",
                                     "{% extends NAME %}", "{% include [NAME] ignore missing %}"])  # fmt: skip
    def test_inclusion_does_not_leave_the_folders(self, project: Path, name: str, tag: str) -> None:
        write(project / "work/secret.j2", "secret")
        assert "is no name of a template" in refusal(tag.replace("NAME", repr(name)))

    def test_links_do_not_leave_the_folders(self, project: Path) -> None:
        secret = write(project / "secret.j2", "secret")
        (project / "work/templates").mkdir()
        (project / "work/templates/link.j2").symlink_to(secret)
        (project / "work/templates/folder").symlink_to(project)
        for name in ("link", "folder/secret"):
            assert "is a link out of" in refusal(f"{{% include '{name}' %}}")
            with pytest.raises(TemplateError, match="is a link out of"):
                load(name)
            assert name not in names()

    def test_a_part_that_does_not_exist(self) -> None:
        assert "it includes 'parts/nothing', which no template folder has" in refusal(
            "{% include 'parts/nothing.j2' %}"
        )
        assert prompt("{% include 'parts/nothing' ignore missing %}x") == "x"


def doubling(start: str, step: str, block: str = "{% set ns.x = STEP %}", end: str = "{{ ns.x | length }}") -> str:
    """A template that makes a value twice as large, 64 times over."""
    loop = "{% for i in range(64) %}" + block.replace("STEP", step) + "{% endfor %}"
    return "{% set ns = namespace(x=" + start + ") %}" + loop + end


class TestBombs:
    @pytest.mark.parametrize(
        "source",
        [
            "{{ 'a' * 10**9 }}",
            "{{ 10**9 * 'a' }}",
            "{{ ([0] * 10**9) | length }}",
            "{{ 10**(10**10) }}",
            "{{ 2 ** 99999999 }}",
            "{{ half ** 99999 }}",
            doubling("7", "ns.x * ns.x", end="{{ ns.x }}"),
            doubling("half", "ns.x * ns.x", end="{{ ns.x }}"),
            "{{ 'a'.center(10**9) }}",
            "{{ 'a'.ljust(10**9) }}",
            "{{ 'a'.rjust(10**9) }}",
            "{{ 'a'.zfill(10**9) }}",
            "{{ 'a'.expandtabs(10**9) }}",
            "{{ 'a' | center(10**9) }}",
            "{{ 'a' | indent(10**9) }}",
            "{{ ('\\n' * 100000) | indent(1000, true, true) }}",
            "{{ '%999999999d' | format(1) }}",
            "{{ '%999999999d' % 1 }}",
            "{{ '%.999999999f' % 1.0 }}",
            "{{ '%*d' % (999999999, 1) }}",
            "{{ '%((a))999999999d' % {'(a)': 1} }}",
            "{{ ('%(a)s' * 9999) % {'a': 'x' * 99999} }}",
            "{{ '{:999999999}'.format(1) }}",
            "{{ ('a' * 99999).replace('a', 'b' * 99999) }}",
            "{{ ('a' * 99999) | replace('', 'b' * 99999) }}",
            "{{ ('b' * 99999).join('a' * 99999) }}",
            "{{ ('a' * 99999) | join('b' * 99999) }}",
            "{{ 1.5 | round(10**9) }}",
            "{{ range(10001) | list | length }}",
            "{{ range(10**30) }}",
            "{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}x",
            "{% for a in q %}{% for b in q %}{% for c in q %}{% endfor %}{% endfor %}{% endfor %}x",
            "{% for a in q recursive %}{{ loop(q) }}{% endfor %}x",
            "{% for i in range(9999) %}{{ q }}{% endfor %}",
            "{% for i in range(9999) %}{% user %}{{ q }}{% enduser %}{% endfor %}",
            "{% macro m(x) %}{{ x }}{{ x }}{% endmacro %}" + "{{ " + "m(" * 40 + "q" + ")" * 40 + " }}",
            "{% macro m(n) %}{% if n %}{{ m(n-1) }}{{ m(n-1) }}{% endif %}{% endmacro %}{{ m(64) }}x",
            doubling("'a'", "ns.x ~ ns.x"),
            doubling("'a'", "ns.x + ns.x"),
            doubling("'a'", "[ns.x, ns.x] | join"),
            doubling("'a'", "'%s%s' % (ns.x, ns.x)"),
            doubling("'a'", "'%s%s' | format(ns.x, ns.x)"),
            doubling("'a'", "ns.x.replace('a', 'aa')"),
            doubling("[0]", "ns.x + ns.x"),
            doubling("[0]", "[ns.x, ns.x]"),
            doubling("[0]", "(ns.x, ns.x)"),
            doubling("[0]", "{1: ns.x, 2: ns.x}"),
            doubling("[0]", "dict(a=ns.x, b=ns.x)"),
            doubling("(0,)", "{ns.x: (ns.x, ns.x)}.get(ns.x)"),
            doubling("'a'", "{{ ns.x }}{{ ns.x }}", block="{% set ns.x %}STEP{% endset %}"),
            "{% macro two() %}{% set ns.x = varargs %}{% endmacro %}"
            + doubling("(1,)", "{{ two(ns.x, ns.x) }}", block="STEP", end="{{ {ns.x: 1} | length }}"),
            "{% macro two(ns) %}{% set ns.x = varargs %}{% endmacro %}"
            + doubling("(1,)", "{{ two(ns, ns.x, ns.x) }}", block="STEP", end="{{ {ns.x: 1} | length }}"),
            "{% for i in range(9999) %}{% if 'b' in q %}{% endif %}{% endfor %}x",
            "{{ [[1], [2]] | sum }}",
            "{{ {'a': 1} | tojson(indent=10**9) }}",
        ],
    )
    def test_bombs_are_refused(self, source: str) -> None:
        assert "TypeError" not in refusal(source, q="a" * 9999, half=Fraction(1, 7))

    @pytest.mark.parametrize(
        "source",
        ["{{ ('a' * 99999) | wordwrap(1, true, 'b' * 99999) }}", "{{ ([[]] * 9999) | sum(start=[]) }}"],
    )
    def test_arguments_that_could_blow_up_are_left_out(self, source: str) -> None:
        assert "TypeError" in refusal(source)

    def test_a_template_that_includes_itself(self, project: Path) -> None:
        write(
            project / "work/templates/twice.j2",
            "{% if n %}{% set n = n - 1 %}{% include 'twice' %}{% include 'twice' %}{% endif %}x",
        )
        with pytest.raises(TemplateError, match=r"loop iterations|handles more"):
            load("twice").render(n=64)

    def test_output_is_capped(self) -> None:
        assert len(prompt("{{ q }}", q="a" * limits.MAX_OUTPUT)) == limits.MAX_OUTPUT
        assert "longer than 1,000,000 characters" in refusal("{{ q }}", q="a" * (limits.MAX_OUTPUT + 1))
        two = "{% user %}{{ q }}{% enduser %}{% assistant %}{{ q }}{% endassistant %}"
        assert "longer than 1,000,000 characters" in refusal(two, q="a" * 600_000)

    def test_a_large_file_is_refused(self, project: Path) -> None:
        with pytest.raises(TemplateError, match="larger than"):
            load(str(write(project / "big.j2", "x" * 500_001)))

    def test_a_range_up_to_the_limit_is_fine(self) -> None:
        assert prompt("{% for i in range(10000) %}{% endfor %}{{ range(10000) | sum }}") == "49995000"
