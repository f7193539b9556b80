"""Simulated products, each made once."""

from __future__ import annotations

import pytest

from simulate.products import Maker


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    """Make a product by the fields of its spec (seed 5 if none is given)."""
    return Maker(tmp_path_factory.mktemp("simulated"))
