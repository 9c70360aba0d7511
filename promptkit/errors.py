"""Every error that promptkit raises, as one tree.

    PromptkitError
    ├── ConfigError            a strategy, option or file makes no sense; nothing was called
    │   ├── TemplateError      a template is missing, broken, unsafe or lacks a variable
    │   └── BenchmarkError     a benchmark or its file cannot be read
    ├── BudgetError            a budget, or a person, stopped what cannot be done in part
    ├── ModelError             a model cannot be found, downloaded, verified or loaded
    └── BackendError           a call to a model failed; thrown into the flow that waits for it
        ├── ContextOverflowError   the prompt is longer than the model's context
        ├── RefusalError           the model declined, or a content filter stopped it
        ├── AuthError              the server refused the key; the whole run stops
        ├── RateLimitError         the server asks us to slow down (retryable)
        └── BackendTimeoutError    no answer in time (retryable)

Each error carries a `hint`, what the person can do next, and says whether the same call may succeed later
(`retryable`). Exceptions of other libraries never leave promptkit: they are the `__cause__` of one of these, or, where
they hold a key, are dropped.
"""


class PromptkitError(Exception):
    """Base of all errors of this package.

    Args:
        message: what went wrong, in one line.
        hint: what the person can do about it, in one line; empty when there is nothing to add.
    """

    retryable: bool = False
    """Whether the same call may succeed when it is made again."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class ConfigError(PromptkitError):
    """A strategy, an option or a file makes no sense as given."""


class TemplateError(ConfigError):
    """A template is missing, broken or unsafe, or a variable it names was not given."""


class BenchmarkError(ConfigError):
    """A benchmark is unknown, or its file cannot be read in the format it claims."""


class ModelError(PromptkitError):
    """A model cannot be found, downloaded, verified or loaded."""


class BudgetError(PromptkitError):
    """A budget is used up, or a person stopped it, before something was there that makes no sense in part."""


class BackendError(PromptkitError):
    """A call to a model failed."""


class ContextOverflowError(BackendError):
    """The prompt does not fit into the model's context."""


class RefusalError(BackendError):
    """The model declined to answer, or a content filter stopped it."""


class AuthError(BackendError):
    """The server refused the credentials; no other call can succeed, so the run stops."""


class RateLimitError(BackendError):
    """The server asks for fewer calls."""

    retryable = True


class BackendTimeoutError(BackendError):
    """The server did not answer in time."""

    retryable = True
