"""docs/dataset.md names every key, and none that is not there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden" / "dataset"
TEXT = (ROOT / "docs" / "dataset.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert found, title
    return found[1]


def first_column(text: str) -> set[str]:
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {key for cell in rows for key in re.findall(r"`([^`]+)`", cell)}


def documents(kind: str) -> list[dict[str, Any]]:
    found = sorted(GOLDEN.glob(f"*.{kind}.json"))
    assert len(found) == 4
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


@pytest.mark.parametrize(
    ("title", "kind", "more"),
    [
        ("The JSON line", "line", set()),
        ("dataset.json", "dataset", set()),
        ("met.json", "met", {"gekko_archive_files"}),
    ],
)
def test_keys_are_documented_and_documented_keys_exist(
    title: str, kind: str, more: set[str]
) -> None:
    keys = {key for document in documents(kind) for key in document}
    assert first_column(section(title)) == keys | more


@pytest.mark.parametrize(("title", "kind"), [("The JSON line", "line"), ("met.json", "met")])
def test_keys_inside_objects_are_documented(title: str, kind: str) -> None:
    text = section(title) + section("The JSON line")
    named = set(re.findall(r"`([^`]+)`", text))
    free = {"alos2md", "location", "geometry", "details", "software", "luts"}

    def walk(value: Any, path: str) -> None:
        if isinstance(value, list):
            for item in value:
                walk(item, path)
        elif isinstance(value, dict):
            for key, item in value.items():
                assert key in named, f"{path}.{key}"
                if key not in free:
                    walk(item, f"{path}.{key}")

    for document in documents(kind):
        walk(document, kind)
