"""``alos2 catalog``, ``alos2 search`` of an archive, and what an ingest does for the catalogue."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.catalogue.embedded.locks import write_lock
from alos2.cli.main import cli
from alos2.errors import NothingFound, PublishFailed, SomeFailed, UsageError
from alos2.jobs import catalogued as hook
from catalogue.embedded.items import make_item, write_dataset

Items = list[dict[str, Any]]


def run(*words: object) -> Any:
    return CliRunner().invoke(cli, [str(word) for word in words], obj={}, catch_exceptions=True)


@pytest.fixture
def kept(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive that the environment names, catalogued."""
    monkeypatch.setenv("ALOS2_ARCHIVE", str(archive))
    assert run("catalog", "rebuild").exit_code == 0
    return archive


def test_rebuild(archive: Path, items: Items) -> None:
    done = run("catalog", "rebuild", archive, "--json")
    assert json.loads(done.stdout)["items"] == 6
    assert run("catalog", "rebuild", archive).stdout.startswith("6 datasets")
    (archive / items[0]["id"] / f"{items[0]['id']}.stac.json").write_text("{")
    done = run("catalog", "rebuild", archive)
    assert isinstance(done.exception, SomeFailed)
    assert done.stdout.startswith("5 datasets")
    done = run("catalog", "rebuild", archive / "nowhere")
    assert isinstance(done.exception, NothingFound)


def test_verify(kept: Path, items: Items) -> None:
    assert json.loads(run("catalog", "verify", "--json").stdout)["ok"] is True
    shutil.rmtree(kept / items[0]["id"])
    done = run("catalog", "verify", "--json", "--checksums")
    assert isinstance(done.exception, SomeFailed)
    assert done.exception.exit_code == 8
    (fault,) = json.loads(done.stdout)["faults"]
    assert (fault["what"], fault["id"]) == ("gone", items[0]["id"])
    done = run("catalog", "verify")
    assert "6 datasets in the catalogue, 5 in" in done.stdout
    assert "gone:" in done.stdout
    assert run("catalog", "remove", items[0]["id"]).stdout.strip() == items[0]["id"]
    assert run("catalog", "verify").exit_code == 0
    for name in (items[0]["id"], items[1]["id"]):
        assert isinstance(run("catalog", "remove", name).exception, NothingFound)
    assert run("catalog", "remove", "--delete", items[1]["id"]).exit_code == 0
    assert not (kept / items[1]["id"]).exists()
    assert run("catalog", "verify").exit_code == 0


def test_export(kept: Path, tmp_path: Path) -> None:
    for form, name in (("csv", "a.csv"), ("geojson", "a.geojson"), ("stac", "stac")):
        done = run("catalog", "export", tmp_path / name, "--format", form, "--json")
        assert json.loads(done.stdout)["items"] == 6
        assert (tmp_path / name).exists()
    done = run("catalog", "export", tmp_path / "b", "--format", "csv", "--base-url", "https://x")
    assert isinstance(done.exception, UsageError)


def test_the_archive_is_searched(kept: Path, items: Items) -> None:
    done = run("search")
    header, *rows = done.stdout.splitlines()
    assert header.split()[:4] == ["ID", "TIME", "(UTC)", "POL"]
    newest = sorted(items, key=lambda item: item["properties"]["datetime"], reverse=True)
    assert [row.split()[0] for row in rows] == [item["id"] for item in newest]
    done = run("search", "--limit", 2, "--json")
    collection = json.loads(done.stdout)
    assert collection["more"] is True
    assert "there are more" in done.stderr
    feature = collection["features"][0]
    assert feature["links"][0]["rel"] == "self"
    assert (
        feature["links"][0]["href"]
        == (kept / newest[0]["id"] / f"{newest[0]['id']}.stac.json").as_uri()
    )
    assert {**feature, "links": []} == newest[0]
    lines = run("search", "--ndjson").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [item["id"] for item in newest]


def test_every_filter_reaches_the_catalogue(kept: Path, tmp_path: Path) -> None:
    wanted = make_item(0)
    said = wanted["properties"]
    assert said["alos2:tags"]
    lon, lat = wanted["geometry"]["coordinates"][0][0][:2]
    place = tmp_path / "place.geojson"
    place.write_text(json.dumps(wanted["geometry"]))
    filters: list[tuple[object, ...]] = [
        (wanted["id"],),
        (said["alos2:scene"],),
        ("--point", lon, lat),
        ("--area", f"POINT ({lon} {lat})"),
        ("--area", place),
        ("--bbox", lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01),
        ("--date", said["datetime"][:10]),
        ("--date", f"{said['start_datetime']}/{said['end_datetime']}"),
        ("--date", said["datetime"]),
        ("--mode", said["sar:instrument_mode"]),
        ("--mode", said["sar:instrument_mode"][:2].lower()),
        ("--level", said["alos2:level"]),
        *(("--pol", pol) for pol in said["sar:polarizations"]),
        ("--pass", said["sat:orbit_state"]),
        ("--look", said["alos2:look"].lower()),
        ("--path", said["alos2:path"]),
        ("--frame", int(said["alos2:frame"])),
        ("--orbit", int(said["alos2:orbit"])),
        ("--off-nadir", "20-60"),
        ("--off-nadir", said["view:off_nadir"]),
        ("--text", said["alos2:dataset"]),
        *(("--tag", tag) for tag in said["alos2:tags"]),
        ("--kind", said["alos2:type"].upper()),
    ]
    assert len(filters) > 20
    every = [word for one in filters if one[0] != "--point" for word in one]
    for words in (*filters, every):
        done = run("search", "--ndjson", *words)
        found = [json.loads(line)["id"] for line in done.stdout.splitlines()]
        assert wanted["id"] in found, (words, done.exception)
    assert found == [wanted["id"]]
    for words in (
        ("--point", lon + 20, lat - 60), ("--date", "2025-01-01/.."), ("--orbit", 1),
        ("--off-nadir", "1-2"), ("--text", "nowhere"), ("--tag", "none"), ("--kind", "x"),
    ):  # fmt: skip
        done = run("search", *words)
        assert isinstance(done.exception, NothingFound), words
        assert done.exception.exit_code == 6


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--point", 1, 2, "--area", "POINT (1 2)"), "two places"),
        (("--area", "nowhere.geojson"), "neither a place nor a file"),
        (("--date", "2020-13-01T00:00:00Z"), "not a time"),
        (("--off-nadir", "steep"), "no range of angles"),
        (("--sort", "size"), "sorted by"),
        (("--source", "gportal", "--path", "12", "--date", "2020-01-01"), "--path"),
    ],
)
def test_what_cannot_be_asked(kept: Path, words: tuple[object, ...], message: str) -> None:
    done = run("search", *words)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_which_place_is_searched(
    archive: Path, items: Items, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "neither place nor time" in str(run("search").exception), "a portal was asked"
    assert "has no catalogue" in str(run("search", "--source", "archive").exception)
    assert "archive" in run("search", "--source", "list").stdout.split()
    EmbeddedCatalogue.open(archive).close()
    assert len(run("search", "--archive", archive).stdout.splitlines()) == 7
    monkeypatch.chdir(archive)
    assert len(run("search").stdout.splitlines()) == 7
    assert "no profile" in str(run("search", "--profile", "nowhere").exception)
    shutil.rmtree(archive / items[0]["id"])
    done = run("search")
    assert len(done.stdout.splitlines()) == 6
    assert "1 datasets are gone" in done.stderr


def test_stacks(kept: Path) -> None:
    assert isinstance(run("search", "--stack").exception, NothingFound)
    first, second = make_item(4), make_item(4)
    second["id"] = first["id"].replace("ALOS2", "ALOS2", 1) + "x"
    second["properties"]["alos2:scene"] = "ALOS2999990700-300101"
    write_dataset(kept, second)
    assert run("catalog", "rebuild").exit_code == 0
    done = run("search", "--stack")
    assert "2 scenes" in done.stdout.splitlines()[0]
    assert "no baseline of 2: no dataset of it holds an orbit" in done.stdout
    (stack,) = json.loads(run("search", "--stack", "--json").stdout)["stacks"]
    assert [one["perpendicular_m"] for one in stack["scenes"]] == [None, None]
    assert json.loads(run("search", "--stack", "--ndjson").stdout) == stack


def test_ingest_keeps_the_catalogue(
    deliveries: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = ("ingest", deliveries.slc_dir, "--out", out, "--max-zoom", 0, "--json")
    assert run(*words).exit_code == 0
    name = deliveries.slc_id
    with EmbeddedCatalogue.open(out, read_only=True) as catalogue:
        assert catalogue.exists(name)
        assert catalogue.verify(checksums=True).faults == []
    # Deleted and made again, forgotten and met again: true each time.
    shutil.rmtree(out / name)
    assert run(*words).exit_code == 0
    assert json.loads(run("catalog", "verify", out, "--json").stdout)["ok"]
    with EmbeddedCatalogue.open(out) as catalogue:
        catalogue.remove(name)
    again = run(*words)
    assert json.loads(again.stdout)["status"] == "unchanged"
    assert json.loads(run("catalog", "verify", out, "--json").stdout)["ok"]


def test_a_catalogue_that_fails_undoes_nothing(
    deliveries: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    EmbeddedCatalogue.open(out).close()
    opened = EmbeddedCatalogue.open.__func__  # type: ignore[attr-defined]
    monkeypatch.setattr(
        EmbeddedCatalogue, "open", classmethod(lambda cls, place: opened(cls, place, patience_s=0))
    )
    words = ("ingest", deliveries.slc_dir, "--out", out, "--max-zoom", 0, "--json")
    with write_lock(out / ".alos2-catalogue" / "catalogue.sqlite", 0):
        done = run(*words)
    assert json.loads(done.stdout)["status"] == "new", "the dataset is there, and said to be"
    assert isinstance(done.exception, PublishFailed)
    assert done.exception.exit_code == 7
    assert (out / deliveries.slc_id / f"{deliveries.slc_id}.stac.json").is_file()
    monkeypatch.undo()
    monkeypatch.setenv("ALOS2_SARCAT", "off")
    with EmbeddedCatalogue.open(out, read_only=True) as catalogue:
        assert len(catalogue) == 0
    report = json.loads(run("catalog", "verify", out, "--json").stdout)
    assert (report["ok"], report["items"]) == (True, 1), "the next start has entered it"


def test_never_in_a_hysds_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert hook.keeps_catalogue(tmp_path, is_archive=True)
    assert not hook.keeps_catalogue(tmp_path, is_archive=False)
    (tmp_path / ".alos2-catalogue").mkdir()
    assert hook.keeps_catalogue(tmp_path, is_archive=False)
    (tmp_path / "_context.json").write_text("{}")
    assert not hook.keeps_catalogue(tmp_path, is_archive=True)
    assert not hook.keeps_catalogue(tmp_path / "elsewhere", is_archive=True)
    monkeypatch.chdir("/")
    assert not hook.keeps_catalogue(tmp_path, is_archive=True)


def test_the_demo_is_catalogued(tmp_path: Path) -> None:
    done = run("demo", "--size", 32, "--json", tmp_path / "demo")
    names = [json.loads(line)["id"] for line in done.stdout.splitlines()]
    assert len(names) == 2
    with EmbeddedCatalogue.open(tmp_path / "demo" / "archive", read_only=True) as catalogue:
        assert list(catalogue.ids()) == sorted(names)
        assert catalogue.verify(checksums=True).faults == []
