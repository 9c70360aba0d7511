"""A strategy with several inner ones."""

from promptkit import Flow, Question, Result, Strategy, gather


class Both(Strategy):
    """Asks two strategies and returns the first one's result."""

    tag = "test-both"
    first: Strategy
    others: tuple[Strategy, ...] = ()

    def steps(self, question: Question) -> Flow[Result]:
        """All side by side."""
        results = yield from gather(s.steps(question) for s in (self.first, *self.others))
        return results[0]
