"""Small products with known content, written here: GeoTIFF and CEOS, on maps and in slant range."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning

from alos2.archive.members import FileMember
from alos2.ceos.image_layout import IMAGE_DESCRIPTOR, PROCESSED_PREFIX, SIGNAL_PREFIX
from alos2.naming import Beam, ProductId, SceneId
from alos2.product.model import (
    Calibration,
    Image,
    MapGrid,
    Product,
    ProductFile,
    SlantRangeTiming,
)
from alos2.types import Polarization, RasterShape

FACTOR_DB = -83.0
SLC_FACTOR_DB = -115.0
SCENE = "ALOS2015976960-140909"
START = datetime(2014, 9, 9, 4, 33, 42, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Maker:
    """Writes images into a folder and describes them."""

    folder: Path
    factor_db: float = FACTOR_DB
    slc_factor_db: float = SLC_FACTOR_DB

    def dn(self, sigma0_db: Any) -> Any:
        """Digital numbers whose calibrated value comes nearest to `sigma0_db`."""
        return np.rint(10.0 ** ((np.asarray(sigma0_db) - self.factor_db) / 20.0)).astype(np.uint16)

    def utm(
        self,
        shape: tuple[int, int],
        *,
        epsg: int = 32654,
        corner: tuple[float, float] = (400_000.0, 4_000_000.0),
        spacing: float = 6.25,
        rotation_deg: float = 0.0,
    ) -> MapGrid:
        c, s = np.cos(np.radians(rotation_deg)), np.sin(np.radians(rotation_deg))
        axes = (spacing * c, spacing * s, corner[0], spacing * s, -spacing * c, corner[1])
        wkt = rasterio.crs.CRS.from_epsg(epsg).to_wkt()
        return MapGrid(wkt, epsg, tuple(float(v) for v in axes), RasterShape(*shape))

    def file(self, path: Path, pol: Polarization, beam: Beam | None = None) -> ProductFile:
        size = path.stat().st_size
        return ProductFile(path.name, "IMG", size, FileMember(path, size), pol, beam)

    def geotiff(self, name: str, bands: np.ndarray, **profile: Any) -> Path:
        """Write (lines, pixels) or (bands, lines, pixels)."""
        planes = bands if bands.ndim == 3 else bands[None]
        path = self.folder / name
        size = {"count": planes.shape[0], "height": planes.shape[1], "width": planes.shape[2]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(
                path, "w", driver="GTiff", dtype=planes.dtype, **size, **profile
            ) as dataset:
                dataset.write(planes)
        return path

    def ceos(self, name: str, samples: np.ndarray) -> Path:
        """Write an IMG file: uint16 or complex64, (lines, pixels)."""
        slc = samples.dtype.kind == "c"
        prefix, item = (SIGNAL_PREFIX, 8) if slc else (PROCESSED_PREFIX, 2)
        lines, pixels = samples.shape
        length = prefix.length + item * pixels
        values = {
            "record_count": lines,
            "data_record_length": length,
            "bytes_per_group": item,
            "lines": lines,
            "pixels": pixels,
            "prefix_bytes": prefix.length,
            "data_bytes": item * pixels,
        }
        path = self.folder / name
        big = samples.astype(">c8" if slc else ">u2")
        with path.open("wb") as file:
            file.write(IMAGE_DESCRIPTOR.encode(values, sequence=1))
            for number in range(lines):
                said = {"line_number": number + 1}
                file.write(prefix.encode(said, sequence=number + 2, length=length))
                file.write(big[number].tobytes())
        return path

    def image(self, path: Path, shape: tuple[int, int], dtype: str, **more: Any) -> Image:
        pol, beam = more.pop("pol", "HH"), more.pop("beam", None)
        file = self.file(path, pol, beam)
        return Image(file, pol, beam, RasterShape(*shape), dtype, **more)

    def product(
        self, *images: Image, name: str = "FBDR2.1GUA", form: str = "geotiff", **more: Any
    ) -> Product:
        parsed = ProductId.parse(name)
        factor = self.slc_factor_db if parsed.level == "1.1" else self.factor_db
        more = {"calibration": Calibration(factor, "leader"), **more}
        return Product(
            scene=SceneId.parse(SCENE),
            product=parsed,
            level=parsed.level,
            format=form,
            files=tuple(image.file for image in images),
            images=images,
            grid=images[0].grid if images else None,
            **more,
        )

    def mapped(
        self,
        dn: np.ndarray,
        grid: MapGrid,
        *,
        pol: Polarization = "HH",
        form: str = "geotiff",
        **more: Any,
    ) -> Product:
        """Make a detected product on a map, as GeoTIFF or CEOS."""
        name = f"IMG-{pol}-{SCENE}-FBDR2.1GUA"
        if form == "geotiff":
            transform = rasterio.Affine(*grid.transform)
            path = self.geotiff(f"{name}.tif", dn, crs=grid.crs_wkt, transform=transform)
        else:
            path = self.ceos(name, dn)
        grid = replace(grid, shape=RasterShape(*dn.shape))
        image = self.image(path, dn.shape, "uint16", grid=grid, pol=pol)
        return self.product(image, form=form, **more)

    def timing(
        self,
        *,
        after_s: float = 0.0,
        interval_s: float = 1 / 2122.0,
        near_range_m: float = 790_000.0,
        spacing_m: float = 4.29,
    ) -> SlantRangeTiming:
        start = START + timedelta(seconds=after_s)
        return SlantRangeTiming(start, interval_s, near_range_m, spacing_m)


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    return Maker(tmp_path)


@pytest.fixture(scope="module")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Maker:
    return Maker(tmp_path_factory.mktemp("products"))
