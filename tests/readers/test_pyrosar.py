"""pyroSAR reads all levels of CEOS, where it can be imported (it wants GDAL's own bindings)."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from simulate.products import Maker

pytestmark = [pytest.mark.readers, pytest.mark.filterwarnings("ignore")]

PRODUCTS: list[dict[str, Any]] = [
    {"level": "1.1", "pixels": 100, "lines": 120},
    {"level": "1.1", "mode": "WBD", "pixels": 64, "lines": 64},
    {"level": "1.5", "pixels": 100, "lines": 120, "look": "L"},
    {"level": "2.1", "pixels": 100, "lines": 120, "pass_direction": "D"},
]


@pytest.fixture(scope="module")
def drivers() -> Any:
    try:
        return importlib.import_module("pyroSAR.drivers")
    except (ImportError, RuntimeError) as error:
        # RuntimeError: its helper spatialist wants a sqlite3 that loads extensions.
        pytest.skip(f"pyroSAR cannot be imported here: {error}")


@pytest.mark.parametrize("given", PRODUCTS, ids=str)
def test_identity_and_place(drivers: Any, make: Maker, given: dict[str, Any]) -> None:
    made = make(**given)
    scene = drivers.CEOS_PSR(str(made.folder))
    assert scene.sensor == "PSR2"
    assert scene.product == made.spec.level
    assert scene.acquisition_mode == made.spec.mode
    assert scene.orbit == made.spec.pass_direction
    assert set(scene.polarizations) == set(made.spec.all_polarizations)
    assert scene.frameNumber == int(made.truth["scene"][10:14])
    assert scene.orbitNumber_abs == int(made.truth["scene"][5:10])
    image = made.truth["images"][0]
    # It takes twice the centre line and pixel for the size.
    assert (scene.lines, scene.samples) == (
        image["lines"] // 2 * 2,
        image["pixels"] // 2 * 2,
    )
    assert scene.start == made.truth["data"]["start"][:19].replace("-", "").replace(":", "")
    wanted = [(corner["lon_deg"], corner["lat_deg"]) for corner in image["corners"]]
    for place in scene.meta["coordinates"]:
        assert min(abs(place[0] - lon) + abs(place[1] - lat) for lon, lat in wanted) < 2e-6
