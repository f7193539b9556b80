"""The receipt in a folder of outputs: what they were made from, and what was made.

It becomes part of the folder before that gets its name, so outputs and receipt are there together
or not at all. No time stands in it: the same outputs have the same receipt.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from alos2.dataset.jsontext import json_bytes
from alos2.errors import NoResource
from alos2.stack.running.keys import file_sha256
from alos2.types import Json

NAME: Final = ".receipt.json"


@dataclass(frozen=True)
class Receipt:
    """What a folder of outputs says of itself."""

    key: str
    made_from: Json
    """As `alos2.stack.running.keys.made_from` gives it."""
    files: Mapping[str, tuple[int, str]]
    """Size in bytes and SHA-256, by name relative to the folder."""
    notes: tuple[str, ...] = ()
    parts: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Files by the key of that part of the outputs which they are."""

    def fault(
        self, folder: Path, *, checksums: bool = False, only: Iterable[str] | None = None
    ) -> str:
        """Say what is wrong with the files, in a few words; empty: nothing.

        Parameters
        ----------
        folder : Path
            Where they lie.
        checksums : bool, optional
            Whether to read them all; else only their sizes are looked at.
        only : iterable of str, optional
            Look at these files only.
        """
        for name in self.files if only is None else only:
            if name not in self.files:
                return f"{name} is not known"
            size, digest = self.files[name]
            try:
                found = (folder / name).stat().st_size
                if found != size:
                    return f"{name} has {found} bytes instead of {size}"
                if checksums and file_sha256(folder / name) != digest:
                    return f"{name} has another checksum"
            except OSError as error:
                return f"{name}: {error.strerror or error}"
        return ""


def write_receipt(
    folder: Path,
    key: str,
    content: Json,
    notes: Sequence[str] = (),
    parts: Mapping[str, Sequence[str]] | None = None,
) -> Receipt:
    """Look at what lies in a folder of outputs and write its receipt there.

    Raises
    ------
    OSError
        A file cannot be read, or the receipt not be written.
    NoResource
        There is nothing in it.
    """
    files = {name: _facts(folder / name) for name in file_names(folder)}
    if not files:
        raise NoResource(f"{content.get('step')} left no files", hint="please report it")
    receipt = Receipt(key, content, files, tuple(notes), dict(parts or {}))
    document = {
        "key": key,
        "made_from": content,
        "notes": list(notes),
        "parts": {part: sorted(names) for part, names in sorted(receipt.parts.items())},
        "files": {name: {"size": size, "sha256": sha} for name, (size, sha) in files.items()},
    }
    (folder / NAME).write_bytes(json_bytes(document))
    return receipt


def _facts(path: Path) -> tuple[int, str]:
    return path.stat().st_size, file_sha256(path)


def file_names(folder: Path) -> list[str]:
    """Return the names of all files below a folder of outputs but the receipt, sorted."""
    found: list[str] = []
    for where, _, names in os.walk(folder):
        below = Path(where).relative_to(folder)
        found.extend((below / name).as_posix() for name in names)
    return sorted(name for name in found if name != NAME)


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt of a folder of outputs; None where there is none that can be read."""
    try:
        document = json.loads((folder / NAME).read_bytes())
        return Receipt(
            str(document["key"]),
            dict(document["made_from"]),
            {name: (int(f["size"]), str(f["sha256"])) for name, f in document["files"].items()},
            tuple(document["notes"]),
            {key: list(names) for key, names in document["parts"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
