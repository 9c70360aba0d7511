"""A bar chart as SVG."""

from html import escape

WIDTH, LABEL, BAR = 720, 250, 22
COLOURS = ("#2a6fb0", "#9aa5b1", "#c3a86b", "#8fb08c", "#b58db6", "#c98b7b")


def bars(groups: dict[str, dict[str, float]], unit: str) -> str:
    """One block of bars a group, on one scale."""
    most = max((value for rows in groups.values() for value in rows.values()), default=1.0)
    parts: list[str] = []
    y = 10
    for title, rows in groups.items():
        parts.append(f'<text x="0" y="{y + 15}" font-weight="bold">{escape(title)} ({escape(unit)})</text>')
        y += 24
        for place, (name, value) in enumerate(rows.items()):
            width = (WIDTH - LABEL - 60) * value / most
            colour = COLOURS[place % len(COLOURS)]
            parts.append(f'<text x="{LABEL - 8}" y="{y + 15}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{LABEL}" y="{y + 2}" width="{width:.1f}" height="{BAR - 5}" fill="{colour}"/>')
            parts.append(f'<text x="{LABEL + width + 6:.1f}" y="{y + 15}">{value:.0f}</text>')
            y += BAR
        y += 14
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" font-family="sans-serif" font-size="13">'
    return "\n".join([head, f'<rect width="{WIDTH}" height="{y}" fill="white"/>', *parts, "</svg>\n"])
