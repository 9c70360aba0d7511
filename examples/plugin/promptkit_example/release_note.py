"""A judge: the rubric that release notes are judged by. `promptkit judge notes.jsonl --rubric release-note`"""

from promptkit.evaluation.judging import Criterion, Rubric

RELEASE_NOTE = Rubric(
    name="release-note",
    task="Say in one sentence what a new version does for its users.",
    criteria=(
        Criterion(name="user", ask="Does it say what a user gains, and not only what was changed inside?"),
        Criterion(name="brief", ask="Is it one sentence of at most 25 words?", check={"sentences": 1, "max_words": 25}),
    ),
)
