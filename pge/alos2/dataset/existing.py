"""Whether a dataset of the same id that is there already was made from the same product."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from alos2.dataset.documents import STAC_SUFFIX, SUFFIXES
from alos2.dataset.footprint_report import FootprintAnswer
from alos2.dataset.identity import dataset_id
from alos2.dataset.own import own_fields_of_processing
from alos2.errors import DatasetDiffers
from alos2.product.model import Product, ProductFile
from alos2.types import Json

State: TypeAlias = Literal["absent", "same", "differs", "half"]

_MOST_DIFFERENCES: Final = 6


class Existing:
    """What lies at the place of a dataset.

    Attributes
    ----------
    state : str
        ``absent``; ``same``, made from the same product; ``differs``; ``half``, no whole dataset.
    differences : tuple of str
        What differs, or why it is no whole one.
    footprint : FootprintAnswer or None
        The footprint that the dataset was made with.

    Parameters
    ----------
    folder : Path
        Where the dataset would be.
    product : Product
        Whose dataset it would be, with the SHA-256 of its files.

    Raises
    ------
    DatasetDiffers
        Something that is no folder is in the way.
    """

    def __init__(self, folder: Path, product: Product, *, metadata_only: bool = False) -> None:
        self.folder = folder
        self._id = dataset_id(product, metadata_only=metadata_only)
        self.state: State = "absent"
        self.differences: tuple[str, ...] = ()
        self.footprint: FootprintAnswer | None = None
        if not folder.exists() and not folder.is_symlink():
            return
        if not folder.is_dir():
            raise DatasetDiffers(
                f"{folder} is in the way: it is no folder",
                hint="move it away, or use another --out",
            )
        fault = self._look(product)
        if fault:
            self.state, self.differences = "half", (fault,)

    def _look(self, product: Product) -> str:
        """Compare; return why it is no whole dataset, or nothing."""
        missing = [
            f"{self._id}{suffix}"
            for suffix in SUFFIXES
            if not (self.folder / f"{self._id}{suffix}").is_file()
        ]
        if missing:
            return f"it has no {', no '.join(missing)}"
        try:
            item: Json = json.loads((self.folder / f"{self._id}{STAC_SUFFIX}").read_bytes())
            fault = next(_broken_assets(self.folder, item), "")
            if fault:
                return fault
            self.differences = tuple(_differences(item["properties"], product))
            self.footprint = _footprint(item)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            # No JSON, or not laid out as we do: somebody else's, or damaged.
            return f"{self._id}{STAC_SUFFIX} cannot be read"
        self.state = "differs" if self.differences else "same"
        return ""

    def refuse(self) -> None:
        """Raise what keeps a new dataset from its place.

        Raises
        ------
        DatasetDiffers
            Another one, or half of one, is there.
        """
        if self.state == "half":
            raise DatasetDiffers(f"{self.folder} is not a whole dataset: {self.differences[0]}")
        if self.state == "differs":
            shown = "; ".join(self.differences[:_MOST_DIFFERENCES])
            more = len(self.differences) - _MOST_DIFFERENCES
            tail = f"; and {more} more" if more > 0 else ""
            raise DatasetDiffers(
                f"{self.folder} was made from another product of the same id: {shown}{tail}"
            )


def _footprint(item: Json) -> FootprintAnswer | None:
    """Return the footprint that the dataset was made with."""
    for answer in item["properties"]["alos2:footprint"]["answers"]:
        if answer["chosen"]:
            source, geometry, method = (answer[k] for k in ("source", "geometry", "method"))
            return FootprintAnswer(source, geometry, method, details=answer["details"])
    return None


def _broken_assets(folder: Path, item: Json) -> Iterator[str]:
    """Yield a sentence for each file that is not there as the item says; sizes only."""
    for asset in item["assets"].values():
        name, size = str(asset.get("href", "")).removeprefix("./"), asset.get("file:size")
        try:
            found = (folder / name).stat().st_size
        except OSError:
            yield f"{name} is missing"
            continue
        if size is not None and found != size:
            yield f"{name} has {found} bytes, not {size}"


def _differences(properties: Json, product: Product) -> Iterator[str]:
    """Yield what differs, the reason (another processing) before the consequence (other files)."""
    for name, ours in own_fields_of_processing(product).items():
        theirs = _there(properties, name)
        if theirs != ours:
            yield f"{name.replace('_', ' ')} is {_word(theirs)} there and {_word(ours)} here"
    there = {str(file["name"]): file for file in properties["alos2:files"]}
    here = {file.name: file for file in product.files}
    for name in sorted(there.keys() - here.keys()):
        yield f"{name} is there and not here"
    for name in sorted(here.keys() - there.keys()):
        yield f"{name} is here and not there"
    for name in sorted(here.keys() & there.keys()):
        yield from _file_differences(there[name], here[name])


def _file_differences(there: Json, here: ProductFile) -> Iterator[str]:
    if there.get("size") != here.size_bytes:
        yield f"{here.name} has {there.get('size')} bytes there and {here.size_bytes} here"
    elif here.sha256 and there.get("sha256") and there["sha256"] != here.sha256:
        yield f"{here.name} has other content there than here"


def _there(properties: Json, name: str) -> Any:
    if name == "processed":
        return properties.get("alos2:processed")
    return properties["alos2:processing"].get(name)


def _word(value: object) -> str:
    return "unknown" if value is None else str(value)
