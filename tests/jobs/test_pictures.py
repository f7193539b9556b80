"""Pictures through the pipeline: what is asked for is there, and the documents say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import rasterio
from pmtiles.reader import MmapSource, all_tiles

from alos2.cli.settings import HYSDS_TILE_BUDGET, Settings, ingest_options
from alos2.dataset.stretch import read_stretch
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested, ingest_all
from alos2.jobs.options import IngestOptions
from alos2.raster.pictures import PictureOptions


def made(target: Path, out: Path, **pictures: Any) -> tuple[Path, dict[str, Any]]:
    options = IngestOptions(
        out=out,
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(**{"max_zoom": 11, **pictures}),
    )
    (outcome,) = ingest_all([str(target)], options)
    assert isinstance(outcome, Ingested), outcome
    folder = Path(outcome.line["dataset_dir"])
    return folder, json.loads((folder / f"{folder.name}.met.json").read_text())


def test_pmtiles_and_cogs_of_level_11(deliveries: Any, tmp_path: Path) -> None:
    folder, met = made(deliveries.slc, tmp_path, pmtiles=True, cog="db", height_m=250.0)
    assert (met["tiles"], met["tile_layers"], met["tile_scheme"]) == (False, [], None)
    assert met["map_height_m"] == 250.0
    for layer, name in zip(met["tile_archives"], ("HH", "HV", "RGB"), strict=True):
        assert (layer["layer"], layer["max_zoom"]) == (name, 11)
        with (folder / layer["path"]).open("rb") as file:
            assert len(list(all_tiles(MmapSource(file)))) == layer["count"] > 11
    for pol, name in zip(("HH", "HV"), met["cogs"], strict=True):
        with rasterio.open(folder / name) as cog:
            assert cog.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert cog.descriptions == (f"sigma0_{pol}_db",)
    assert {path.name for path in (folder / "tiles").iterdir()} == {
        "HH.pmtiles", "HV.pmtiles", "RGB.pmtiles",
    }  # fmt: skip
    assert not [path for path in folder.rglob("*") if path.name.startswith(".")]


def test_beyond_the_budget(deliveries: Any, tmp_path: Path) -> None:
    folder, met = made(deliveries.slc, tmp_path, tile_budget=16)
    assert met["tile_layers"] == ["HH"]
    assert len(list((folder / "tiles").rglob("*.png"))) == met["tile_count"] <= 16
    assert met["tile_max_zoom"][0] >= 8
    assert {"HV", "RGB"} <= {layer["layer"] for layer in met["tile_archives"]}
    assert any("budget of 16 files" in note for note in met["picture_notes"])


def test_under_hysds_there_is_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ingest_options(Settings(), out=None).pictures.tile_budget == 0
    (tmp_path / "_context.json").write_text("{}")
    assert ingest_options(Settings(), out=None).pictures.tile_budget == HYSDS_TILE_BUDGET == 3000
    monkeypatch.setenv("ALOS2_TILE_BUDGET", "7")
    monkeypatch.setenv("ALOS2_THREADS", "3")
    monkeypatch.setenv("ALOS2_COG", "power")
    options = ingest_options(Settings(), out=None).pictures
    assert (options.tile_budget, options.threads, options.cog) == (7, 3, "power")


def test_a_stack_has_one_stretch(deliveries: Any, tmp_path: Path) -> None:
    first, met = made(deliveries.slc, tmp_path / "a")
    limits = read_stretch(first)
    _, again = made(deliveries.geotiff, tmp_path / "b", stretch_of=limits, stretch_from=first.name)
    assert again["stretch_db"]["HH"] == met["stretch_db"]["HH"]
    assert again["tile_stretch_db"][0] == met["tile_stretch_db"][0]


def test_without_the_composite_and_from_the_north(deliveries: Any, tmp_path: Path) -> None:
    folder, met = made(deliveries.slc, tmp_path, composite=False, tms=False)
    assert met["tile_layers"] == ["HH", "HV"]
    assert met["tile_scheme"] == "xyz"
    assert not (folder / "tiles" / "RGB").exists()
    item = json.loads((folder / f"{folder.name}.stac.json").read_text())
    assert item["links"][0]["href"] == "./tiles/HH/{z}/{x}/{y}.png"
    relations = {link["rel"] for link in item["links"]}
    assert relations == {"xyz", "tilejson"}
