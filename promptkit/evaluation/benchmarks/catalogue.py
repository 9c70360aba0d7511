"""The benchmarks that have a name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from promptkit import plugins
from promptkit.evaluation.benchmarks.hub import HubFiles
from promptkit.evaluation.benchmarks.rows import Row
from promptkit.evaluation.benchmarks.scorers import Scorer
from promptkit.types import Kind


@dataclass(frozen=True)
class Known:
    """A benchmark by name."""

    name: str
    kind: Kind
    size: int | None
    """Number of questions; `None` only where a packaged file has not been counted."""
    licence: str
    citation: str
    format: str | None = None
    """The published format of its files; `None` is columns `question` and `answer`."""
    packaged: str | Path | None = None
    """Its file in the package; of a plugin, the absolute path of its file."""
    hub: HubFiles | None = None
    train: str | None = None
    """The name of its training split, from which demonstrations may be taken."""
    rows: tuple[int, int] | None = None
    """The part of its file that it is, counted from 0, the end not included."""
    make: Callable[[int, int], Sequence[Row]] | None = None
    """Makes up its rows, of the columns `question` and `answer`, from their number and a seed: of plugins."""
    scorer: Scorer | None = None
    """What counts as right, where the format does not say it."""
    brought_by: str = ""
    """The package of a plugin, with its version."""

    @property
    def source(self) -> str:
        """Where its questions come from."""
        if self.brought_by:
            return self.brought_by
        if self.packaged:
            return "packaged"
        if self.hub:
            return f"hub: {self.hub.repository}@{self.hub.revision or 'newest commit (not pinned)'}"
        return f"your file: {self.name}=FILE"


# No published pin of ChilleD/MultiArith could be found, and a commit is not a thing to guess: its newest one is taken
# and named in `Benchmark.source`. Its two splits together are the 600 questions, in an order of its own.
_MULTIARITH = HubFiles("ChilleD/MultiArith", None, ("train.json", "test.json"))
_GSM8K = HubFiles("openai/gsm8k", "740312add88f781978c0658806c59bc2815b9866", ("main/test-00000-of-00001.parquet",))
_GSM8K_TRAIN = HubFiles(_GSM8K.repository, _GSM8K.revision, ("main/train-00000-of-00001.parquet",))
_ROY = "Roy & Roth 2015, Solving General Arithmetic Word Problems"
_COBBE = "Cobbe et al. 2021, Training Verifiers to Solve Math Word Problems"
_SRIVASTAVA = "Srivastava et al. 2022, Beyond the Imitation Game (BIG-bench)"
_WEI = "Wei et al. 2022, Chain-of-Thought Prompting Elicits Reasoning in Large Language Models"
_YAO = "Yao et al. 2023, Tree of Thoughts: Deliberate Problem Solving with Large Language Models"
_OURS = "promptkit's own questions, generated in the style of "
_OWN = "promptkit's own questions, written by hand"

KNOWN: dict[str, Known] = {
    entry.name: entry
    for entry in (
        Known(
            "multiarith-style",
            "number",
            None,
            "CC0-1.0",
            _OURS + _ROY,
            "MultiArith",
            packaged="multiarith-style.json",
        ),
        Known("gsm8k-style", "number", None, "CC0-1.0", _OURS + _COBBE, "GSM8K", packaged="gsm8k-style.jsonl"),
        Known("sentiment", "label", None, "CC0-1.0", _OWN, packaged="sentiment.jsonl"),
        Known("sentiment-train", "label", None, "CC0-1.0", _OWN, packaged="sentiment-train.jsonl"),
        Known("multiarith", "number", 600, "not stated", _ROY, "MultiArith", hub=_MULTIARITH),
        Known("gsm8k", "number", 1319, "MIT", _COBBE, "GSM8K", hub=_GSM8K, train="gsm8k-train"),
        Known("gsm8k-train", "number", 7473, "MIT", _COBBE, "GSM8K", hub=_GSM8K_TRAIN),
        Known(
            "addsub",
            "number",
            395,
            "not stated",
            "Hosseini et al. 2014, Learning to Solve Arithmetic Word Problems with Verb Categorization",
            "MultiArith",
        ),
        Known(
            "singleeq",
            "number",
            508,
            "not stated",
            "Koncel-Kedziorski et al. 2015, Parsing Algebraic Word Problems into Equations",
            "MultiArith",
        ),
        Known(
            "svamp",
            "number",
            1000,
            "MIT",
            "Patel et al. 2021, Are NLP Models Really Able to Solve Simple Math Word Problems?",
            "SVAMP",
        ),
        Known(
            "aqua", "choice", 254, "Apache-2.0", "Ling et al. 2017, Program Induction by Rationale Generation", "AQuA"
        ),
        Known("commonsenseqa", "choice", 1221, "MIT", "Talmor et al. 2019, CommonsenseQA", "CommonsenseQA"),
        Known("date", "choice", 369, "Apache-2.0", _SRIVASTAVA, "BIG-bench"),
        Known("objects", "choice", 750, "Apache-2.0", _SRIVASTAVA, "BIG-bench"),
        Known(
            "strategyqa",
            "yesno",
            2290,
            "Apache-2.0",
            "Geva et al. 2021, Did Aristotle Use a Laptop?; " + _SRIVASTAVA,
            "BIG-bench",
        ),
        Known("coin_flip", "yesno", 500, "not stated", _WEI),
        Known("last_letters", "text", 500, "not stated", _WEI),
        Known("game24-style", "expression", None, "CC0-1.0", _OURS + _YAO, "Game of 24", packaged="game24.csv"),
        Known("game24", "expression", 1362, "MIT", _YAO, "Game of 24"),
        # The puzzles that the paper reports on: neither the easiest nor the hardest by people's times.
        Known("game24-test", "expression", 100, "MIT", _YAO, "Game of 24", rows=(900, 1000)),
        Known("mini_crosswords", "grid", 20, "MIT", _YAO, "Mini crosswords"),
        Known("creative_writing", "text", 100, "MIT", _YAO, "Creative writing"),
    )
}


def entry_of(name: str) -> Known | None:
    """The benchmark of this name, promptkit's own or a plugin's; `None` where there is none.

    Raises:
        ConfigError: the plugin that brings it cannot be used.
    """
    if name in KNOWN:
        return KNOWN[name]
    plugin = plugins.find("benchmarks", name)
    if plugin is None:
        return None
    entry = plugin.load()
    if not isinstance(entry, Known) or entry.name != name:
        raise plugin.refused(f"it is no Known with the name {name!r}")
    if not (entry.make or entry.hub or (isinstance(entry.packaged, Path) and entry.packaged.is_absolute())):
        raise plugin.refused("it has no questions: give it packaged= with an absolute Path, hub= or make=")
    return replace(entry, brought_by=plugin.package)


def names() -> list[str]:
    """The names of all benchmarks, those of plugins last."""
    return [*KNOWN, *(name for name in plugins.names("benchmarks") if name not in KNOWN)]
