"""rasterio, imported without boto3.

rasterio imports boto3 where it is installed, for rasters that lie in S3; it takes as long as all
the rest of rasterio (0.25 s), and no raster is read from there here. It is hidden for the moment of
the import only: what imports boto3 afterwards finds it.
"""

from __future__ import annotations

import sys

_hide = "boto3" not in sys.modules and "rasterio.session" not in sys.modules
if _hide:
    sys.modules["boto3"] = None  # type: ignore[assignment]
try:
    import rasterio
    import rasterio.shutil
    from rasterio.errors import RasterioError
    from rasterio.windows import Window as RasterioWindow
finally:
    if _hide:
        del sys.modules["boto3"]

__all__ = ["RasterioError", "RasterioWindow", "rasterio"]
