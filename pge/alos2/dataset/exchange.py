"""Two folders change their names in one step, where the system can do that.

Linux: ``renameat2`` with ``RENAME_EXCHANGE``; macOS: ``renamex_np`` with ``RENAME_SWAP``. There is
no moment at which one of the two names is missing.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

_RENAME_EXCHANGE: Final = 2
_RENAME_SWAP: Final = 2
_AT_FDCWD: Final = -100


def exchange(one: Path, other: Path) -> bool:
    """Let two existing folders of one file system swap names; whether that was possible.

    False means that nothing was changed: the system or the file system cannot do it.
    """
    first, second = os.fsencode(one), os.fsencode(other)
    if sys.platform.startswith("linux"):
        call = _function("renameat2")
        done = call and call(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE) == 0
    elif sys.platform == "darwin":
        call = _function("renamex_np")
        done = call and call(first, second, _RENAME_SWAP) == 0
    else:
        done = False
    return bool(done)


@cache
def _function(name: str) -> Any:
    try:
        return getattr(ctypes.CDLL(None, use_errno=True), name)
    except (OSError, AttributeError):  # an older C library
        return None
