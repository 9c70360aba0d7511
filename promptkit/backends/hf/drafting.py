"""Guessing what a text goes on with, from what stands in it already: prompt lookup decoding (Saxena, 2023).

It is speculative decoding (Leviathan et al., 2023) without a second model: one step reads the newest token and the
draft after it, and keeps as much of the draft as the model says itself.
"""

_LOOKED_UP = 3
"""Tokens that are looked up, at most."""


def draft(tokens: list[int], most: int) -> list[int]:
    """What followed where the last tokens of a text stood before.

    The place counts where most of the last three tokens stood, and of several such the latest.

    Args:
        tokens: the prompt and what was generated, in token ids.
        most: tokens to return at most.

    Returns:
        Token ids, fewer than `most` near the end of the text, none where the last token is new.
    """
    newest_first = tokens[::-1]
    longest = found = place = 0
    while longest < _LOOKED_UP:
        try:
            place = newest_first.index(newest_first[0], place + 1)
        except (IndexError, ValueError):
            break
        before = newest_first[place : place + _LOOKED_UP]
        size = next((size for size, token in enumerate(before) if token != newest_first[size]), len(before))
        if size > longest:
            longest, found = size, place
    start = len(tokens) - found
    return tokens[start : start + most] if longest else []
