"""What the catalogue could not answer is remembered for a while, so that a batch does not wait.

On disk in the user's cache folder where there is one that can be written to, and always in memory.
A cache that cannot be read or written is no fault: it is then asked again.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from alos2.dataset.cachefolder import user_cache_dir
from alos2.footprint.provider import NoAnswer

_MAX_FILE_BYTES: Final = 4096

_memory: dict[str, tuple[float, str]] = {}
_lock: Final = threading.Lock()


def forget() -> None:
    """Empty the memory (not the disk)."""
    with _lock:
        _memory.clear()


class NegativeCache:
    """Reasons why there is no answer, each with a time until which it holds.

    Parameters
    ----------
    folder : Path or None
        Where it is kept; None: the user's cache folder, or memory only.
    clock : callable
        Seconds since 1970.
    """

    def __init__(self, folder: Path | None, *, clock: Callable[[], float] = time.time) -> None:
        base = user_cache_dir() if folder is None else folder
        self._folder = None if base is None else base / "bos-sarcat"
        self._clock = clock

    def _key(self, subject: str) -> str:
        return hashlib.sha256(subject.encode(errors="replace")).hexdigest()[:32]

    def get(self, subject: str, longest_s: float) -> NoAnswer | None:
        """Return what is remembered of `subject`, None if nothing is or it is too old.

        `longest_s` guards against an entry from the future, after the clock was set back.
        """
        now = self._clock()
        key = self._key(subject)
        with _lock:
            entry = _memory.get(f"{self._folder}:{key}")
        if entry is None:
            entry = self._read(key)
        if entry is None or not now < entry[0] <= now + longest_s + 1.0:
            return None
        return NoAnswer(entry[1])

    def put(self, subject: str, reason: str, seconds: float) -> None:
        """Remember `reason` of `subject` for `seconds`."""
        key = self._key(subject)
        entry = (self._clock() + seconds, reason)
        with _lock:
            _memory[f"{self._folder}:{key}"] = entry
        self._write(key, entry)

    def _read(self, key: str) -> tuple[float, str] | None:
        if self._folder is None:
            return None
        try:
            with (self._folder / f"{key}.json").open("rb") as file:
                stored = json.loads(file.read(_MAX_FILE_BYTES))
            return float(stored["until"]), str(stored["reason"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _write(self, key: str, entry: tuple[float, str]) -> None:
        if self._folder is None:
            return
        text = json.dumps({"until": entry[0], "reason": entry[1]})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".", suffix=".json")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(name).replace(self._folder / f"{key}.json")
        except OSError:  # a read-only or full disk: memory has it
            return
