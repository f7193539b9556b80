"""A scheme's module as a `Source`: its remotes, brought home by the engine."""

from __future__ import annotations

import importlib
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, cast

from alos2.sources.model import Cancelled, Fetched, TransferOptions, TransferProgress
from alos2.sources.remote import Remote
from alos2.sources.transfer import transfer


class _OpenRemote(Protocol):
    def __call__(
        self, url: str, *, options: TransferOptions, credential: str | None
    ) -> AbstractContextManager[Remote]: ...


class RemoteSource:
    """Zips behind URLs of a scheme.

    Parameters
    ----------
    module : str
        Has ``open_remote(url, *, options, credential)``, a context manager of a `Remote` that
        closes its connection. Imported at the first fetch.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def fetch(
        self,
        url: str,
        work_dir: Path,
        *,
        progress: TransferProgress | None = None,
        cancel: Cancelled | None = None,
        options: TransferOptions = TransferOptions(),  # noqa: B008
        credential: str | None = None,
    ) -> Fetched:
        """Bring the zip at `url` into `work_dir`; see `alos2.sources.transfer.transfer`."""
        module = importlib.import_module(self._module)
        open_remote = cast(_OpenRemote, module.open_remote)
        with open_remote(url, options=options, credential=credential) as remote:
            return transfer(remote, work_dir, progress=progress, cancel=cancel, options=options)
