"""rasterio, imported without boto3.

rasterio imports boto3 where it is installed, for rasters that lie in S3; it takes as long as all
the rest of rasterio (0.25 s), and no raster is read from there here.
"""

from __future__ import annotations

from alos2.raster.hiding import hidden

with hidden("boto3", importer="rasterio.session"):
    import rasterio
    import rasterio.shutil
    from rasterio.errors import RasterioError
    from rasterio.windows import Window as RasterioWindow

__all__ = ["RasterioError", "RasterioWindow", "rasterio"]
