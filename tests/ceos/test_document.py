from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alos2.ceos.document import ALL_LAYOUTS, layout_tables_markdown

PAGE = Path(__file__).parents[2] / "docs" / "formats" / "ceos.md"


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == layout_tables_markdown(), (
        "run: python -m alos2.ceos.document > docs/formats/ceos.md"
    )


def test_every_field_is_on_the_page() -> None:
    page = layout_tables_markdown()
    for layouts in ALL_LAYOUTS.values():
        for layout in layouts:
            assert f"### {layout.name}\n" in page
            for item in layout.items:
                assert f"| `{item.name}` |" in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows if " seen |" in row or " readers |" in row} <= {3, 7}


def test_the_command_prints_the_page() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "alos2.ceos.document"], capture_output=True, check=True
    )
    assert run.stdout.decode("utf-8") == layout_tables_markdown()
    assert run.stderr == b""
