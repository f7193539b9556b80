"""The rasters of stacks, held open: a few hundred at most, the least used are closed.

A dataset of GDAL is for one thread at a time: each is lent to one, and given back. A file that was
replaced has another identity (`OpenFile.etag`), and is opened anew. Only GeoTIFFs are opened, and
without the files beside them: nothing in a file leads to another one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alos2.errors import BadProduct
from alos2.web.archive import ArchiveFiles, OpenFile
from alos2.web.stacks.model import StackLayer, StackProduct
from alos2.web.stacks.numbers import Meaning, meaning_of

MOST_OPEN: Final = 256
"""Datasets that stay open while nobody reads them."""
THREADS: Final = 4
_BY_HANDLE: Final = Path("/proc/self/fd")


@dataclass(frozen=True)
class Held:
    """An open file of a stack."""

    dataset: Any
    """Of rasterio."""
    meaning: Meaning
    wkt: str
    """Its reference system."""


@dataclass(frozen=True)
class Source:
    """A file of a stack, and how it is read."""

    product: StackProduct
    path: str
    """In its folder."""
    metric: str | None
    """None: a date."""


class Rasters:
    """Opens the files of stacks, and keeps them open.

    Parameters
    ----------
    files : ArchiveFiles
    most : int, optional
        That stay open.
    threads : int, optional
        That read and draw at the same time.
    """

    def __init__(
        self, files: ArchiveFiles, *, most: int = MOST_OPEN, threads: int = THREADS
    ) -> None:
        self.files = files
        self.readers = ThreadPoolExecutor(threads, "alos2-pixel")
        """Read the many files of a pixel or a legend."""
        self._most = most
        self._idle: OrderedDict[tuple[str, str, str], list[Held]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    @property
    def idle(self) -> int:
        """How many are open while nobody reads them."""
        return self._count

    @contextmanager
    def lent(self, source: Source) -> Iterator[Held]:
        """Lend an open file.

        Raises
        ------
        HttpError
            404: it is not there.
        BadProduct
            It cannot be read.
        """
        from alos2.raster.lean import RasterioError  # noqa: PLC0415 - only where there are stacks

        file = self.files.open(source.product.id, source.path, folder=source.product.folder)
        try:
            key = (source.product.id, source.path, file.etag)
            held = self._taken(key) or self._opened(source, file)
        finally:
            file.close()
        try:
            yield held
        except (RasterioError, OSError) as error:
            held.dataset.close()
            raise BadProduct(f"{source.path} of {source.product.id} cannot be read") from error
        except BaseException:
            held.dataset.close()
            raise
        self._give_back(key, held)

    @contextmanager
    def lent_all(self, sources: Sequence[Source]) -> Iterator[list[Held]]:
        """Lend several; raises as `lent`."""
        with ExitStack() as stack:
            yield [stack.enter_context(self.lent(one)) for one in sources]

    def etags(self, sources: Sequence[Source]) -> list[str]:
        """Return what the files are now, without reading them; raises 404 as `lent`."""
        found = []
        for one in sources:
            file = self.files.open(one.product.id, one.path, folder=one.product.folder)
            found.append(file.etag)
            file.close()
        return found

    def close(self) -> None:
        """Wait for what is being read, and close all."""
        self.readers.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            for held in (one for many in self._idle.values() for one in many):
                held.dataset.close()
            self._idle.clear()
            self._count = 0

    def _taken(self, key: tuple[str, str, str]) -> Held | None:
        with self._lock:
            free = self._idle.get(key)
            if not free:
                return None
            self._count -= 1
            held = free.pop()
            if not free:
                del self._idle[key]
            return held

    def _give_back(self, key: tuple[str, str, str], held: Held) -> None:
        too_many = []
        with self._lock:
            self._idle.setdefault(key, []).append(held)
            self._idle.move_to_end(key)
            self._count += 1
            while self._count > self._most:
                oldest, free = next(iter(self._idle.items()))
                too_many.append(free.pop(0))
                self._count -= 1
                if not free:
                    del self._idle[oldest]
        for one in too_many:
            one.dataset.close()

    def _opened(self, source: Source, file: OpenFile) -> Held:
        from alos2.raster.lean import RasterioError, rasterio  # noqa: PLC0415

        try:
            with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
                dataset = rasterio.open(self._place(source, file), driver="GTiff")
        except (RasterioError, OSError) as error:
            raise BadProduct(f"{source.path} of {source.product.id} is no GeoTIFF") from error
        try:
            return _held(dataset, source)
        except BaseException:
            dataset.close()
            raise

    def _place(self, source: Source, file: OpenFile) -> str:
        """Return a path that opens exactly the file that was checked, where the system has one."""
        own = _BY_HANDLE / str(file.file.fileno())
        if own.exists():
            return str(own)
        folder = source.product.folder
        return str(self.files.root.joinpath(*folder.split("/"), *source.path.split("/")))


def _held(dataset: Any, source: Source) -> Held:
    if dataset.crs is None:
        raise BadProduct(f"{source.path} of {source.product.id} is on no map")
    return Held(dataset, meaning_of(dataset, source.metric), dataset.crs.to_wkt())


def sources_of(product: StackProduct, layer: StackLayer) -> list[Source]:
    """Return the files of a layer."""
    metric = layer.what if layer.kind == "metric" else None
    return [Source(product, path, metric) for path in layer.paths]
