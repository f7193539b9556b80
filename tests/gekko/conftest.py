"""What the tests of the scripts share."""

from __future__ import annotations

import pytest

from fakes.scenes import Scene, simulated


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    """Small products of three days; nobody may write into them."""
    return simulated(tmp_path_factory.mktemp("scenes"))
