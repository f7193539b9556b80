"""The whole pipeline on simulated deliveries: made, there already, refused, interrupted."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pytest_httpserver import HTTPServer

from alos2.archive.limits import Limits
from alos2.errors import (
    Alos2Error,
    BadArchive,
    BadProduct,
    DatasetDiffers,
    Interrupted,
    NoProduct,
    NothingFound,
    UnsafeArchive,
)
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested, ingest_all
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed


@pytest.fixture
def options(tmp_path: Path) -> IngestOptions:
    return IngestOptions(out=tmp_path / "archive", footprint_options=FootprintOptions(sarcat=False))


def made(target: object, options: IngestOptions) -> list[dict[str, Any]]:
    lines = []
    for outcome in ingest_all([str(target)], options):
        assert isinstance(outcome, Ingested), outcome
        lines.append(outcome.line)
    return lines


def refused(target: object, options: IngestOptions) -> Alos2Error:
    """The error that a target ends with; the folder for datasets stays as it was."""
    before = tree(options.out)
    (outcome,) = ingest_all([str(target)], options)
    assert isinstance(outcome, Failed)
    assert tree(options.out) == before
    return outcome.error


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def document(dataset: Path, kind: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((dataset / f"{dataset.name}.{kind}.json").read_text())
    return content


def test_a_geotiff_delivery_becomes_a_dataset(deliveries: Any, options: IngestOptions) -> None:
    (line,) = made(deliveries.geotiff, options)
    dataset = Path(line["dataset_dir"])
    assert (line["id"], line["status"]) == (deliveries.geotiff_id, "new")
    assert dataset == options.out / deliveries.geotiff_id
    names = {path.name for path in dataset.iterdir()}
    stem = f"IMG-HH-{deliveries.geotiff_id}_disp"
    assert names == {
        f"{dataset.name}.{kind}" for kind in ("dataset.json", "met.json", "stac.json", "zip")
    } | {f"{stem}.browse.png", f"{stem}.browse_small.png", "tiles"}
    met = document(dataset, "met")
    assert met["tiles"] is True
    assert met["tile_layers"] == ["HH"]
    assert list((dataset / "tiles" / "HH" / str(met["tile_max_zoom"][0])).rglob("*.png"))
    with Image.open(dataset / f"{stem}.browse.png") as picture:
        assert "transparency" in picture.info or picture.mode in ("LA", "RGBA")
    with zipfile.ZipFile(dataset / f"{dataset.name}.zip") as archive:
        assert sorted(archive.namelist()) == sorted(
            path.name for path in deliveries.geotiff_dir.iterdir()
        )
        assert archive.testzip() is None


def test_an_slc_delivery_becomes_a_dataset(deliveries: Any, options: IngestOptions) -> None:
    (line,) = made(deliveries.slc, options)
    dataset = Path(line["dataset_dir"])
    assert line["footprint_source"] == "geometry"
    assert line["footprint"] == document(dataset, "stac")["geometry"]
    assert document(dataset, "dataset")["location"] == line["footprint"]
    met = document(dataset, "met")
    assert met["tile_layers"] == ["HH", "HV", "RGB"]
    assert (met["mapped_by"], met["map_height_m"]) == ("orbit and ellipsoid", 0.0)
    assert (dataset / f"IMG-HV-{dataset.name}_disp.browse_small.png").exists()


def test_a_folder_and_its_zip_make_the_same_dataset(
    deliveries: Any, options: IngestOptions
) -> None:
    made(deliveries.slc, options)
    before = tree(options.out)
    (line,) = made(deliveries.slc_dir, options)
    assert line["status"] == "unchanged"
    assert line["footprint"]["type"] == "Polygon"
    assert tree(options.out) == before


def test_a_user_folder_is_left_as_it_was(deliveries: Any, options: IngestOptions) -> None:
    before = tree(deliveries.slc_dir.parent)
    made(deliveries.slc_dir, options)
    assert tree(deliveries.slc_dir.parent) == before


def test_by_url_and_again(deliveries: Any, options: IngestOptions, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/order.zip").respond_with_data(
        deliveries.slc.read_bytes(), content_type="application/zip"
    )
    url = httpserver.url_for("/order.zip").replace("http://", "http://user:planted-secret@")
    target = f"{url}?token=planted-secret&order=1"
    (line,) = made(target, options)
    before = tree(options.out)
    assert line["status"] == "new"
    source = document(Path(line["dataset_dir"]), "met")["source"]
    assert source["url"] == httpserver.url_for("/order.zip") + "?order=1"
    assert source["provider"] == "url"
    for path in Path(line["dataset_dir"]).rglob("*"):
        assert path.is_dir() or b"planted-secret" not in path.read_bytes(), path
    (again,) = made(target, options)
    assert again["status"] == "unchanged"
    assert tree(options.out) == before


def test_the_inner_zip_is_moved_and_not_packed_again(
    deliveries: Any, options: IngestOptions
) -> None:
    (line,) = made(deliveries.slc, options)
    with zipfile.ZipFile(deliveries.slc) as outer:
        (inner,) = [name for name in outer.namelist() if name.endswith(".zip")]
        expected = outer.read(inner)
    assert (Path(line["dataset_dir"]) / f"{line['id']}.zip").read_bytes() == expected


def test_two_scenes_in_one_delivery(
    deliveries: Any, options: IngestOptions, tmp_path: Path
) -> None:
    delivery = tmp_path / "both.ZIP"
    with zipfile.ZipFile(delivery, "w") as archive:
        for path in (*deliveries.slc_dir.iterdir(), *deliveries.geotiff_dir.iterdir()):
            archive.write(path, f"{path.parent.name}/{path.name}")
    lines = made(delivery, options)
    assert {line["id"] for line in lines} == {deliveries.slc_id, deliveries.geotiff_id}
    assert all(Path(line["dataset_dir"]).is_dir() for line in lines)


def test_one_bad_scene_does_not_keep_the_other_out(
    deliveries: Any, options: IngestOptions, tmp_path: Path
) -> None:
    folder = tmp_path / "delivery"
    shutil.copytree(deliveries.slc_dir, folder / "a")
    shutil.copytree(deliveries.geotiff_dir, folder / "b")
    next((folder / "a").glob("LED-*")).unlink()
    outcomes = list(ingest_all([str(folder)], options))
    (failed,) = [o for o in outcomes if isinstance(o, Failed)]
    (done,) = [o for o in outcomes if isinstance(o, Ingested)]
    assert "LED-" in str(failed.error)
    assert failed.error.exit_code == 3
    assert done.line["id"] == deliveries.geotiff_id


def test_other_content_of_one_id_needs_force(
    deliveries: Any, options: IngestOptions, tmp_path: Path
) -> None:
    made(deliveries.slc, options)
    other = tmp_path / "other"
    shutil.copytree(deliveries.slc_dir, other)
    (image,) = other.glob("IMG-HV-*")
    data = bytearray(image.read_bytes())
    data[-1] ^= 1
    image.write_bytes(data)
    error = refused(other, options)
    assert isinstance(error, DatasetDiffers)
    assert image.name in str(error)
    (line,) = made(other, replace(options, force=True))
    assert line["status"] == "replaced"
    assert not [p for p in options.out.iterdir() if p.name.startswith(".alos2-ingest-")]


def bad_folder(deliveries: Any, tmp_path: Path, name: str) -> Path:
    folder = tmp_path / "bad"
    shutil.copytree(deliveries.slc_dir, folder)
    (file,) = folder.glob(name)
    return file


@pytest.mark.parametrize("name", ["LED-*", "IMG-HV-*", "IMG-HH-*", "VOL-*"])
def test_a_missing_file_is_named(
    deliveries: Any, options: IngestOptions, tmp_path: Path, name: str
) -> None:
    file = bad_folder(deliveries, tmp_path, name)
    file.unlink()
    error = refused(file.parent, options)
    assert isinstance(error, BadProduct)
    assert file.name in str(error)


@pytest.mark.parametrize("name", ["LED-*", "IMG-HV-*", "VOL-*"])
def test_a_truncated_file_is_named(
    deliveries: Any, options: IngestOptions, tmp_path: Path, name: str
) -> None:
    file = bad_folder(deliveries, tmp_path, name)
    file.write_bytes(file.read_bytes()[:-700])
    error = refused(file.parent, options)
    assert error.exit_code == 3
    assert file.name in str(error)


def test_two_products_with_one_id(deliveries: Any, options: IngestOptions, tmp_path: Path) -> None:
    folder = tmp_path / "twice"
    shutil.copytree(deliveries.slc_dir, folder / "a")
    shutil.copytree(deliveries.slc_dir, folder / "b")
    next((folder / "b").glob("IMG-HH-*")).write_bytes(b"")
    outcomes = list(ingest_all([str(folder)], options))
    assert all(isinstance(o, Failed) and o.error.exit_code == 3 for o in outcomes)
    assert not tree(options.out)


def test_no_product_and_no_archive(options: IngestOptions, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert isinstance(refused(tmp_path / "empty", options), NoProduct)
    page = tmp_path / "page.zip"
    page.write_text("<!DOCTYPE html><html><title>Please log in</title></html>")
    error = refused(page, options)
    assert isinstance(error, BadArchive)
    assert "HTML" in str(error)
    assert isinstance(refused(tmp_path / "nothing-here.zip", options), NothingFound)


def test_a_page_instead_of_a_product(options: IngestOptions, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/p.zip").respond_with_data(
        "<html><title>Session expired</title></html>", content_type="text/html"
    )
    error = refused(httpserver.url_for("/p.zip"), options)
    assert error.exit_code == 3
    assert "Session expired" in str(error)
    httpserver.expect_request("/gone.zip").respond_with_data("no", status=404)
    assert isinstance(refused(httpserver.url_for("/gone.zip"), options), NothingFound)


def test_limits_hold(deliveries: Any, options: IngestOptions) -> None:
    error = refused(deliveries.slc, replace(options, limits=Limits(total_bytes=1000)))
    assert isinstance(error, UnsafeArchive)


def test_cancelled_at_any_time_leaves_nothing(deliveries: Any, options: IngestOptions) -> None:
    stages: list[str] = []

    def note(stage: str, done: int, total: int | None) -> None:
        stages.append(stage)

    made(deliveries.geotiff, replace(options, progress=note))
    assert len(set(stages)) >= 3
    shutil.rmtree(options.out)
    for stop_at in dict.fromkeys(stages):

        def interrupt(stage: str, done: int, total: int | None, at: str = stop_at) -> None:
            if stage == at:
                raise Interrupted("stopped by the test")

        with pytest.raises(Interrupted):
            drain(ingest_all([str(deliveries.geotiff)], replace(options, progress=interrupt)))
        assert not tree(options.out)


def drain(outcomes: Iterator[object]) -> None:
    for _ in outcomes:
        pass
