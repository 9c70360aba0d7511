"""The picture in docs/report.md: the top of a report as Chromium shows it.

    python -m benchmarks.screenshot runs/2026-01-31-120000/report.html docs/report.png

Run from the checkout's root.
"""

import sys
import tempfile
from pathlib import Path

from tests import chromium


def main(report: Path, picture: Path) -> None:
    """Write what a window of 1280 × 900 pixels shows of the report."""
    program = chromium.executable()
    if program is None:
        sys.exit("there is no Chromium here: apt-get install chromium, or set CHROMIUM")
    with tempfile.TemporaryDirectory() as profile, chromium.browser(program, Path(profile)) as tab:
        tab.resize(1280, 900)
        tab.prefer("light")
        tab.open(report.resolve().as_uri())
        tab.screenshot(picture)
    print(f"{picture}: {picture.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
