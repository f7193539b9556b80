"""Products of known geometry, and the footprint catalogue over real sockets."""

from __future__ import annotations

import ssl
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import trustme
from pyproj import CRS
from pytest_httpserver import HTTPServer

sys.path.insert(0, str(Path(__file__).parents[1]))

from alos2.footprint import FootprintOptions, sarcat_cache
from alos2.geometry.orbit import Orbit
from alos2.naming import FileName, ProductId, SceneId
from alos2.product.model import Image, MapGrid, Product, ProductFile, SlantRangeTiming
from alos2.types import RasterShape
from fakes.sarcat import FakeSarcat


@pytest.fixture(scope="session")
def http_server() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", port=0, threaded=True) as server:
        yield server


@pytest.fixture(scope="session")
def https_server(authority: trustme.CA) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HTTPServer(host="127.0.0.1", port=0, ssl_context=context, threaded=True) as server:
        yield server


@pytest.fixture
def sarcat(http_server: HTTPServer) -> Iterator[FakeSarcat]:
    fake = FakeSarcat(http_server)
    yield fake
    fake.closing.set()
    http_server.clear()


@pytest.fixture
def tls_sarcat(https_server: HTTPServer) -> Iterator[FakeSarcat]:
    fake = FakeSarcat(https_server)
    yield fake
    fake.closing.set()
    https_server.clear()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    sarcat_cache.forget()


START = datetime(2018, 9, 5, 5, 7, 8, 99_000, tzinfo=timezone.utc)
RADIUS_M = 7_006_000.0
INCLINATION_RAD = np.radians(97.9)
EARTH_RATE_RAD_S = 7.292115e-5
MEAN_MOTION_RAD_S = np.sqrt(3.986004418e14 / RADIUS_M**3)


def circular_orbit(
    latitude_deg: float = 35.5,
    longitude_deg: float = -85.0,
    *,
    descending: bool = False,
    when: datetime = START,
) -> Orbit:
    """A circular orbit in Earth-fixed coordinates that passes about over a place at a time."""
    times = np.arange(-300.0, 301.0, 60.0)
    at = np.arcsin(np.clip(np.sin(np.radians(latitude_deg)) / np.sin(INCLINATION_RAD), -1, 1))
    angle = (np.pi - at if descending else at) + MEAN_MOTION_RAD_S * times

    def place(u: np.ndarray, node: np.ndarray) -> np.ndarray:
        x, y = np.cos(u), np.sin(u) * np.cos(INCLINATION_RAD)
        z = np.sin(u) * np.sin(INCLINATION_RAD)
        turned = (x * np.cos(node) - y * np.sin(node), x * np.sin(node) + y * np.cos(node), z)
        return RADIUS_M * np.stack(turned, axis=-1)

    here = place(angle[5:6], np.zeros(1))[0]
    node = np.radians(longitude_deg) - np.arctan2(here[1], here[0]) - EARTH_RATE_RAD_S * times
    step = 1e-3
    ahead = place(angle + MEAN_MOTION_RAD_S * step, node - EARTH_RATE_RAD_S * step)
    behind = place(angle - MEAN_MOTION_RAD_S * step, node + EARTH_RATE_RAD_S * step)
    return Orbit(when, times, place(angle, node), (ahead - behind) / (2 * step))


@dataclass(frozen=True)
class PlainMember:
    """A member of an archive, or a file where `local_path` says so."""

    name: str
    local_path: Path | None = None
    folder: str = "zip"
    size: int = 1

    @property
    def path(self) -> str:
        return f"{self.folder}!{self.name}"


def image(name: str, shape: RasterShape, **more: Any) -> Image:
    parsed = FileName.parse(name)
    assert parsed.polarization is not None
    file = ProductFile(name, "IMG", 1, PlainMember(name), parsed.polarization, parsed.beam)  # type: ignore[arg-type]
    return Image(file, parsed.polarization, parsed.beam, shape, "complex64", **more)


def product(product_id: str, *, scene: str = "ALOS2231410700-180905", **more: Any) -> Product:
    parsed = ProductId.parse(product_id)
    given = {"format": "ceos", "files": (), "images": (), **more}
    return Product(SceneId.parse(scene), parsed, parsed.level, **given)


def timing(near_m: float = 760_000.0, first: datetime = START) -> SlantRangeTiming:
    return SlantRangeTiming(first, 1 / 2000.0, near_m, 4.291)


def slc(look: str = "R", **more: Any) -> Product:
    """Stripmap, two polarisations: about 70 km x 70 km."""
    name = f"FBD{look}1.1__A"
    images = [
        image(
            f"IMG-{pol}-ALOS2231410700-180905-{name}", RasterShape(20_000, 9_000), timing=timing()
        )
        for pol in ("HH", "HV")
    ]
    return product(name, **{"images": tuple(images), "orbit": circular_orbit(), **more})


def scansar(**more: Any) -> Product:
    """Three beams side by side."""
    name = "WBDR1.1__A"
    images = [
        image(
            f"IMG-HH-ALOS2231410700-180905-{name}-F{number}",
            RasterShape(20_000, 9_000),
            timing=timing(720_000.0 + 35_000.0 * number),
        )
        for number in (1, 2, 3)
    ]
    return product(name, **{"images": tuple(images), "orbit": circular_orbit(), **more})


def utm(
    product_id: str = "FBDR1.5GUA",
    *,
    format: str = "geotiff",  # noqa: A002
    **more: Any,
) -> Product:
    """A geocoded raster of 70 km x 70 km in UTM 17N."""
    grid = MapGrid(
        CRS.from_epsg(32617).to_wkt(),
        32617,
        (50.0, 0.0, 700_000.0, 0.0, -50.0, 3_970_000.0),
        RasterShape(1400, 1400),
    )
    tail = "" if format == "ceos" else ".tif"
    one = image(f"IMG-HH-ALOS2231410700-180905-{product_id}{tail}", grid.shape, grid=grid)
    return product(product_id, **{"format": format, "images": (one,), "grid": grid, **more})


def ring_of(geometry: dict[str, Any]) -> list[list[float]]:
    assert geometry["type"] == "Polygon"
    ring: list[list[float]] = geometry["coordinates"][0]
    return ring


@pytest.fixture
def make() -> SimpleNamespace:
    """Builders of products."""
    return SimpleNamespace(
        orbit=circular_orbit,
        image=image,
        product=product,
        timing=timing,
        slc=slc,
        scansar=scansar,
        utm=utm,
        member=PlainMember,
        ring_of=ring_of,
    )


@pytest.fixture
def options(tmp_path: Path) -> FootprintOptions:
    return FootprintOptions(sarcat=False, cache_dir=tmp_path / "negative")
