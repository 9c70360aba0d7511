"""The packaged sentiment reviews: balanced, of their own words, and apart from the pool of demonstrations."""

import json
import re
from collections import Counter

from promptkit.evaluation import load
from promptkit.evaluation.benchmarks.pools import pool_for
from promptkit.paths import packaged
from promptkit.strategies.demonstrations import load_demonstrations
from promptkit.strategies.near_duplicates import NearDuplicates

TEST, TRAIN = (
    [json.loads(line) for line in (packaged("evals") / f"{name}.jsonl").read_text("utf-8").splitlines()]
    for name in ("sentiment", "sentiment-train")
)
HEAD = "Is this review positive or negative?\nReview: "
REVIEWS = [row["question"].removeprefix(HEAD) for row in TEST + TRAIN]
SHOWN = [demo.question.removeprefix(HEAD) for demo in load_demonstrations("label")]


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def test_counts_and_fields() -> None:
    assert (len(TEST), len(TRAIN)) == (200, 80)
    for rows in (TEST, TRAIN):
        assert Counter(row["answer"] for row in rows) == {"positive": len(rows) // 2, "negative": len(rows) // 2}
        assert {tuple(row) for row in rows} == {("id", "question", "answer", "domain", "difficulty")}
    assert len({row["id"] for row in TEST + TRAIN}) == 280
    assert all(row["question"].startswith(HEAD) for row in TEST + TRAIN)
    readme = (packaged("evals") / "README.md").read_text("utf-8")
    assert all(f"| {len(rows)} |" in readme for rows in (TEST, TRAIN))


def test_every_even_number_of_first_questions_is_balanced() -> None:
    for rows in (TEST, TRAIN):
        assert all(
            {rows[place]["answer"], rows[place + 1]["answer"]} == {"positive", "negative"}
            for place in range(0, len(rows), 2)
        )


def test_domains_are_varied_and_say_nothing_about_the_label() -> None:
    counts = Counter((row["domain"], row["answer"]) for row in TEST + TRAIN)
    assert len({domain for domain, _ in counts}) >= 30
    assert set(counts.values()) == {4}
    hard = Counter(row["difficulty"] for row in TEST)
    assert set(hard) == {"plain", "irony", "mixed", "negation", "comparison"}
    assert 60 <= len(TEST) - hard["plain"] <= 100


def test_reviews_are_of_their_own_words() -> None:
    assert len({words(text)[0] + words(text)[1] + words(text)[2] for text in REVIEWS}) >= 265
    runs = [{tuple(found[i : i + 5]) for i in range(len(found) - 4)} for found in map(words, REVIEWS + SHOWN)]
    seen = Counter(run for found in runs for run in found)
    assert [run for run, count in seen.items() if count > 1] == []
    for place, text in enumerate(REVIEWS):
        bag = set(words(text))
        for other in (REVIEWS + SHOWN)[place + 1 :]:
            theirs = set(words(other))
            assert len(bag & theirs) < 0.4 * len(bag | theirs), (text, other)


def test_no_review_says_its_label_or_is_too_short_to_tell() -> None:
    for text in REVIEWS:
        assert not re.search(r"(?i)\b(positive|negative)", text), text
        assert 7 <= len(words(text)) <= 30, text
        assert text == text.strip() and "  " not in text
        assert text[0].isupper() and text[-1] in ".!?", text


def test_no_question_is_in_its_pool() -> None:
    found = NearDuplicates(row["question"] for row in TRAIN)
    assert not [row for row in TEST if found.of(row["question"])]
    assert len(pool_for(load("sentiment")).items) == len(TRAIN)
    assert len(pool_for(load("sentiment-train"), "sentiment").items) == len(TEST)
