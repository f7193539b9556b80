"""Whether what lies at a place is the dataset that shall be published there, and what differs.

Times of making aside: the same product ingested twice makes two sets of documents that differ in
nothing else, and publishing the second one changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

from alos2.dataset.documents import SUFFIXES
from alos2.errors import DatasetDiffers
from alos2.publish.model import Entry, PublishOptions
from alos2.publish.parallel import each, stop_if

_MOST: Final = 5
_TIMES: Final = frozenset({"created", "creation_timestamp", "retrieved"})
_MADE_OF_DOCUMENTS: Final = frozenset({"dataset", "met"})
"""Assets of the STAC item whose checksums follow from those times."""


class Remote(Protocol):
    """What lies at a place."""

    def sizes(self) -> Mapping[str, int]:
        """Return the size of each file, by its name inside the dataset."""

    def read(self, name: str) -> bytes:
        """Return a small file."""

    def holds(self, entry: Entry) -> bool:
        """Whether the file of this name, whose size is right, has this content."""


def ask(
    question: Callable[[Entry], bool], entries: list[Entry], options: PublishOptions
) -> Iterator[tuple[Entry, bool]]:
    """Yield each entry with the answer about it; several are asked about at a time."""

    def answer(entry: Entry) -> tuple[Entry, bool]:
        stop_if(options)
        return entry, question(entry)

    return each(answer, entries, at_once=options.at_once)


def is_bookkeeping(name: str, label: str) -> bool:
    """Whether HySDS itself put a file into a dataset's folder when it published it."""
    extra = {
        "_publish.context.json",
        *(f"{label}.{kind}.json" for kind in ("context", "prov_es", "prod_prov")),
    }
    return name in extra or name.endswith(".osaka.locked.json")


def differences(
    entries: tuple[Entry, ...],
    label: str,
    remote: Remote,
    options: PublishOptions,
) -> Iterator[str]:
    """Yield what differs, the cheap before the dear.

    Parameters
    ----------
    entries : tuple of Entry
        What should be there.
    label : str
        The dataset's id.
    remote : Remote
        What is there.
    options : PublishOptions
        How many files to ask about at a time.
    """
    there = {n: size for n, size in remote.sizes().items() if not is_bookkeeping(n, label)}
    here = {entry.name: entry for entry in entries}
    for name in sorted(there.keys() - here.keys()):
        yield f"{name} is there and not here"
    for name in sorted(here.keys() - there.keys()):
        yield f"{name} is here and not there"
    documents = {f"{label}{suffix}" for suffix in SUFFIXES}
    common = [entry for name, entry in here.items() if name in there]
    for entry in common:
        if entry.size != there[entry.name] and entry.name not in documents:
            yield f"{entry.name} has {there[entry.name]} bytes there and {entry.size} here"
    for entry in common:
        if entry.name in documents and not _same_document(entry, remote.read(entry.name)):
            yield f"{entry.name} says something else there"
    alike = [e for e in common if e.size == there[e.name] and e.name not in documents]
    for entry, same in ask(remote.holds, alike, options):
        if not same:
            yield f"{entry.name} has other content there than here"


def refuse(found: Iterator[str], where: str) -> None:
    """Raise if anything differs.

    Raises
    ------
    DatasetDiffers
        With what differs first.
    """
    shown = [sentence for _, sentence in zip(range(_MOST + 1), found, strict=False)]
    if shown:
        more = "; and more" if len(shown) > _MOST else ""
        raise DatasetDiffers(
            f"another dataset of this id is at {where}: {'; '.join(shown[:_MOST])}{more}",
            hint="use --force to replace it",
        )


def _same_document(entry: Entry, there: bytes) -> bool:
    here = entry.path.read_bytes()
    if here == there:
        return True
    try:
        return bool(_timeless(json.loads(here)) == _timeless(json.loads(there)))
    except (ValueError, RecursionError):
        return False


def _timeless(value: Any) -> Any:
    """Return a document without the times of its making and what follows from them."""
    if isinstance(value, list):
        return [_timeless(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _timeless(item) for key, item in value.items() if key not in _TIMES}
    assets = kept.get("assets")
    if isinstance(assets, dict):
        for key in _MADE_OF_DOCUMENTS & assets.keys():
            if isinstance(assets[key], dict):
                assets[key] = {
                    k: v for k, v in assets[key].items() if k not in ("file:checksum", "file:size")
                }
    return kept
