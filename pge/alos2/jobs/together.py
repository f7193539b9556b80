"""Progress of downloads that run at once, beside that of the builds."""

from __future__ import annotations

import threading

from alos2.raster.pictures import Progress


class Together:
    """Many downloads' progress as that of one, whose sum it is.

    Parameters
    ----------
    show : Progress
        Told of everything, by one thread at a time.
    """

    def __init__(self, show: Progress) -> None:
        self._show = show
        self._parts: dict[str, tuple[int, int | None]] = {}
        self._lock = threading.Lock()

    def of_build(self) -> Progress:
        """Return what takes the progress of the builds."""

        def progress(stage: str, done: int, total: int | None) -> None:
            with self._lock:
                self._show(stage, done, total)

        return progress

    def of_download(self, what: str) -> Progress:
        """Return what takes the progress of one download."""

        def progress(stage: str, done: int, total: int | None) -> None:
            with self._lock:
                self._parts[what] = done, total
                totals = [part for _, part in self._parts.values()]
                known = [part for part in totals if part is not None]
                whole = sum(known) if len(known) == len(totals) else None
                self._show(stage, sum(d for d, _ in self._parts.values()), whole)

        return progress
