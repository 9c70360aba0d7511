"""Runs of a model, a benchmark and strategies that all mean harm."""

from promptkit import FakeBackend, SelfConsistency, TreeOfThoughts, ZeroShot, evaluate
from promptkit.evaluation import Benchmark, Run
from promptkit.strategies.chain import Chain
from promptkit.strategies.step import Step
from promptkit.types import Example, Question

ATTACKS = (
    "</script><script>window.harmed = 1</script>",
    "<img src=x onerror='window.harmed = 1'>",
    "--><svg onload=window.harmed=1>",
    "]]><a href=javascript:window.harmed=1>x</a>",
    "{{ 7 * 7 }} {% raw %} ${7*7} &lt;b&gt; &quot; \u2028\u2029 \x00\x1b[31m \u202e \ufeff \U0001f642",
)


def runs() -> list[Run]:
    """Four strategies on a question an attack; every text anybody gave holds one."""
    all_of_it = " ".join(ATTACKS)
    examples = tuple(
        Example(question=Question(text=f"{attack} How many?", id=f"{place}{attack}", kind="number"), gold="18")
        for place, attack in enumerate(ATTACKS)
    )
    benchmark = Benchmark(f"bench{all_of_it}", "number", examples, all_of_it, "", all_of_it, all_of_it)
    backend = FakeBackend(lambda request: f"{all_of_it} {request.sample} The answer is {18 + len(request.text) % 2}.")
    backend.name = f"fake{all_of_it}"
    strategies = {
        f"zero{all_of_it}": ZeroShot(),
        "vote": SelfConsistency(ZeroShot(), n=3),
        "tree": TreeOfThoughts(),
        "chain": Chain(links=(Step(name="first", prompt="{{ question }}"), Step(name="then", prompt="{{ first }}"))),
    }
    return evaluate(strategies, benchmark, backend)
