"""What level 2.2 brings along: JAXA's own mask and local angles of incidence.

``MSK``: 0 no data, 1 valid, 2 layover, 3 shadow, 4 ocean, 5 invalid. ``LIN``: hundredths of a
degree, 0 = none. Both lie on the grid of the image, and are brought over pixel by pixel (the
nearest), as codes cannot be averaged. Source: the summary of a real product (CARD4L NRB 5.5).
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.errors import BadProduct
from alos2.product.model import Product, ProductFile
from alos2.raster.lean import RasterioError, RasterioWindow, rasterio
from alos2.raster.places import Values

_LAYOVER: Final = 2
_SHADOW: Final = 3
_INVALID: Final = 5
_HUNDREDTHS: Final = np.float32(0.01)


class DeliveredLayer:
    """A raster of codes beside the images, read pixel by pixel; a context manager.

    Raises
    ------
    BadProduct
        The file is not unpacked, cannot be read, or is not of the images' shape.
    """

    def __init__(self, product: Product, file: ProductFile) -> None:
        if file.path is None:
            raise BadProduct(f"{file.name} is still inside an archive", hint="unpack it first")
        self._name = file.name
        self._path = file.path
        self._shape = product.images[0].shape
        self._file: Any = None
        self._lock = threading.Lock()  # a dataset serves one thread at a time

    def __enter__(self) -> DeliveredLayer:
        try:
            self._file = rasterio.open(self._path)
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{self._name} cannot be read: {error}") from error
        if (self._file.height, self._file.width) != tuple(self._shape):
            found = (self._file.height, self._file.width)
            self._file.close()
            raise BadProduct(f"{self._name} is of {found} pixels, the images of {self._shape}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def codes(self, pixel: Values, line: Values) -> npt.NDArray[Any]:
        """Return the codes at image coordinates, 0 outside of the image.

        Raises
        ------
        BadProduct
            The file cannot be read.
        """
        with np.errstate(invalid="ignore"):
            inside = (pixel >= 0) & (pixel < self._shape.pixels)
            inside &= (line >= 0) & (line < self._shape.lines)
        out = np.zeros(pixel.shape, self._file.dtypes[0])
        if not inside.any():
            return out
        columns = pixel[inside].astype(np.intp)
        rows = line[inside].astype(np.intp)
        left, top = int(columns.min()), int(rows.min())
        window = RasterioWindow(left, top, int(columns.max()) - left + 1, int(rows.max()) - top + 1)
        try:
            with self._lock:
                values = self._file.read(1, window=window)
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{self._name} cannot be read: {error}") from error
        out[inside] = values[rows - top, columns - left]
        return out


def layer_file(product: Product, kind: str) -> ProductFile | None:
    """Return the product's file of a kind (``MSK``, ``LIN``), if it has one."""
    return next((file for file in product.files if file.kind == kind), None)


def flags_of(codes: npt.NDArray[Any]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return flags (1 layover, 2 shadow) of codes of the mask, and where data are invalid."""
    flags = np.zeros(codes.shape, np.uint8)
    flags[codes == _LAYOVER] = 1
    flags[codes == _SHADOW] = 2
    return flags, np.asarray((codes == _INVALID) | (codes == 0))


def degrees_of(codes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return local angles of incidence of their codes; NaN where there is none."""
    degrees: npt.NDArray[np.float32] = codes.astype(np.float32) * _HUNDREDTHS
    degrees[codes == 0] = np.nan
    return degrees
