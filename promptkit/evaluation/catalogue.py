"""The benchmarks that have a name."""

from dataclasses import dataclass

from promptkit.evaluation.hub import HubFiles
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
    packaged: str | None = None
    """Its file in the package."""
    hub: HubFiles | None = None
    train: str | None = None
    """The name of its training split, from which demonstrations may be taken."""
    rows: tuple[int, int] | None = None
    """The part of its file that it is, counted from 0, the end not included."""

    @property
    def source(self) -> str:
        """Where its questions come from."""
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
