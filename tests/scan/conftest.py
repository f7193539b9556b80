"""What the tests of the scan share."""

from __future__ import annotations

from pathlib import Path

import pytest

from scan.flowing import Place, make_scenes


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Folders of small products of different days; nobody may write into them."""
    return make_scenes(tmp_path_factory.mktemp("scenes"), 4)


@pytest.fixture
def place(tmp_path: Path, scenes: list[Path]) -> Place:
    """An empty archive, to be filled with `scenes`."""
    return Place(tmp_path, scenes)
