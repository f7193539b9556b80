"""The first picture engine: numpy for the arithmetic, threads for the subtrees of the tiles."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from alos2.product.model import Image, Product
from alos2.raster.browse import draw, write_browse
from alos2.raster.files import make_folder, move_folder
from alos2.raster.mercator import LIMIT_DEG, cover, native_zoom
from alos2.raster.pictures import (
    BrowseReport,
    Cancelled,
    PictureOptions,
    Progress,
    StretchLimits,
    TileLayer,
    never,
    silent,
)
from alos2.raster.places import Places
from alos2.raster.pyramid import Pyramid
from alos2.raster.source import open_source
from alos2.raster.stretch import find_limits, fixed_limits

_BEYOND: Final = f"what lies beyond {LIMIT_DEG:.2f} degrees latitude is not drawn (Web Mercator)"


class NumpyEngine:
    """`PictureEngine` in numpy, Pillow (browse) and rasterio (reading GeoTIFF)."""

    def __init__(self) -> None:
        self._limits: dict[tuple[Path | None, PictureOptions], StretchLimits] = {}

    def browse(
        self,
        product: Product,
        image: Image,
        out_dir: Path,
        *,
        stem: str,
        options: PictureOptions = PictureOptions(),  # noqa: B008  frozen
        progress: Progress = silent,
        cancelled: Cancelled = never,
    ) -> BrowseReport | None:
        """See `PictureEngine.browse`."""
        stage = f"browse {image.polarization}"
        drawn = draw(product, image, stage=stage, progress=progress, cancelled=cancelled)
        report = write_browse(drawn, out_dir, stem, options)
        if report is not None:
            self._limits[image.file.path, options] = report.stretch
        return report

    def tiles(
        self,
        product: Product,
        image: Image,
        out_dir: Path,
        options: PictureOptions = PictureOptions(),  # noqa: B008  frozen
        *,
        progress: Progress = silent,
        cancelled: Cancelled = never,
    ) -> TileLayer | None:
        """See `PictureEngine.tiles`."""
        if image.grid is None:
            return None
        limits = self._limits_of(product, image, options, progress, cancelled)
        if limits is None:
            return None
        places = Places(image.grid)
        name = image.polarization
        folder, unfinished = out_dir / "tiles" / name, out_dir / "tiles" / f".{name}.part"
        with open_source(product, image) as source:
            pyramid = Pyramid(source, places, unfinished, limits, options, cancelled=cancelled)
            roots, beyond = cover(places, pyramid.root_zoom)
            make_folder(unfinished)
            try:
                written = pyramid.draw(roots, f"tiles {name}", progress)
                if written.tiles:
                    move_folder(unfinished, folder)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
                if not any(folder.parent.iterdir()):
                    folder.parent.rmdir()
        if not written.tiles:
            return None
        return TileLayer(
            name=name,
            min_zoom=options.min_zoom,
            max_zoom=options.max_zoom,
            native_zoom=native_zoom(places),
            count=written.tiles,
            bytes=written.bytes,
            tms=options.tms,
            stretch=limits,
            calibration=source.calibration,
            notes=(_BEYOND,) if beyond else (),
        )

    def _limits_of(
        self,
        product: Product,
        image: Image,
        options: PictureOptions,
        progress: Progress,
        cancelled: Cancelled,
    ) -> StretchLimits | None:
        """Limits of the layer: the browse picture's, drawn for it if nobody has; None if empty."""
        if options.stretch_db is not None:
            return fixed_limits(options.stretch_db)
        known = self._limits.get((image.file.path, options))
        if known is not None:
            return known
        stage = f"stretch {image.polarization}"
        drawn = draw(product, image, stage=stage, progress=progress, cancelled=cancelled)
        power = drawn.canvas.power
        if not (drawn.canvas.weight > 0).any():
            return None
        return find_limits(power, options)
