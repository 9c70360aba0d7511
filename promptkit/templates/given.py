"""Which variables a template is given: what `check` knows about the strategies, the judges and the trees."""

from fnmatch import fnmatchcase

_QUESTION = frozenset({"question", "kind", "choices", "labels"})
_STATE = _QUESTION | {"state", "lines", "last"}
_JUDGED = frozenset({"task", "source", "references", "ask"})

# The first pattern that fits counts. `tests/templates/test_checking.py` compares this with what is really given.
_GIVEN: tuple[tuple[str, frozenset[str]], ...] = (
    ("zero-shot/*", _QUESTION | {"answer_trigger"}),
    ("few-shot/*", _QUESTION | {"demos"}),
    ("cot/answer", _QUESTION | {"trigger", "demos", "rationale", "answer_trigger"}),
    ("cot/*", _QUESTION | {"trigger", "demos"}),
    ("chain/retry", frozenset({"turns", "asked", "text", "error", "expected"})),
    ("judge/criterion", _JUDGED | {"output", "instructions", "scale"}),
    ("judge/pair", _JUDGED | {"first", "second"}),
    ("tree-of-thoughts/judge", _STATE | {"best"}),
    ("tree-of-thoughts/check", _STATE),
    ("tree-of-thoughts/game24/value-answer", _STATE | {"left", "numbers", "answer"}),
    ("tree-of-thoughts/game24/*", _STATE | {"left", "numbers"}),
    ("tree-of-thoughts/crosswords/value", _STATE | {"board", "filled", "unfilled", "clue", "letters"}),
    ("tree-of-thoughts/crosswords/*", _STATE | {"board", "filled", "unfilled"}),
    ("tree-of-thoughts/*/vote", _STATE | {"states"}),
    ("tree-of-thoughts/*", _STATE),
)
_OF_STEPS = frozenset({"item", "index"})
"""Of a chain's step that runs over a list."""


def given_to(name: str) -> frozenset[str] | None:
    """The variables that the packaged template of this name is given; `None` where it is no name of a packaged one."""
    return next((variables for pattern, variables in _GIVEN if fnmatchcase(name, pattern)), None)


def given_to_any() -> frozenset[str]:
    """Every variable that some template is given."""
    return _OF_STEPS.union(*(variables for _, variables in _GIVEN))
