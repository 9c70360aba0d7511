"""Guessing what a text goes on with, from what stands in it already: prompt lookup decoding (Saxena, 2023).

It is speculative decoding (Leviathan et al., 2023) without a second model: one step reads the newest token and the
draft after it, and keeps as much of the draft as the model says itself.
"""

_LOOKED_UP = 3
"""Tokens that are looked up, at most."""


def draft(tokens: list[int], most: int) -> list[int]:
    """What followed where the last tokens of a text stood before.

    The last three are looked up first, then the last two, then the last one; of several places the latest counts.

    Args:
        tokens: the prompt and what was generated, in token ids.
        most: tokens to return at most.

    Returns:
        Token ids, fewer than `most` near the end of the text, none where the last token is new.
    """
    for size in range(min(_LOOKED_UP, len(tokens) - 1), 0, -1):
        last = tokens[-size:]
        for start in range(len(tokens) - size - 1, -1, -1):
            if tokens[start] == last[0] and tokens[start : start + size] == last:
                return tokens[start + size : start + size + most]
    return []
