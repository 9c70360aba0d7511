"""Steps and models that the tests of chains share."""

from pydantic import BaseModel

from promptkit import (
    FakeBackend,
    Question,
    Request,
    Step,
)

TEXT = Question(text="Ann met Bob. Cy paid Dee.", kind="text")
PAIRS = Step(name="pairs", prompt="Pairs in: {{ question }}", parse="pairs")
RELATION = Step(name="relation", prompt="Relation of {{ item[0] }} and {{ item[1] }}?", over="pairs")
REPORT = Step(name="report", prompt="Sum up: {{ relation | join('; ') }}")


def answers(request: Request) -> str:
    """The document's two pairs, a relation for each, and a report."""
    match request.purpose:
        case "pairs":
            return "- Ann | Bob\n- Cy | Dee"
        case "relation":
            return "they met" if "Ann" in request.text else "one paid"
        case _:
            return f"Report on <{request.text}>"


def by_purpose(**texts: str | list[str]) -> FakeBackend:
    """Answers by step; of a list, one text after the other."""
    left = {name: iter([text] if isinstance(text, str) else text) for name, text in texts.items()}
    return FakeBackend(lambda request: next(left[request.purpose]))


def purposes(backend: FakeBackend) -> list[str]:
    return [request.purpose for request in backend.calls]


COUNT = Step(name="count", prompt="How many?", parse="number")


class Person(BaseModel):
    name: str
    age: int
