"""numba, so that what it compiles is kept: ``from alos2.raster.jit import kernel``.

A kernel is compiled once a machine and then loaded from numba's cache in a few milliseconds. The
cache lies beside the code where that can be written, else in the user's cache folder, else in a
folder of the user's own among the temporary files (HySDS: read-only code, often no HOME). Where
nothing can be written kernels are compiled anew by every process.

numba looks at the file of a kernel to see whether what it kept is stale, and not at the files of
those that the kernel calls: hence a folder for each state of all of them. What it keeps are
pickles, which can run any code when they are loaded: a folder that somebody else owns or may
write is never used.
"""

from __future__ import annotations

import hashlib
import logging
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

from alos2.raster.hiding import hidden

log = logging.getLogger(__name__)

_VARIABLE: Final = "NUMBA_CACHE_DIR"
_DAMAGED: Final = (EOFError, pickle.UnpicklingError)
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _candidates() -> Iterator[Path]:
    yield Path(__file__).parent / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    if base:
        yield Path(base) / "alos2"
    elif os.environ.get("HOME"):
        yield Path(os.environ["HOME"]) / ".cache" / "alos2"
    user = os.getuid() if hasattr(os, "getuid") else "user"
    yield Path(tempfile.gettempdir()) / f"alos2-{user}"


def _state() -> str:
    """Return a name for the state of all kernels' sources, in whatever package they are."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.parent.rglob("*kernels.py")):
        digest.update(path.read_bytes())
    return f"kernels-{digest.hexdigest()[:12]}"


def _usable(folder: Path) -> bool:
    """Whether `folder` can be made or is there, is ours alone, and can be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        said = folder.lstat()
        if folder.is_symlink() or (hasattr(os, "getuid") and said.st_uid != os.getuid()):
            return False
        if os.name == "posix" and said.st_mode & 0o022:
            return False
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def choose_cache() -> bool:
    """Make numba keep what it compiles; returns whether it can. Called before numba is imported."""
    if os.environ.get(_VARIABLE):
        return True
    state = _state()
    for folder in _candidates():
        if _usable(folder) and _usable(folder / state):
            os.environ[_VARIABLE] = str(folder / state)
            return True
    return False


_CACHED: Final = choose_cache()

# After its cache is chosen; and without scipy's linear algebra (0.1 s), for which numba looks when
# the first kernel is loaded, and which no kernel uses.
with hidden("scipy", importer="numba.np.arraymath"):
    import numba
    import numba.np.arraymath


def kernel(function: _Function) -> _Function:
    """Compile `function` at its first call; it runs without the GIL and must not fail.

    Contraction, reordering of floating-point sums and multiplying by reciprocals are allowed
    (``contract``, ``reassoc``, ``arcp``); NaN, infinity and signed zero keep their meaning.
    """
    return _compiled(function, {"contract", "reassoc", "arcp"})


def exact_kernel(function: _Function) -> _Function:
    """Compile `function` as `kernel` does, but calculate as it is written (IEEE 754).

    A reordered sum may come out differently in a loop over vectors and in what is left of it. So
    this is for results that must be the same bytes wherever an image was cut.
    """
    return _compiled(function, False)


def _compiled(function: _Function, fastmath: bool | set[str]) -> _Function:
    compiled: Any = numba.njit(
        nogil=True,
        cache=_CACHED,
        fastmath=fastmath,
        error_model="numpy",
        boundscheck=False,
    )
    made: Any = compiled(function)
    _forgive(made)
    kept: _Function = made
    return kept


def _forgive(dispatcher: Any) -> None:
    """Let a kernel run though what was compiled cannot be kept, or what was kept is damaged.

    A disk may become full between `choose_cache` and the end of a compilation, and a machine may
    stop while the cache is written: both cost time and nothing else.
    """
    cache = dispatcher._cache  # noqa: SLF001  numba has no other way to its cache
    save, load = cache.save_overload, cache.load_overload

    def save_overload(signature: Any, data: Any) -> None:
        try:
            try:
                save(signature, data)
            except _DAMAGED:
                cache.flush()  # its index is damaged: begin a new one
                save(signature, data)
        except OSError as error:
            log.debug("a compiled kernel is not kept: %s", error)

    def load_overload(signature: Any, context: Any) -> Any:
        try:
            return load(signature, context)
        except (OSError, *_DAMAGED) as error:
            log.debug("a kept kernel cannot be read and is compiled again: %s", error)
            return None

    cache.save_overload, cache.load_overload = save_overload, load_overload
