"""The documents, byte for byte. ``ALOS2_REGENERATE_GOLDEN=1 pytest ...`` writes them anew."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.line import product_line

GOLDEN = Path(__file__).parents[1] / "golden" / "dataset"
REGENERATE = os.environ.get("ALOS2_REGENERATE_GOLDEN") == "1"


@pytest.mark.parametrize("name", ["slc", "geotiff", "antimeridian", "scansar"])
def test_documents_are_the_golden_ones(name: str, content_of: Callable[[str], Content]) -> None:
    content = content_of(name)
    documents = make_documents(content)
    line = product_line(content.product, footprint=content.footprint, status="new")
    made = {
        **documents.files,
        f"{documents.id}.line.json": (json.dumps(line, indent=2) + "\n").encode(),
    }
    if REGENERATE:
        GOLDEN.mkdir(parents=True, exist_ok=True)
        for file, data in made.items():
            (GOLDEN / file).write_bytes(data)
    assert set(made) == {path.name for path in GOLDEN.glob(f"{documents.id}.*")}
    for file, data in made.items():
        assert data.decode() == (GOLDEN / file).read_text(encoding="utf-8"), file
