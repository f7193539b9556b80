"""The folder for what need not be asked twice: ``$ALOS2_CACHE``, else the user's cache folder."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

VARIABLE: Final = "ALOS2_CACHE"
_FOLDER: Final = "alos2-ingest"


def cache_dir(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder that the environment names, else `user_cache_dir`."""
    environ = os.environ if environ is None else environ
    named = environ.get(VARIABLE)
    return Path(named) if named else user_cache_dir(environ)


def user_cache_dir(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the user's cache folder by the platform's rule; None where there is none.

    A job's container may have no home: then there is no folder, and that is no error.
    """
    environ = os.environ if environ is None else environ
    name = "LOCALAPPDATA" if sys.platform == "win32" else "XDG_CACHE_HOME"
    base = environ.get(name, "")
    if base and Path(base).is_absolute():
        return Path(base) / _FOLDER
    home = environ.get("USERPROFILE" if sys.platform == "win32" else "HOME", "")
    if not home or not Path(home).is_dir():
        return None
    inner = {"win32": "AppData/Local", "darwin": "Library/Caches"}.get(sys.platform, ".cache")
    return Path(home) / inner / _FOLDER
