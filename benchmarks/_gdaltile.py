"""``gdal raster tile`` from the library inside a rasterio wheel, which has no command of its own.

Run by a Python that has rasterio with GDAL 3.11 or newer: ``_gdaltile.py <scene> <folder>``. The
C functions are those of GDAL's ``gdal_utils.h`` and ``gdalalgorithm.h``. Exit code 3: there is no
such algorithm in this library.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

TILE = [
    "--min-zoom=0", "--max-zoom=14", "-r", "nearest", "--overview-resampling", "average",
    "--co", "ZLEVEL=1", "--skip-blank", "-j", "2", "--quiet",
]  # fmt: skip
SCALE = ["-ot", "Byte", "-scale", "0", "7500", "-a_nodata", "0", "-q"]


def library() -> ctypes.CDLL:
    import rasterio  # noqa: PLC0415

    package = Path(rasterio.__file__).parent
    os.environ["GDAL_DATA"] = str(package / "gdal_data")
    os.environ["PROJ_LIB"] = os.environ["PROJ_DATA"] = str(package / "proj_data")
    (found,) = (package.parent / "rasterio.libs").glob("libgdal*.so*")
    return ctypes.CDLL(str(found))


def strings(values: list[str]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(values) + 1))(*(v.encode() for v in values), None)


def translate(gdal: ctypes.CDLL, scene: str, out: str) -> None:
    for name in ("GDALOpen", "GDALTranslateOptionsNew", "GDALTranslate"):
        getattr(gdal, name).restype = ctypes.c_void_p
    source = ctypes.c_void_p(gdal.GDALOpen(scene.encode(), 0))
    options = ctypes.c_void_p(gdal.GDALTranslateOptionsNew(strings(SCALE), None))
    made = ctypes.c_void_p(gdal.GDALTranslate(out.encode(), source, options, None))
    if not made:
        sys.exit("GDALTranslate failed")
    gdal.GDALClose(made)
    gdal.GDALClose(source)


def tile(gdal: ctypes.CDLL, mask: str, folder: str) -> None:
    registry, instantiate, sub, parse, run = (
        getattr(gdal, name)
        for name in (
            "GDALGetGlobalAlgorithmRegistry",
            "GDALAlgorithmRegistryInstantiateAlg",
            "GDALAlgorithmInstantiateSubAlgorithm",
            "GDALAlgorithmParseCommandLineArguments",
            "GDALAlgorithmRun",
        )
    )
    for function in (registry, instantiate, sub):
        function.restype = ctypes.c_void_p
    for function in (parse, run):
        function.restype = ctypes.c_bool
    raster = ctypes.c_void_p(instantiate(ctypes.c_void_p(registry()), b"raster"))
    algorithm = ctypes.c_void_p(sub(raster, b"tile") if raster else None)
    if not algorithm:
        sys.exit(3)
    if not parse(algorithm, strings([*TILE, mask, folder])) or not run(algorithm, None, None):
        sys.exit("gdal raster tile failed")


def main() -> None:
    scene, folder = sys.argv[1:]
    gdal = library()
    if not hasattr(gdal, "GDALGetGlobalAlgorithmRegistry"):
        sys.exit(3)
    gdal.GDALAllRegister()
    Path(folder).mkdir(parents=True)
    scaled = f"{folder}.tif"
    translate(gdal, scene, scaled)
    tile(gdal, scaled, folder)
    Path(scaled).unlink()


if __name__ == "__main__":
    main()
