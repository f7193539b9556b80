"""Products described where they lie: in folders, in zips, whole, damaged, and again."""

from __future__ import annotations

import builtins
import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset.write import Status
from alos2.errors import (
    BadArchive,
    BadProduct,
    NoProduct,
    NothingFound,
    PublishFailed,
    UsageError,
)
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested
from alos2.jobs.metadata import FrameDate, describe_in_place
from alos2.jobs.metadatajob import Filed
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from fakes.scenes import DATES, Scene, simulated, spread


@pytest.fixture
def options(tmp_path: Path) -> IngestOptions:
    out = tmp_path / "out"
    out.mkdir()
    return IngestOptions(out=out, footprint_options=FootprintOptions(sarcat=False))


@pytest.fixture
def archive(deliveries: Any, tmp_path: Path) -> Path:
    """A folder of products, a level below, and a delivery as it came, two levels below."""
    folder = tmp_path / "archive"
    shutil.copytree(deliveries.slc_dir, folder / "2020" / "slc")
    (folder / "2020" / "06").mkdir()
    shutil.copy(deliveries.geotiff, folder / "2020" / "06" / "order.zip")
    (folder / "README.txt").write_text("not ours")
    return folder


def run(folder: Path, options: IngestOptions, **more: Any) -> list[Ingested | Failed]:
    return list(describe_in_place(folder, options, **more))


def lines(outcomes: list[Ingested | Failed]) -> list[dict[str, Any]]:
    assert all(isinstance(outcome, Ingested) for outcome in outcomes), outcomes
    return [outcome.line for outcome in outcomes if isinstance(outcome, Ingested)]


def met(options: IngestOptions, name: str) -> dict[str, Any]:
    return json.loads((options.out / name / f"{name}.met.json").read_text())


class TestDatasets:
    def test_of_files_and_of_a_nested_zip(
        self, archive: Path, deliveries: Any, options: IngestOptions
    ) -> None:
        slc, tif = f"{deliveries.slc_id}-md", f"{deliveries.geotiff_id}-md"
        done = lines(run(archive, options, tags=("one", "two")))
        assert [line["id"] for line in done] == [slc, tif]
        assert {line["status"] for line in done} == {"new"}
        assert {path.name for path in options.out.iterdir()} == {slc, tif}
        for name in (slc, tif):
            files = {path.name for path in (options.out / name).iterdir()}
            assert files == {f"{name}.{kind}.json" for kind in ("dataset", "met", "stac")}
            assert met(options, name)["tags"] == ["one", "two"]
            assert met(options, name)["source"]["provider"] == "archive"
        inside = archive / "2020" / "slc"
        assert sorted(met(options, slc)["gekko_archive_files"]) == sorted(
            str(path) for path in inside.iterdir()
        )
        places = met(options, tif)["gekko_archive_files"]
        outer = f"{archive}/2020/06/order.zip!"
        assert all(place.startswith(outer) for place in places)
        assert all(place.count("!") == 2 for place in places)
        assert len(set(places)) == len(places)
        assert any(place.endswith(".tif") for place in places)

    def test_the_same_as_an_ingest_but_for_what_is_not_read(
        self, deliveries: Any, options: IngestOptions
    ) -> None:
        (line,) = lines(run(deliveries.slc, options))
        name = str(line["id"])
        item = json.loads((options.out / name / f"{name}.stac.json").read_text())
        assert item["geometry"] == line["footprint"]
        assert all(file["sha256"] is None for file in item["properties"]["alos2:files"])
        assert item["properties"]["alos2:archive"] is None

    def test_nothing_is_hashed_or_written_beside_them(
        self, archive: Path, options: IngestOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        contents = {path.read_bytes() for path in archive.rglob("*") if path.is_file()}
        real = hashlib.sha256

        def watched(*given: Any) -> Any:
            # Our own documents are hashed, whole.
            assert len(given) == 1, "somebody hashes a stream"
            assert bytes(given[0]) not in contents
            return real(*given)

        before = {p: p.stat().st_mtime_ns for p in (archive, *archive.rglob("*"))}
        monkeypatch.setattr(hashlib, "sha256", watched)
        assert len(lines(run(archive, options))) == 2
        assert {p: p.stat().st_mtime_ns for p in (archive, *archive.rglob("*"))} == before

    def test_the_second_run_changes_nothing(self, archive: Path, options: IngestOptions) -> None:
        first = lines(run(archive, options))
        before = {p: p.stat().st_mtime_ns for p in options.out.rglob("*")}
        again = lines(run(archive, options))
        assert {line["status"] for line in again} == {"unchanged"}
        assert [line["footprint"] for line in again] == [line["footprint"] for line in first]
        assert {p: p.stat().st_mtime_ns for p in options.out.rglob("*")} == before

    def test_a_place_named_from_here(
        self, archive: Path, options: IngestOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(archive)
        for line in lines(run(Path("2020"), options)):
            files = met(options, str(line["id"]))["gekko_archive_files"]
            assert all(file.startswith(f"{archive}/2020/") for file in files)


class TestFrameAndDate:
    @pytest.mark.parametrize("text", ["0690-200615", "0690_200615", " 0690-200615 "])
    def test_both_forms(
        self, archive: Path, deliveries: Any, options: IngestOptions, text: str
    ) -> None:
        only = FrameDate.parse(text)
        assert only == ("0690", "200615")
        (line,) = lines(run(archive, options, only=only))
        assert line["id"] == f"{deliveries.slc_id}-md"

    @pytest.mark.parametrize("text", ["", "690-200615", "0690-20200615", "0690 200615", "x"])
    def test_others(self, text: str) -> None:
        with pytest.raises(UsageError, match="no frame and date"):
            FrameDate.parse(text)

    def test_none_of_it(self, archive: Path, options: IngestOptions) -> None:
        with pytest.raises(NothingFound, match="0690-200616") as caught:
            run(archive, options, only=FrameDate("0690", "200616"))
        assert caught.value.exit_code == 6
        assert list(options.out.iterdir()) == []


class TestWhatIsWrong:
    def test_nothing_is_there(self, tmp_path: Path, options: IngestOptions) -> None:
        with pytest.raises(NothingFound):
            run(tmp_path / "nowhere", options)

    def test_no_product_is_there(self, tmp_path: Path, options: IngestOptions) -> None:
        folder = tmp_path / "empty"
        folder.mkdir()
        with pytest.raises(NoProduct):
            run(folder, options)
        (folder / "notes.txt").write_text("x")
        with zipfile.ZipFile(folder / "other.zip", "w") as file:
            file.writestr("notes.txt", "x")
        with pytest.raises(NoProduct, match=str(folder)):
            run(folder, options)
        with pytest.raises(NothingFound):
            run(folder, options, only=FrameDate("0690", "200615"))

    def test_a_damaged_zip_beside_good_ones(
        self, archive: Path, deliveries: Any, options: IngestOptions
    ) -> None:
        damaged = archive / "0.zip"
        damaged.write_bytes(deliveries.geotiff.read_bytes()[:-30])
        (archive / "page.zip").write_text("<html><title>Log in</title></html>")
        outcomes = run(archive, options)
        assert len(lines(outcomes[:2])) == 2
        assert [type(outcome) for outcome in outcomes[2:]] == [Failed, Failed]
        assert [o.what for o in outcomes if isinstance(o, Failed)] == ["0.zip", "page.zip"]
        assert all(isinstance(o.error, BadArchive) for o in outcomes if isinstance(o, Failed))

    def test_a_damaged_zip_while_one_scene_is_wanted(
        self,
        archive: Path,
        deliveries: Any,
        options: IngestOptions,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (archive / "0.zip").write_bytes(deliveries.geotiff.read_bytes()[:-30])
        assert len(lines(run(archive, options, only=FrameDate("0690", "200615")))) == 1
        assert "0.zip: left out, BadArchive" in caplog.text
        # It may be the one that is wanted.
        (failed,) = run(archive, options, only=FrameDate("9999", "200615"))
        assert isinstance(failed, Failed)
        assert failed.error.exit_code == 3

    def test_an_incomplete_product_beside_a_good_one(
        self, archive: Path, deliveries: Any, options: IngestOptions
    ) -> None:
        (leader,) = (archive / "2020" / "slc").glob("LED-*")
        leader.write_bytes(leader.read_bytes()[:500])
        failed, done = run(archive, options)
        assert isinstance(failed, Failed)
        assert isinstance(failed.error, BadProduct)
        assert f"{failed.what}" == deliveries.slc_id
        assert lines([done])[0]["id"] == f"{deliveries.geotiff_id}-md"
        assert len(list(options.out.iterdir())) == 1

    def test_other_files_of_the_same_id(self, archive: Path, options: IngestOptions) -> None:
        run(archive / "2020" / "slc", options)
        (trailer,) = (archive / "2020" / "slc").glob("TRL-*")
        trailer.write_bytes(trailer.read_bytes() + bytes(720))
        (failed,) = run(archive / "2020" / "slc", options)
        assert isinstance(failed, Failed)
        assert failed.error.short.startswith("DatasetDiffers")

    def test_a_folder_that_cannot_be_read(
        self, archive: Path, options: IngestOptions, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(self: Path, **more: Any) -> Any:
            raise PermissionError(13, "Permission denied", str(self))

        with monkeypatch.context() as context:
            context.setattr(Path, "stat", refused)
            context.setattr(builtins, "open", refused)
            with pytest.raises(BadProduct, match="Permission denied"):
                run(archive, options)


class TestAGroupsArchive:
    """Folders of many scenes, whose files move, with one summary.txt or none."""

    @pytest.fixture
    def scenes(self, tmp_path: Path) -> list[Scene]:
        return simulated(tmp_path / "simulated", DATES[:2])

    def test_a_summary_is_not_needed(
        self, scenes: list[Scene], options: IngestOptions, tmp_path: Path
    ) -> None:
        place = spread(scenes, tmp_path / "F0690")
        (place / "summary.txt").unlink()
        done = lines(run(place, options))
        assert sorted(line["id"] for line in done) == [scene.id for scene in scenes]
        for line in done:
            assert [p["code"] for p in line["problems"]] == ["missing_summary"]
            assert not line["problems"][0]["blocks_ingest"]
            document = met(options, line["id"])
            assert document["starttime"].startswith(document["prod_date"])
            assert document["location"] == line["footprint"]

    def test_one_summary_for_all_is_its_own_scenes(
        self, scenes: list[Scene], options: IngestOptions, tmp_path: Path
    ) -> None:
        done = lines(run(spread(scenes, tmp_path / "F0690"), options))
        whole = {line["id"]: not line["problems"] for line in done}
        assert whole == {scenes[0].id: False, scenes[1].id: True}

    def test_a_detected_product_needs_it(
        self, deliveries: Any, options: IngestOptions, tmp_path: Path
    ) -> None:
        place = tmp_path / "geotiff"
        shutil.copytree(deliveries.geotiff_dir, place)
        (place / "summary.txt").unlink()
        (failed,) = run(place, options)
        assert isinstance(failed, Failed)
        assert "summary.txt" in failed.error.message

    def test_files_that_have_moved_are_found_where_they_are(
        self, scenes: list[Scene], options: IngestOptions, tmp_path: Path
    ) -> None:
        place = spread(scenes[:1], tmp_path / "F0690")
        run(place, options)
        (line,) = lines(run(place.rename(tmp_path / "F0700"), options))
        assert line["status"] == "replaced"
        assert line["footprint"]
        files = met(options, line["id"])["gekko_archive_files"]
        assert all(Path(file).parent.name == "F0700" for file in files)
        assert lines(run(tmp_path / "F0700", options))[0]["status"] == "unchanged"

    def test_a_second_copy_leaves_the_first_in_place(
        self, scenes: list[Scene], options: IngestOptions, tmp_path: Path,
        caplog: pytest.LogCaptureFixture,
    ) -> None:  # fmt: skip
        run(spread(scenes[:1], tmp_path / "one"), options)
        (line,) = lines(run(spread(scenes[:1], tmp_path / "two"), options))
        assert line["status"] == "unchanged"
        assert "where it lies first" in caplog.text
        files = met(options, line["id"])["gekko_archive_files"]
        assert all(Path(file).parent.name == "one" for file in files)

    def test_a_zip_that_has_moved(
        self, archive: Path, deliveries: Any, options: IngestOptions
    ) -> None:
        name = f"{deliveries.geotiff_id}-md"
        order = archive / "2020" / "06" / "order.zip"
        run(order, options)
        moved = order.rename(archive / "moved.zip")
        (line,) = lines(run(moved, options))
        assert (line["id"], line["status"]) == (name, "replaced")
        assert all(f.startswith(f"{moved}!") for f in met(options, name)["gekko_archive_files"])

    def test_zips_named_after_other_scenes_are_not_opened(
        self, scenes: list[Scene], options: IngestOptions, tmp_path: Path
    ) -> None:
        place = spread(scenes[:1], tmp_path / "F0690")
        for number, scene in enumerate(scenes):
            other = scene.id.partition("-FBD")[0]
            (place / f"000002270{number}_001001_{other}.zip").write_text("no zip at all")
        (place / "unnamed.zip").write_text("no zip at all")
        only = FrameDate(scenes[1].id[10:14], scenes[1].id[15:21])
        damaged = {outcome.what for outcome in run(place, options, only=only)}  # type: ignore[union-attr]
        assert damaged == {f"0000022701_001001_{scenes[1].id.partition('-FBD')[0]}.zip",
                           "unnamed.zip"}  # fmt: skip


class Noting:
    """A catalogue in memory."""

    def __init__(self, held: set[str], error: PublishFailed | None = None) -> None:
        self.there = held
        self.filed: list[tuple[str, str]] = []
        self.error = error

    def holds(self, dataset_id: str) -> bool:
        return dataset_id in self.there

    def file(self, folder: Path, status: Status) -> Filed:
        assert (folder / f"{folder.name}.met.json").is_file()
        if self.error is not None:
            raise self.error
        self.filed.append((folder.name, status))
        return "created"


class TestCatalogues:
    def test_are_asked_first_and_told_afterwards(
        self, archive: Path, deliveries: Any, options: IngestOptions
    ) -> None:
        slc, tif = f"{deliveries.slc_id}-md", f"{deliveries.geotiff_id}-md"
        catalogue = Noting({slc})
        held, made = lines(run(archive, options, filing=catalogue))
        assert (held["id"], held["status"], held["catalogue"]) == (slc, "catalogued", "present")
        assert held["dataset_dir"] is None
        assert (made["id"], made["status"], made["catalogue"]) == (tif, "new", "created")
        assert catalogue.filed == [(tif, "new")]
        assert [path.name for path in options.out.iterdir()] == [tif]

    def test_force_asks_nobody(
        self, archive: Path, deliveries: Any, options: IngestOptions
    ) -> None:
        catalogue = Noting({f"{deliveries.slc_id}-md", f"{deliveries.geotiff_id}-md"})
        done = lines(run(archive, replace(options, force=True), filing=catalogue))
        assert [line["status"] for line in done] == ["new", "new"]

    def test_what_they_refuse_is_there_all_the_same(
        self, archive: Path, options: IngestOptions
    ) -> None:
        failed = run(archive, options, filing=Noting(set(), PublishFailed("no room")))
        assert [type(outcome) for outcome in failed] == [Failed, Failed]
        assert len(list(options.out.iterdir())) == 2
        again = lines(run(archive, options, filing=Noting(set())))
        assert {(line["status"], line["catalogue"]) for line in again} == {("unchanged", "created")}
