"""Texts that mean harm, and what must not be left of them."""

from html.parser import HTMLParser

LINK = "\x1b]8;;https://evil.example/\x1b\\click\x1b]8;;\x1b\\"
TITLE = "\x1b]0;owned\x07"
CLEAR = "\x1b[2J\x1b[31m\x9b2J\x90q\x9c"
TURNED = "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c"
MARKUP = "[bold red]loud[/bold red] [link=https://evil.example]here[/link]"
HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>]]>&amp;\"'</title></svg><iframe src=//evil.example>"
HOSTILE = f"{LINK}{TITLE}{CLEAR}{TURNED}{MARKUP}{HTML}\x00\x07\x08\x7f"

FORBIDDEN = {
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA0)),
    *map(chr, range(0x202A, 0x202F)),
    *map(chr, range(0x2066, 0x206A)),
    *"\u200e\u200f\u061c\u2028\u2029",
} - {"\n", "\t"}
"""Control characters of both kinds, and what turns the direction of text."""


class Tags(HTMLParser):
    """The elements and attributes that a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
