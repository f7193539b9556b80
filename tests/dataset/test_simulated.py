"""From a simulated delivery to a dataset on the disk, through everybody's real code."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.package import package_product
from alos2.dataset.write import DatasetWriter
from alos2.footprint import footprint_report
from alos2.product.recognise import hash_files, recognise
from alos2.simulate import SimulationSpec, simulate


@pytest.mark.parametrize(
    ("level", "form", "vectors"), [("1.1", "ceos", 28), ("2.1", "geotiff", None)]
)
def test_a_simulated_product_becomes_a_dataset(
    level: str, form: str, vectors: int | None, tmp_path: Path
) -> None:
    spec = SimulationSpec(level=level, format=form, mode="FBD", pixels=96, lines=128)  # type: ignore[arg-type]
    made = simulate(spec, tmp_path / "simulated")
    out = tmp_path / "out"
    out.mkdir()
    with recognise(made.product_dir) as tree:
        product = hash_files(tree.products[0], {})
    report = footprint_report(product, choice=None)
    with DatasetWriter(out, product) as writer:
        packed = package_product(product, writer.staging)
        content = Content(product, report, datetime.now(timezone.utc), archive=packed)
        writer.commit(make_documents(content))
    item = json.loads((writer.folder / f"{writer.id}.stac.json").read_text())
    properties = item["properties"]
    assert properties["sat:absolute_orbit"] == int(product.scene.orbit)
    assert properties["proj:shape"] == [128, 96]
    assert len(properties.get("sat:orbit_state_vectors", [])) == (vectors or 0)
    assert properties["alos2:footprint"]["source"] == report.chosen.source
    with zipfile.ZipFile(writer.folder / f"{writer.id}.zip") as archive:
        assert sorted(archive.namelist()) == sorted(file.name for file in product.files)
    with DatasetWriter(out, product) as again:
        assert again.unchanged
