"""A library that another one imports wherever it is installed, hidden while that one is imported.

For what only costs time here: rasterio looks for boto3 and numba for scipy, each of which takes as
long as all that is really wanted. What imports the hidden library afterwards finds it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hidden(library: str, *, importer: str) -> Iterator[None]:
    """Let ``import library`` fail within, unless it or `importer` is there already.

    Parameters
    ----------
    library : str
        What is not to be loaded, e.g. ``boto3``.
    importer : str
        The module that would load it, e.g. ``rasterio.session``.
    """
    if library in sys.modules or importer in sys.modules:
        yield
        return
    sys.modules[library] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[library]
