"""A rubric: the criteria by which texts are judged, from a YAML file that anybody can read and edit."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from promptkit import plugins
from promptkit.errors import ConfigError
from promptkit.evaluation.judging.checks import Check, check_for
from promptkit.paths import packaged
from promptkit.strategies.values import first_problem
from promptkit.strategies.yaml_files import read_yaml
from promptkit.types import Data, Kind


class Criterion(Data):
    """One thing that a text is judged by: yes or no, or a mark from 1 to `scale`."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
    ask: Annotated[str, Field(min_length=1)]
    """The question put to the judge: "Is it exactly two sentences long?"."""
    instructions: str = ""
    """What the judge should know to answer it."""
    scale: int | None = Field(default=None, ge=2, le=10)
    """The best mark; unset, the answer is yes or no."""
    points: float = Field(default=1.0, gt=0)
    """For a yes, or for the best mark. Mark m of k gives (m − 1)/(k − 1) of them, a no gives none."""
    check: dict[str, Any] | None = None
    """What code can check besides, see `checks.check_for`."""
    counts: Literal["check", "judge"] = "check"
    """Whose verdict gives the points where code checks too; the other one is reported beside it."""

    @field_validator("check")
    @classmethod
    def _check_is_known(cls, check: dict[str, Any] | None) -> dict[str, Any] | None:
        if check is not None:
            try:
                check_for(check)
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return check

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.check is not None and self.scale is not None:
            raise ValueError(f"criterion {self.name!r} has a scale, but a check answers only yes or no")
        return self

    @property
    def kind(self) -> Kind:
        """What sort of answer the judge gives."""
        return "yesno" if self.scale is None else "label"

    @property
    def values(self) -> tuple[str, ...]:
        """All verdicts, the worst first."""
        return ("no", "yes") if self.scale is None else tuple(str(mark) for mark in range(1, self.scale + 1))

    def points_of(self, value: str) -> float:
        """What a verdict gives."""
        return self.points * self.values.index(value) / (len(self.values) - 1)

    def checker(self) -> Check | None:
        """What code checks."""
        return None if self.check is None else check_for(self.check)


class Rubric(Data):
    """Criteria with the task that the judged texts were to fulfil."""

    name: Annotated[str, Field(min_length=1)]
    task: str = ""
    """What the writer was asked to do; the judge is told."""
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    compare: str = "Which answer is better?"
    """The question of pairwise judging."""

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [criterion.name for criterion in self.criteria]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two criteria have the name {twice[0]!r}")
        return self

    @property
    def maximum(self) -> float:
        """Points of a text that is perfect."""
        return sum(criterion.points for criterion in self.criteria)


def load_rubric(path: str | Path) -> Rubric:
    """Read a rubric file, or take one by its name: a packaged one ("support-summary"), or one that a plugin brings.

    Raises:
        ConfigError: the file cannot be read or is no rubric, or the plugin cannot be used.
    """
    own = packaged("evals") / "rubrics" / f"{path}.yaml"
    is_name = isinstance(path, str) and path.replace("-", "").isalnum() and not Path(path).exists()
    if is_name and not own.is_file():
        if plugin := plugins.find("judges", str(path)):
            brought = plugin.load()
            if not isinstance(brought, Rubric):
                raise plugin.refused(f"it is a {type(brought).__name__}, not a Rubric")
            return brought
        raise ConfigError(f"there is no rubric {path!r}", hint=f"give a YAML file, or one of: {', '.join(names())}")
    data = read_yaml(own if is_name else path, "rubric")
    if not isinstance(data, dict) or "criteria" not in data:
        raise ConfigError(f"{path} holds no rubric", hint="it needs `name` and a list `criteria` with `name` and `ask`")
    try:
        return Rubric.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error


def names() -> list[str]:
    """The names that `load_rubric` knows, those of plugins last."""
    own = sorted(file.stem for file in (packaged("evals") / "rubrics").glob("*.yaml"))
    return [*own, *(name for name in plugins.names("judges") if name not in own)]
