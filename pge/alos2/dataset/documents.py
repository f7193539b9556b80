"""The three documents of a dataset, as the bytes that are written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alos2.dataset.assets import file_asset
from alos2.dataset.content import Content
from alos2.dataset.grq import dataset_json
from alos2.dataset.jsontext import json_bytes
from alos2.dataset.met import met_json
from alos2.dataset.stac import build_stac
from alos2.dataset.validate import extension_uri, validate_item
from alos2.types import Json

STAC_SUFFIX: Final = ".stac.json"
DATASET_SUFFIX: Final = ".dataset.json"
MET_SUFFIX: Final = ".met.json"
SUFFIXES: Final = (STAC_SUFFIX, DATASET_SUFFIX, MET_SUFFIX)


@dataclass(frozen=True)
class Documents:
    """What a dataset says of itself."""

    id: str
    item: Json
    """The STAC item, valid."""
    files: Mapping[str, bytes]
    """Name -> bytes of the three files."""


def make_documents(content: Content) -> Documents:
    """Build the item, derive the others, validate.

    Raises
    ------
    BadProduct
        The product lacks what a dataset must say.
    BadDocument
        The item does not keep to the schemas: a fault of ours.
    """
    item = build_stac(content)
    name = item["id"]
    derived = {
        f"{name}{DATASET_SUFFIX}": json_bytes(dataset_json(item)),
        f"{name}{MET_SUFFIX}": json_bytes(met_json(item)),
    }
    # Neither looks at the assets, so that it can be listed there with its checksum.
    titles = {"dataset": "HySDS dataset document", "met": "HySDS metadata document"}
    for (key, title), (file, data) in zip(titles.items(), derived.items(), strict=True):
        item["assets"][key] = file_asset(
            file,
            len(data),
            hashlib.sha256(data).hexdigest(),
            "application/json",
            title=title,
            roles=["metadata"],
        )
    extensions = {*item["stac_extensions"], extension_uri("file")}
    item["stac_extensions"] = sorted(extensions)
    validate_item(item)
    return Documents(name, item, {**derived, f"{name}{STAC_SUFFIX}": json_bytes(item)})
