"""What tokens cost: looked up in genai-prices, whose list comes with the package, so that nothing is downloaded."""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from typing import Any

from promptkit.errors import ConfigError
from promptkit.types import Price

_SHORT = 1000
"""Tokens of the prompt and the completion that are priced. Where long ones cost more, they are priced too low here."""


@cache
def listed(model: str, url: str | None = None) -> Price | None:
    """The list price of a hosted model; `None` where it is not known, or genai-prices is not installed.

    Discounts for repeated prompts and the like are not taken off, so what is paid may be less.

    Args:
        model: as the server calls it.
        url: where it is served. An address that genai-prices does not know, such as a server of one's own, has no
            price, whatever the model is called. Unset, the model's publisher.
    """
    try:
        prices: Any = import_module("genai_prices")
    except ImportError:
        return None
    try:
        prompt, completion = (
            float(prices.calc_price(prices.Usage(**tokens), model_ref=model, provider_api_url=url).total_price)
            for tokens in ({"input_tokens": _SHORT}, {"output_tokens": _SHORT})
        )
    except LookupError:
        return None
    scale = 1e6 / _SHORT
    source = f"genai-prices {version('genai-prices')}"
    return Price(prompt=prompt * scale, completion=completion * scale, source=source)


def listed_at(model: str, urls: Sequence[str]) -> Price | None:
    """The list price of a model that all these addresses serve; `None` where they do not agree."""
    first, *others = (listed(model, url) for url in urls)
    return first if all(other == first for other in others) else None


def unknown(model: str) -> ConfigError:
    """The error for a limited cost where the price is not known."""
    try:
        import_module("genai_prices")
    except ImportError:
        return ConfigError("a limited cost needs the list of prices", hint='pip install "promptkit[prices]"')
    return ConfigError(
        f"the price of {model} is not known, so its cost cannot be limited", hint="limit calls or tokens instead"
    )
