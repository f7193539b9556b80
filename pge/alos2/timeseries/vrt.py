"""A polarisation's dates as bands of one virtual GDAL dataset, with paths relative to it."""

from __future__ import annotations

import os
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from alos2.product.model import MapGrid
from alos2.raster.files import write_file
from alos2.raster.gridfile import BLOCK, crs_of
from alos2.timeseries.model import Series

_GDAL_TYPES = {"float32": "Float32", "uint8": "Byte", "uint16": "UInt16"}


def vrt_name(polarization: str) -> str:
    """Return the name as OpenSarToolkit has it: ``Timeseries.bs.<polarisation>.vrt``."""
    return f"Timeseries.bs.{polarization}.vrt"


def write_vrt(series: Series, path: Path, folder: Path | None = None) -> None:
    """Write a VRT of a series, one band a date.

    Parameters
    ----------
    path
        Of the VRT.
    folder
        Where it will lie, if elsewhere than `path` says; sources are relative to that.

    Raises
    ------
    NoSpace, NoResource
        It cannot be written.
    """
    base = path.parent if folder is None else folder
    write_file(path, _text(series, base).encode())


def _text(series: Series, base: Path) -> str:
    grid, encoding = series.grid, series.encoding
    kind = _GDAL_TYPES[encoding.dtype]
    a, b, c, d, e, f = grid.transform
    bands = []
    for number, layer in enumerate(series.layers, 1):
        name = escape(Path(os.path.relpath(layer.path, base)).as_posix())
        scale = (
            f"<Offset>{encoding.offset!r}</Offset><Scale>{encoding.scale!r}</Scale>"
            if encoding.codes
            else ""
        )
        bands.append(
            f'<VRTRasterBand dataType="{kind}" band="{number}"'
            f' blockXSize="{min(BLOCK, grid.shape.pixels)}"'
            f' blockYSize="{min(BLOCK, grid.shape.lines)}">'
            f"<Description>{layer.when:%Y-%m-%dT%H:%M:%SZ}</Description>"
            f"<UnitType>{encoding.unit}</UnitType>"
            f"<NoDataValue>{_number(encoding.nodata)}</NoDataValue>{scale}"
            f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename>'
            f"<SourceBand>{layer.band}</SourceBand>{_source(grid, kind)}</SimpleSource>"
            "</VRTRasterBand>\n"
        )
    tags = {"polarization": series.polarization, "track": series.name}
    items = "".join(f"<MDI key={quoteattr(k)}>{escape(v)}</MDI>" for k, v in tags.items() if v)
    return (
        f'<VRTDataset rasterXSize="{grid.shape.pixels}" rasterYSize="{grid.shape.lines}">\n'
        f"<SRS>{escape(crs_of(grid).to_wkt())}</SRS>\n"
        f"<GeoTransform>{c!r}, {a!r}, {b!r}, {f!r}, {d!r}, {e!r}</GeoTransform>\n"
        f"<Metadata>{items}</Metadata>\n{''.join(bands)}</VRTDataset>\n"
    )


def _source(grid: MapGrid, kind: str) -> str:
    """Return what spares GDAL to open a source before it is read."""
    size = f'RasterXSize="{grid.shape.pixels}" RasterYSize="{grid.shape.lines}"'
    place = f'xOff="0" yOff="0" xSize="{grid.shape.pixels}" ySize="{grid.shape.lines}"'
    return (
        f'<SourceProperties {size} DataType="{kind}" BlockXSize="{BLOCK}" BlockYSize="{BLOCK}"/>'
        f"<SrcRect {place}/><DstRect {place}/>"
    )


def _number(value: float) -> str:
    return "nan" if value != value else f"{value:g}"  # noqa: PLR0124  NaN
