"""The finished stacks of an archive, remembered until they change, and the threads that draw them.

What reads rasters is imported when the first stack is asked for: most archives have none.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from alos2.catalogue.search import cql2
from alos2.catalogue.search.model import Search
from alos2.types import Json, LonLat
from alos2.web.answers import not_found
from alos2.web.archive import ArchiveFiles, OpenFile

if TYPE_CHECKING:
    from alos2.web.stacks.limits import Limits
    from alos2.web.stacks.model import StackProduct
    from alos2.web.stacks.rasters import Rasters

TYPE: Final = "alos2_stack"
"""``alos2:type`` of the items of finished stacks."""
THREADS: Final = 4
_REMEMBERED: Final = 128
_Answer = TypeVar("_Answer")


def is_stack(item: Json) -> bool:
    """Whether a STAC item is that of a finished stack."""
    return bool((item.get("properties") or {}).get("alos2:type") == TYPE)


def only_stacks(search: Search) -> Search:
    """Return a search that finds nothing but finished stacks."""
    kind = cql2.one_of("alos2:type", [TYPE])
    return replace(search, filter=cql2.together(search.filter, kind))


class StackShelf:
    """The finished stacks of an archive.

    Parameters
    ----------
    files : ArchiveFiles
    threads : int, optional
        That draw at the same time.
    """

    def __init__(self, files: ArchiveFiles, threads: int = THREADS) -> None:
        self._files = files
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "alos2-stack")
        self._known: OrderedDict[str, StackProduct] = OrderedDict()
        self._tools: tuple[Rasters, Limits] | None = None
        self._lock = threading.Lock()

    async def run(self, work: Callable[[], _Answer]) -> _Answer:
        """Return what `work` returns; so many at the same time as there are threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    @property
    def rasters(self) -> Rasters:
        """The open files of stacks."""
        return self._made()[0]

    @property
    def limits(self) -> Limits:
        """Between which values stacks are coloured."""
        return self._made()[1]

    def of(self, dataset: str, folder: str | None) -> StackProduct:
        """Return a stack.

        Raises
        ------
        HttpError
            404: there is no such dataset, or it is no finished stack.
        """
        from alos2.web.stacks.model import product_of  # noqa: PLC0415 - see above

        document = self._files.open(dataset, f"{dataset}.stac.json", folder=folder)
        try:
            with self._lock:
                known = self._known.get(dataset)
            if (
                known is not None
                and known.etag == document.etag
                and (known.folder == (folder or dataset))
            ):
                return known
            item = _parsed(document)
            if not is_stack(item) or item.get("id") != dataset:
                raise not_found(f"dataset {dataset[:80]!r} is no finished stack")
            found = product_of(item, document.etag, folder)
        finally:
            document.close()
        with self._lock:
            self._known[dataset] = found
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return found

    def value(self, dataset: str, name: str, place: LonLat, folder: str | None) -> Json:
        """Return what a layer has at a place, as `alos2.web.api.pixel.pixel` tells it.

        Raises
        ------
        HttpError
            404: there is no such stack, layer or file.
        BadProduct
            The file cannot be read.
        UsageError
            The place is none.
        """
        from alos2.web.stacks.readout import readout  # noqa: PLC0415 - see above

        product = self.of(dataset, folder)
        return readout(self.rasters, product, product.layer(name), place)

    def picture(self, dataset: str, folder: str | None) -> bytes | None:
        """Return a small picture of a stack that has none of its own; raises as `value`."""
        from alos2.web.stacks.readout import small_picture  # noqa: PLC0415 - see above

        return small_picture(self.rasters, self.limits, self.of(dataset, folder))

    def close(self) -> None:
        """Wait for what is being drawn, and close all files."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._tools is not None:
            self._tools[0].close()

    def _made(self) -> tuple[Rasters, Limits]:
        from alos2.web.stacks.limits import Limits  # noqa: PLC0415 - see above
        from alos2.web.stacks.rasters import Rasters  # noqa: PLC0415

        with self._lock:
            if self._tools is None:
                rasters = Rasters(self._files, threads=self._threads)
                self._tools = (rasters, Limits(rasters))
            return self._tools


def _parsed(document: OpenFile) -> Json:
    try:
        item: Any = json.loads(document.read(0, document.size))
    except ValueError as error:
        raise not_found(f"{document.name} cannot be read: {error}") from error
    return item if isinstance(item, dict) else {}
