"""An archive of a few datasets, as folders and catalogued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from catalogue.embedded.items import make_item, write_dataset


@pytest.fixture
def items() -> list[dict[str, Any]]:
    return [make_item(number) for number in range(6)]


@pytest.fixture
def archive(tmp_path: Path, items: list[dict[str, Any]]) -> Path:
    folder = tmp_path / "archive"
    for item in items:
        write_dataset(folder, item)
    return folder


@pytest.fixture
def catalogue(archive: Path) -> Iterator[EmbeddedCatalogue]:
    with EmbeddedCatalogue.open(archive) as opened:
        yield opened
