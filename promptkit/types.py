"""The plain data that flows through promptkit: frozen, validated, compared by value.

    Question ─strategy→ Request ─backend→ Completion ─extract→ Extraction ─strategy→ Result

Only data lives here: no module of the package is imported but what shows a result in a notebook, when one asks for it,
and nothing here does I/O.
"""

import hashlib
import string
from functools import cached_property, lru_cache
from typing import Annotated, Any, Literal, Self, TypeAlias, cast

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Role: TypeAlias = Literal["system", "user", "assistant"]
Kind: TypeAlias = Literal["number", "choice", "label", "yesno", "date", "text", "set", "expression", "grid"]
"""What sort of answer a question has; it picks the answer trigger, the extractor and the comparison."""
FinishReason: TypeAlias = Literal["stop", "length", "content_filter"]
AnswerValue: TypeAlias = str | tuple[str, ...]
"""An answer in canonical form: equal answers are equal values. Only `set` answers are tuples."""
StopStrings: TypeAlias = tuple[Annotated[str, Field(min_length=1)], ...]
"""Texts that end a completion. An empty one would end every completion before it begins."""


def answer_text(answer: AnswerValue) -> str:
    """An answer as people write it: the members of a set with commas between."""
    return answer if isinstance(answer, str) else ", ".join(answer)


class Data(BaseModel):
    """Base of the types here: immutable, compared by value, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Data):
    """One turn of a chat."""

    role: Role
    content: str


class Sampling(Data):
    """How to decode. `None` means "not said": wrappers and the backend may fill it in.

    `temperature=0` is greedy and differs from `None`: it is a decision that no wrapper overrides.
    """

    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=1)
    stop: StopStrings = ()
    seed: int | None = None
    """Seed of the run; the scheduler fills it in. Each sample's own seed is `Request.sample_seed`."""


class Request(Data):
    """One prompt to be completed, in two forms of the same content.

    `messages` is sent by backends in chat mode, `text` by backends in completion mode. A template may word the
    second form itself; otherwise it is the messages' contents, one paragraph each.
    """

    messages: tuple[Message, ...] = Field(min_length=1)
    prompt: str | None = None
    """The completion-mode wording, when it differs from the joined messages."""
    sampling: Sampling = Sampling()
    sample: tuple[int, ...] = ()
    """Which of several samples of the same prompt this is; nested sampling appends one index a level."""
    parent: str | None = None
    """Id of the completion that this prompt continues, so that a local backend may reuse its KV cache."""
    purpose: str = ""
    """What the strategy wants of it ("rationale", "answer"), shown in traces."""

    @cached_property
    def text(self) -> str:
        """The prompt in completion mode."""
        return self.prompt if self.prompt is not None else "\n\n".join(m.content for m in self.messages)

    @cached_property
    def group_key(self) -> str:
        """Equal for requests that ask the same but for their sample index (hex digest)."""
        return _group_key(self.messages, self.prompt, cast("Any", self.sampling))

    @cached_property
    def key(self) -> str:
        """Equal only for requests that may share one completion: `group_key` and the sample index."""
        return f"{self.group_key}/{'.'.join(map(str, self.sample))}"

    @cached_property
    def sample_seed(self) -> int:
        """The seed of this very sample (31 bits), from the run's seed, the prompt and the sample index."""
        return int.from_bytes(hashlib.sha256(self.key.encode()).digest()[:4], "big") >> 1

    def replace(self, **changes: Any) -> "Request":
        """A copy with some fields changed, checked like a new one, and with its keys computed anew."""
        # Faster than `model_copy`, and every call of a sampled strategy is such a copy.
        return Request(**{name: self.__dict__[name] for name in _REQUEST} | changes)


_REQUEST = tuple(Request.model_fields)


@lru_cache(maxsize=256)
def _group_key(messages: tuple[Message, ...], prompt: str | None, sampling: Sampling) -> str:
    """Worked out once for all samples of a prompt that are asked after each other."""
    asked = Request(messages=messages, prompt=prompt, sampling=sampling)
    text = asked.model_dump_json(include={"messages", "prompt", "sampling"})
    return hashlib.sha256(text.encode()).hexdigest()


class Completion(Data):
    """What a model answered to one request."""

    text: str
    finish_reason: FinishReason = "stop"
    prompt_tokens: int = Field(default=0, ge=0)
    """Tokens of the prompt, without padding."""
    completion_tokens: int = Field(default=0, ge=0)
    """Tokens generated for this sample, the end-of-text token included."""
    counted: bool = True
    """Whether the numbers of tokens are known; a server that does not tell them leaves them at 0."""
    reused_prompt_tokens: int = Field(default=0, ge=0)
    """Of the prompt's tokens, those that were not computed for it: a prefix or a whole prompt that others share."""
    logprob: float | None = None
    """Sum of the natural log-probabilities of the generated tokens, where the backend knows it."""
    rendered: str | None = None
    """The prompt exactly as the model saw it, special tokens and all, where the backend knows it."""
    seconds: float = Field(default=0.0, ge=0)
    """From the moment the backend took the request until the completion was there."""
    cached: bool = False
    """Whether it came from a store, at no cost now."""
    id: str = ""


class Question(Data):
    """What is asked. It never holds the right answer: that is `Example.gold`, which strategies do not see.

    Raises:
        pydantic.ValidationError: as all plain data here, made directly with wrong fields. It is a `ValueError`; where
            a plain text is given to `run` or on the command line, it becomes a `ConfigError`.
    """

    text: str
    kind: Kind = "number"
    choices: tuple[str, ...] = ()
    """The options of a `choice` question, without their letters; the first one is A."""
    labels: tuple[str, ...] = ()
    """The allowed answers of a `label` question."""
    id: str = ""

    @field_validator("text")
    @classmethod
    def _not_empty(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("the question is empty")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ValueError("the question holds half a character (a lone surrogate), which is no text") from error
        return text

    @model_validator(mode="after")
    def _labels_are_there(self) -> Self:
        if self.kind == "label" and not self.labels:
            raise ValueError("a label question needs its labels: --label, or labels= of the Question")
        return self


class Example(Data):
    """A question with its right answer. Only demonstrations and the scorer use it."""

    question: Question
    gold: AnswerValue
    """In canonical form, as `promptkit.extract.canonical` gives it."""
    rationale: str = ""
    """How the answer comes about, where the data says so."""


class Demonstration(Data):
    """A worked example shown to the model: question, answer and, for chain of thought, the reasoning."""

    question: str
    answer: str
    rationale: str = ""
    id: str = ""


class PoolItem(Data):
    """A question that demonstrations may be made of, with its right answer where that is known."""

    question: Question
    answer: str = ""
    """As a demonstration shows it; empty where it is not known."""
    rationale: str = ""

    def demonstration(self, *, answer: str | None = None, rationale: str | None = None) -> Demonstration:
        """The item as a demonstration, with another answer or rationale where one is given."""
        lettered = zip(string.ascii_uppercase, self.question.choices, strict=False)
        options = " ".join(f"({letter}) {text}" for letter, text in lettered)
        return Demonstration(
            question=f"{self.question.text}\nAnswer Choices: {options}" if options else self.question.text,
            answer=self.answer if answer is None else answer,
            rationale=self.rationale if rationale is None else rationale,
            id=self.question.id,
        )


class Extraction(Data):
    """An answer found in a text."""

    value: AnswerValue
    span: tuple[int, int]
    """Where it stands: `text[start:end]`."""
    rule: str
    """Which rule found it: "phrase", "boxed", "first", "last", …"""


class Vote(Data):
    """One answer among samples and how many samples gave it."""

    value: AnswerValue
    count: int = Field(ge=1)
    weight: float | None = None
    """What decided where votes were not just counted: the sum of its samples' weights, or likeness to the others."""


class Call(Data):
    """One request of a flow and what came of it: a completion, or the message of the error."""

    request: Request
    completion: Completion | None = None
    error: str | None = None


class Usage(Data):
    """What calls cost. Tokens of cached calls are counted here too; `cached_*` says how many of them were free."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_calls: int = 0
    cached_completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    reused_prompt_tokens: int = 0
    """Of the prompt tokens, those that a local model did not compute again, or a server read from its own cache."""
    uncounted_calls: int = 0
    """Calls whose tokens nobody has counted: they are missing from the sums."""

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(**{name: getattr(self, name) + getattr(other, name) for name in Usage.model_fields})


class Price(Data):
    """What the tokens of a model cost, in US dollars a million."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)
    source: str
    """Where that is known from; "local" for a model on this machine, which costs nothing a token."""

    def of(self, prompt_tokens: int, completion_tokens: int) -> float:
        """What so many tokens cost, in US dollars."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / 1e6


LOCAL = Price(prompt=0, completion=0, source="local")


class Result(Data):
    """What a strategy made of a question.

    `answer` is `None` when no answer could be read; `text` is then still there to be looked at.
    """

    answer: AnswerValue | None = None
    text: str = ""
    """The completion that holds the answer."""
    extraction: Extraction | None = None
    """Where in `text` the answer stands."""
    rationale: str = ""
    truncated: bool = False
    """Whether the completion that should hold the answer hit its token limit."""
    votes: tuple[Vote, ...] = ()
    """Of a voting strategy: the answers, the winner first: the most votes or weight (ties: first seen first)."""
    candidates: tuple["Result", ...] = ()
    """Of a strategy over several results: all of them, in sample order."""
    details: dict[str, Any] = Field(default_factory=dict)
    """Whatever else a strategy wants to show (JSON values)."""
    trace: tuple[Call, ...] = ()
    """Every call made for it, in the order they were asked; filled in by the scheduler."""
    usage: Usage = Usage()
    error: str | None = None
    """Why there is no result, where a question of `run_many` failed."""

    def _repr_html_(self) -> str:
        """How notebooks show it."""
        from promptkit.report.notebook import result_html

        return result_html(self)

    @property
    def agreement(self) -> float | None:
        """Share of all samples, read or not, that voted for the answer; `None` without a vote."""
        return self.votes[0].count / len(self.candidates) if self.votes and self.candidates else None
