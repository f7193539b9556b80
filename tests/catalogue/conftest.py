"""A real OpenSearch node, golden documents, and a server that answers as it is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue import GrqCatalogue, Rest, grq_document
from alos2.types import Json

GOLDEN = Path(__file__).parents[1] / "golden" / "dataset"
GOLDEN_IDS = sorted(path.name.removesuffix(".met.json") for path in GOLDEN.glob("*.met.json"))


@dataclass
class Node:
    """The node, in a corner of it that nobody else uses."""

    rest: Rest
    alias: str

    def catalogue(self) -> GrqCatalogue:
        return GrqCatalogue(self.rest, alias=self.alias)

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        return self.rest.call(method, path, body=body).content

    def refresh(self) -> None:
        self.call("POST", f"/{self.alias}_*/_refresh")


@pytest.fixture
def node(node_url: str) -> Iterator[Node]:
    """The node, with the template and indices of this test alone."""
    alias = f"t{uuid.uuid4().hex[:10]}"
    with Rest("GRQ", node_url) as rest:
        yield Node(rest, alias)
        rest.call("DELETE", f"/{alias}_*")
        rest.call("DELETE", f"/_template/alos2_{alias}", accept=(404,))


def golden(dataset_id: str) -> tuple[Json, Json]:
    """Return dataset.json and met.json of a golden dataset."""
    files = [GOLDEN / f"{dataset_id}.{kind}.json" for kind in ("dataset", "met")]
    dataset, met = (json.loads(file.read_bytes()) for file in files)
    return dataset, met


def golden_document(dataset_id: str) -> Json:
    """Return GRQ's document of a golden dataset."""
    dataset, met = golden(dataset_id)
    where = f"https://example.org/datasets/{dataset_id}"
    return grq_document(
        dataset_id,
        dataset,
        met,
        ipath=f"ariamh::data/{met['dataset']}",
        level=met["level"].lower(),
        dataset_type=met["type"],
        urls=[where],
        browse_urls=[where.replace("datasets", "browse")],
        browse=[f"IMG-HH-{dataset_id}_disp.browse.png"],
    )


@pytest.fixture(params=GOLDEN_IDS)
def each_document(request: pytest.FixtureRequest) -> Json:
    """GRQ's document of each golden dataset."""
    return golden_document(request.param)


@pytest.fixture
def document() -> Json:
    """GRQ's document of one golden dataset."""
    return golden_document(GOLDEN_IDS[0])


@pytest.fixture
def golden_documents() -> list[Json]:
    """GRQ's documents of all golden datasets."""
    return [golden_document(name) for name in GOLDEN_IDS]
