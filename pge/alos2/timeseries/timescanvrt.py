"""One virtual dataset of all metrics that lie in a folder, as OpenSarToolkit's ``Timescan.vrt``."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from alos2.errors import BadProduct
from alos2.raster.files import refusal
from alos2.raster.lean import RasterioError, rasterio
from alos2.raster.leftovers import hidden_stem, remove_leftovers
from alos2.timeseries.metrics import METRICS
from alos2.types import POLARIZATIONS

NAME: Final = "Timescan.vrt"
_TYPES: Final = {"float32": "Float32", "uint8": "Byte", "uint16": "UInt16"}


def write_timescan_vrt(folder: Path) -> Path:
    """Write ``Timescan.vrt``: a band for each ``bs.<polarisation>.<metric>.tif`` of a folder.

    Its bands are named after the files, by polarisation (HH, HV, VH, VV) and `METRICS`.

    Raises
    ------
    BadProduct
        A file cannot be read, or there is none.
    NoSpace, NoResource
        It cannot be written.
    """
    names = [f"bs.{pol}.{metric}" for pol in POLARIZATIONS for metric in METRICS]
    paths = [path for name in names if (path := folder / f"{name}.tif").is_file()]
    if not paths:
        raise BadProduct(f"{folder}: no metrics are in it", hint="make the timescan first")
    bands: list[str] = []
    head = ""
    for number, path in enumerate(paths, 1):
        try:
            with rasterio.open(path) as dataset:
                head = head or _head(dataset)
                bands.append(_band(dataset, number, path))
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{path}: it cannot be read as a raster: {error}") from error
    vrt = folder / NAME
    remove_leftovers(vrt)
    unfinished = vrt.with_name(f"{hidden_stem(vrt)}.part")
    try:
        unfinished.write_text(f"{head}{''.join(bands)}</VRTDataset>\n", "utf-8")
        unfinished.replace(vrt)
    except OSError as error:
        raise refusal(vrt, error) from error
    finally:
        unfinished.unlink(missing_ok=True)
    return vrt


def _head(dataset: rasterio.DatasetReader) -> str:
    numbers = ", ".join(repr(float(value)) for value in dataset.transform.to_gdal())
    return (
        f'<VRTDataset rasterXSize="{dataset.width}" rasterYSize="{dataset.height}">\n'
        f"  <SRS>{escape(dataset.crs.to_wkt())}</SRS>\n"
        f"  <GeoTransform>{numbers}</GeoTransform>\n"
    )


def _band(dataset: rasterio.DatasetReader, number: int, path: Path) -> str:
    size = f'xOff="0" yOff="0" xSize="{dataset.width}" ySize="{dataset.height}"'
    high, wide = dataset.block_shapes[0]
    kind = _TYPES[dataset.dtypes[0]]
    properties = (
        f'RasterXSize="{dataset.width}" RasterYSize="{dataset.height}" DataType="{kind}" '
        f'BlockXSize="{wide}" BlockYSize="{high}"'
    )
    unit = escape(dataset.units[0] or "")
    return (
        f'  <VRTRasterBand dataType="{kind}" band="{number}">\n'
        f"    <Description>{escape(path.stem)}</Description>\n"
        f"    <NoDataValue>{dataset.nodata:g}</NoDataValue>\n"
        f"    <UnitType>{unit}</UnitType>\n"
        "    <SimpleSource>\n"
        f'      <SourceFilename relativeToVRT="1">{escape(path.name)}</SourceFilename>\n'
        "      <SourceBand>1</SourceBand>\n"
        f"      <SourceProperties {properties}/>\n"
        f"      <SrcRect {size}/>\n"
        f"      <DstRect {size}/>\n"
        "    </SimpleSource>\n"
        "  </VRTRasterBand>\n"
    )
