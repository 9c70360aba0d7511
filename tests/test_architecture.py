"""The shape that `design.md` fixes: who may import whom, how long files are, what is never called."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.isolation import ROOT

PACKAGE = ROOT / "promptkit"
FILES = sorted(PACKAGE.rglob("*.py"))
PLAIN = {"types", "errors"}
"""What everything may import."""

DIRECTIONS: dict[str, set[str]] = {
    "types": set(),
    "errors": set(),
    "paths": set(),
    "templates": PLAIN | {"__version__", "paths"},
    "plugins": PLAIN,
    "extract": PLAIN | {"foreign_text", "plugins"},
    "flow": PLAIN,
    "backends.base": PLAIN,
    "backends.cached": PLAIN | {"backends.base", "backends.store"},
    "backends.openai": PLAIN | {"backends.base", "prices"},
    "backends.hf": PLAIN | {"backends.base", "models"},
    "backends.ray": PLAIN | {"backends.base", "__version__"},
    "models": PLAIN | {"paths"},
    "budget": PLAIN | {"backends.base", "prices"},
    "prices": PLAIN,
    "scheduler": PLAIN | {"backends.base", "budget", "flow"},
    "diagnosis": PLAIN | {"backends", "evaluation", "extract", "models", "paths", "plugins", "strategies"},
    "drawing": PLAIN,
    "foreign_text": set(),
    "embedding": PLAIN | {"models"},
    "report": PLAIN | {"__version__", "drawing", "evaluation", "paths", "strategies"},
    "strategies": PLAIN
    | {
        "backends.base",
        "backends.default",
        "budget",
        "embedding",
        "extract",
        "flow",
        "paths",
        "plugins",
        "scheduler",
        "templates",
    },
}
"""By module or folder, what it may import besides itself; other backends are in `allowed`."""
EVALUATION: dict[str, set[str]] = {
    "statistics": set(),
    "benchmarks": set(),
    "runs": {"benchmarks", "statistics"},
    "running": {"benchmarks", "runs"},
    "analysis": {"benchmarks", "runs", "statistics"},
    "presentation": {"analysis", "runs", "statistics"},
    "rereading": {"analysis", "presentation", "runs", "statistics"},
    "routing": {"analysis", "runs", "statistics"},
    "judging": {"benchmarks", "presentation", "runs", "statistics"},
    "ablation": {"benchmarks", "presentation", "running", "runs"},
    "exporting": {"runs"},
}
"""By part of the evaluation, which other parts it may import; none after it, so that there is no cycle."""
DISPLAY = {
    "types": {"_repr_html_": "report.notebook.result_html"},
    "evaluation.runs.run": {"_repr_html_": "report.notebook.run_html", "to_pandas": "evaluation.exporting.to_pandas"},
}
"""What a method that shows its object another way may import when it is called, against the direction."""


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module(path: Path) -> str:
    """`promptkit/backends/base.py` → `backends.base`; a package's `__init__.py` is the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imports(node: ast.AST) -> Iterator[str]:
    """Every name of promptkit that is imported in `node`: `backends.base.Backend`, `types`, …"""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            found = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom) and child.level == 0:
            found = [f"{child.module}.{alias.name}" for alias in child.names]
        else:
            continue
        for name in found:
            if name.partition(".")[0] == "promptkit":
                yield name.removeprefix("promptkit").removeprefix(".")


def within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(f"{folder}.")


def allowed(importer: str) -> set[str] | None:
    """What this module may import, or `None` where the design leaves it free."""
    for part, others in DIRECTIONS.items():
        if within(importer, part):
            return others | {part}
    if importer.startswith("backends."):
        return PLAIN | {"backends.base", importer}
    return None


def forbidden(importer: str, source: ast.AST) -> list[str]:
    shown = set[str]()
    for node in ast.walk(source):
        if isinstance(node, ast.FunctionDef) and node.name in DISPLAY.get(importer, {}):
            shown |= set(imports(node)) & {DISPLAY[importer][node.name]}
    may, found = allowed(importer), [n for n in imports(source) if n not in shown]
    wrong = [n for n in found if may is not None and not any(within(n, other) for other in may)]
    if not within(importer, "cli") and not within(importer, "report"):
        wrong += [n for n in found if within(n, "report") and n not in wrong]
    return wrong + [n for n in found if within(n, "evaluation") and not within_evaluation(importer, n)]


def within_evaluation(importer: str, name: str) -> bool:
    """Whether a module may import this name of the evaluation, as far as the parts of the evaluation go."""
    if not within(importer, "evaluation") or importer == "evaluation":
        return True
    part = importer.split(".")[1]
    return any(within(name, f"evaluation.{other}") for other in EVALUATION[part] | {part})


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_imports_go_in_the_directions_of_the_design(path: Path) -> None:
    assert forbidden(module(path), tree(path)) == []


@pytest.mark.parametrize(
    ("importer", "line"),
    [
        ("types", "from promptkit.errors import ConfigError"),
        ("errors", "import promptkit.types"),
        ("flow", "from promptkit.scheduler import run_flows"),
        ("flow", "from promptkit import Question"),
        ("extract.number", "from promptkit.templates import load"),
        ("backends.fake", "from promptkit.flow import ask"),
        ("backends.fake", "from promptkit.backends import hf"),
        ("backends.base", "from promptkit.paths import cache_dir"),
        ("scheduler", "from promptkit.backends.hf import HFBackend"),
        ("strategies.cot", "def run():\n    from promptkit.backends.fake import FakeBackend"),
        ("types", "from promptkit.report.notebook import result_html"),
        ("types", "def _repr_html_(self):\n    from promptkit.errors import ConfigError"),
        ("evaluation.runs.folder", "def _repr_html_(self):\n    from promptkit.report.notebook import run_html"),
        ("evaluation.presentation.verdict", "from promptkit.report import page"),
        ("evaluation.runs.run", "from promptkit.evaluation.exporting import to_pandas"),
        ("evaluation.runs.run", "def summary(self):\n    from promptkit.evaluation.exporting import to_pandas"),
        ("evaluation.statistics.paired", "from promptkit.evaluation.runs import Run"),
        ("evaluation.analysis.noise", "from promptkit.evaluation import compare"),
        ("evaluation.analysis.noise", "def late():\n    from promptkit.evaluation.presentation import verdict"),
        ("report.page", "from promptkit.cli import app"),
        ("report.page", "from promptkit.backends import default"),
        ("strategies.cot", "if TYPE_CHECKING:\n    from promptkit.evaluation import Benchmark"),
    ],
)
def test_a_wrong_import_is_seen(importer: str, line: str) -> None:
    assert forbidden(importer, ast.parse(line))


STRATEGIES = sorted((PACKAGE / "strategies").rglob("*.py"))


@pytest.mark.parametrize("path", STRATEGIES, ids=names(STRATEGIES))
def test_the_default_backend_is_imported_inside_functions_only(path: Path) -> None:
    inside = {n for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef) for n in imports(node)}
    outside = [
        n for node in tree(path).body if not isinstance(node, ast.FunctionDef | ast.ClassDef) for n in imports(node)
    ]
    assert not {n for n in inside if within(n, "backends")} - {"backends.default"}
    assert "backends.default" not in outside


def steps_of(source: ast.Module) -> list[ast.FunctionDef]:
    """The flows of a strategy module: its methods `steps` and `prepare`, and every function that yields."""
    functions = [node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)]
    return [
        function
        for function in functions
        if function.name in ("steps", "prepare")
        or any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
    ]


READS = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "load", "load_demonstrations", "Path", "sleep"}


def called(function: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return {f.id if isinstance(f, ast.Name) else f.attr for f in calls if isinstance(f, ast.Name | ast.Attribute)}


@pytest.mark.parametrize("path", STRATEGIES, ids=names(STRATEGIES))
def test_a_strategy_sees_no_gold_answer_and_its_flows_touch_no_file(path: Path) -> None:
    source = tree(path)
    assert not {"types.Example"} & set(imports(source))
    assert "Example" not in {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
    for function in steps_of(source):
        assert not called(function) & READS, f"{function.name} reads or writes"


def test_flows_of_strategies_are_found() -> None:
    found = {path.stem for path in STRATEGIES if steps_of(tree(path))}
    assert {"zero_shot", "few_shot", "cot", "self_consistency"} <= found


@pytest.mark.parametrize("name", ["promptkit", "promptkit.cli", "promptkit.strategies"])
def test_importing_loads_nothing_heavy(name: str) -> None:
    heavy = {"torch", "transformers", "openai", "ray", "scipy", "sklearn", "datasets"}
    code = f"import sys, {name}; print(*sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_files_stay_short() -> None:
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {str(path) for path, n in lines.items() if n > 400} == set()
    long_strategies = {path.name for path, n in lines.items() if "strategies" in path.parts and n > 200}
    assert long_strategies <= {"base.py"}  # what all strategies inherit is no strategy


def test_names_say_what_things_are() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not vague & {path.stem for path in FILES}
    classes = [node.name for path in FILES for node in ast.walk(tree(path)) if isinstance(node, ast.ClassDef)]
    assert not [name for name in [*classes, *(path.stem for path in FILES)] if "manager" in name.lower()]


def undocumented(node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[str]:
    """Public functions, classes and methods without a docstring; overrides of `object` and pydantic hooks too."""
    for child in node.body:
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            if ast.get_docstring(child) is None:
                yield f"{prefix}{child.name}"
            if isinstance(child, ast.ClassDef):
                yield from undocumented(child, f"{prefix}{child.name}.")


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_everything_public_is_explained(path: Path) -> None:
    source = tree(path)
    assert ast.get_docstring(source) or not source.body, "the module has no docstring"
    assert list(undocumented(source, "")) == []


def dangerous(source: ast.AST) -> list[str]:
    found: list[str] = []
    for node in ast.walk(source):
        match node:
            case ast.Call(func=ast.Name(id=("eval" | "exec" | "sympify") as name)):
                found.append(name)
            case ast.Import(names=aliases):
                found += [alias.name for alias in aliases if alias.name.partition(".")[0] in _UNSAFE]
            case ast.ImportFrom(module=str(name)) if name.partition(".")[0] in _UNSAFE:
                found.append(name)
            case ast.keyword(arg="trust_remote_code", value=ast.Constant(value=True)):
                found.append("trust_remote_code")
    return found


_UNSAFE = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_no_text_becomes_code(path: Path) -> None:
    assert dangerous(tree(path)) == []


@pytest.mark.parametrize(
    "line", ["eval(text)", "exec(text)", "import pickle", "from pickle import loads", "load(x, trust_remote_code=True)"]
)
def test_dangerous_lines_are_seen(line: str) -> None:
    assert dangerous(ast.parse(line))


def test_the_parts_of_the_evaluation_have_an_order() -> None:
    before = set[str]()
    for part, others in EVALUATION.items():
        assert others <= before, f"{part} comes too early"
        before.add(part)
    held = {module(path).split(".")[1] for path in FILES if module(path).startswith("evaluation.")}
    assert held == before


def test_the_checks_see_the_whole_package() -> None:
    seen = {module(path) for path in FILES}
    assert {"types", "flow", "scheduler", "backends.base", "strategies.cot", "extract", "templates"} <= seen
    unruled = {name for name in seen if allowed(name) is None}
    free = {name for name in seen if within(name, "evaluation") or within(name, "cli")}
    assert unruled <= {"__init__", "__main__", "backends"} | free
