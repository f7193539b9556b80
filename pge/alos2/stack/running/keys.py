"""Content keys: what an output was made from, as one SHA-256.

A key is made of the step's name and the version of its code, of the parameters that matter to its
bytes, of the identity of the files from outside, and of the keys of the tasks that it was made
from. How many threads, how much memory, where things lie and when they were made is in none.

A file from outside is known by its name and size, and by its SHA-256 if it is small; a large one
by its time of change, since to hash thirty deliveries of 6 GB costs more than many a step.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from alos2.errors import BadDocument, NothingFound
from alos2.stack.planning.words import some_text
from alos2.types import Json

SMALL_BYTES: Final = 4 << 20
"""Up to here a file is known by its content."""

_CHUNK: Final = 1 << 20
_VRT_SOURCE: Final = re.compile(
    r"<SourceFilename([^>]*)>([^<]+)</SourceFilename>|<SourceDataset([^>]*)>([^<]+)</SourceDataset>"
)


def canonical(document: Any) -> bytes:
    """Return JSON of which there is only one for the same content.

    Raises
    ------
    BadDocument
        It holds something that JSON has no word for.
    """
    try:
        text = json.dumps(
            document, sort_keys=True, ensure_ascii=True, separators=(",", ":"), allow_nan=False
        )
    except (TypeError, ValueError) as error:
        raise BadDocument(f"parameters of a step are no plain JSON: {error}") from error
    return text.encode("ascii")


def made_from(
    step: str,
    version: int,
    parameters: Json,
    inputs: Mapping[str, str],
    needs: Mapping[str, str],
) -> Json:
    """Return all that a key is made of.

    Parameters
    ----------
    step, version
        The step's name, and the version of its code.
    parameters : dict
        Those that matter to the bytes of its outputs; plain JSON.
    inputs : mapping of str to str
        Files from outside: what they are for -> identity.
    needs : mapping of str to str
        Tasks whose outputs it reads: id -> key.
    """
    return {
        "step": step,
        "version": version,
        "parameters": parameters,
        "inputs": dict(sorted(inputs.items())),
        "needs": dict(sorted(needs.items())),
    }


def key_of(content: Json) -> str:
    """Return the key of what `made_from` gave: SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(content)).hexdigest()


def difference(old: Json, new: Json) -> str:
    """Say in a few words why two keys differ, for a person.

    Parameters
    ----------
    old, new : dict
        As `made_from` gives them.
    """
    if old.get("step") != new["step"] or old.get("version") != new["version"]:
        return f"version {new['version']} of the step"
    said = [
        f"{word} {', '.join(names)}"
        for part, word in (("parameters", "other"), ("inputs", "other input"))
        if (names := list(_changed(old.get(part) or {}, new[part])))
    ]
    before, after = old.get("needs") or {}, new["needs"]
    anew = {name for name in after if before.get(name, after[name]) != after[name]}
    for word, tasks in (
        ("new", set(after) - set(before)),
        ("no longer", set(before) - set(after)),
        ("made anew:", anew),
    ):
        if tasks:
            said.append(f"{word} {some_text(sorted(tasks))}")
    return "; ".join(said) or "other content"


def _changed(old: Json, new: Json, prefix: str = "") -> Iterator[str]:
    for name in sorted({*old, *new}):
        one, other = old.get(name), new.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from _changed(one, other, f"{prefix}{name}.")
        elif one != other:
            yield f"{prefix}{name}"


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file; raises OSError where it cannot be read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def file_identity(path: Path) -> str:
    """Return what tells a file from outside from another.

    Of a VRT also what it refers to.

    Raises
    ------
    NothingFound
        It is not there, or cannot be read.
    """
    return hashlib.sha256(canonical(list(_facts(path, frozenset())))).hexdigest()


def _facts(path: Path, above: frozenset[Path]) -> Iterator[list[Any]]:
    try:
        found = path.stat()
        if found.st_size > SMALL_BYTES:
            yield [path.name, found.st_size, found.st_mtime_ns]
            return
        content = path.read_bytes()
    except OSError as error:
        raise NothingFound(
            f"{path} cannot be read: {error.strerror or error}", hint="name a file that is there"
        ) from error
    yield [path.name, found.st_size, hashlib.sha256(content).hexdigest()]
    if path.suffix.lower() != ".vrt" or path in above:
        return
    for match in _VRT_SOURCE.finditer(content.decode("utf-8", "replace")):
        attributes = match[1] or match[3] or ""
        name = (match[2] or match[4]).strip()
        source = path.parent / name if 'relativeToVRT="1"' in attributes else Path(name)
        if source.is_file():  # what is an address (/vsicurl/...) is told by the text itself
            yield from _facts(source, above | {path})
