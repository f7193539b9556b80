"""``alos2 search`` as a person types it: a table, GeoJSON, lines; and one line when it is empty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from alos2.cli.main import cli
from alos2.cli.search import command
from alos2.errors import NothingFound, UsageError
from alos2.jobs import search as search_job
from alos2.simulate.portals import Account, CatalogueServer, Offer, SentinelAsiaServer
from alos2.sources.portals.model import Item, Query
from fakes.gportal_old import GPortalOld

# Made at run time, so that no test holds a password.
ACCOUNT = Account("somebody", os.urandom(12).hex())


@pytest.fixture
def offers(deliveries: Any) -> list[Offer]:
    return [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]


@pytest.fixture
def fake(offers: list[Offer], monkeypatch: pytest.MonkeyPatch) -> Iterator[GPortalOld]:
    with GPortalOld(ACCOUNT, offers) as running:
        monkeypatch.setenv("ALOS2_PORTAL_GPORTAL_LEGACY_URL", running.url)
        yield running


def run(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["search", *map(str, arguments)], obj={}, catch_exceptions=True)


def box(offer: Offer) -> tuple[str, ...]:
    lons, lats = [lon for lon, _ in offer.ring], [lat for _, lat in offer.ring]
    return tuple(f"{side:.4f}" for side in (min(lons), min(lats), max(lons), max(lats)))


def test_a_table_for_people(fake: GPortalOld, offers: list[Offer]) -> None:
    done = run("--profile", "legacy", "--bbox", *box(offers[0]), "--date", "2020-06-15")
    assert done.exit_code == 0, done.output
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["ID", "TIME", "(UTC)", "MODE", "SIZE", "FILE"]
    assert {row.split()[0] for row in rows} == {offer.identifier for offer in offers}
    (slc,) = [row for row in rows if offers[0].identifier in row]
    assert "2020-06-15" in slc
    assert "FBD" in slc
    assert offers[0].archive.name in slc


def test_one_collection_for_programs(fake: GPortalOld, offers: list[Offer]) -> None:
    done = run("--profile", "gportal-legacy", "--date", "2020-06-15/..", "--json")
    collection = json.loads(done.stdout)
    assert collection["type"] == "FeatureCollection"
    assert collection["more"] is False
    feature = collection["features"][0]
    assert feature["type"] == "Feature"
    assert feature["id"] == offers[0].identifier
    assert feature["geometry"] == offers[0].geometry
    assert feature["properties"]["datetime"].endswith("Z")
    assert feature["properties"]["data_id"] == feature["id"]
    assert feature["properties"]["gportal:mode"] == "FBD"


def test_a_line_each_and_a_limit(fake: GPortalOld, offers: list[Offer]) -> None:
    done = run("--profile", "legacy", "--date", "2020-06-15", "--ndjson", "--limit", 1)
    (line,) = done.stdout.splitlines()
    assert json.loads(line)["id"] == offers[0].identifier
    assert "there are more" in done.stderr
    both = run("--profile", "legacy", "--date", "2020-06-15", "--ndjson", "--limit", 2)
    assert len(both.stdout.splitlines()) == 2
    assert both.stderr == ""


def test_by_name_and_by_mode(fake: GPortalOld, offers: list[Offer]) -> None:
    by_name = run("--profile", "legacy", offers[1].identifier, "--ndjson")
    assert json.loads(by_name.stdout)["id"] == offers[1].identifier
    by_mode = run("--profile", "legacy", "--date", "2020-06-15", "--mode", "ultra-fine", "--ndjson")
    assert json.loads(by_mode.stdout)["id"] == offers[1].identifier


@pytest.mark.parametrize(
    "words",
    [
        ("--bbox", "-120.5", "-10", "-119", "-9"),
        ("--bbox", "-120.5,-10,-119,-9"),
        ("--bbox=-120.5,-10,-119,-9",),
        ("--bbox", "-120.5,", "-10,", "-119,", "-9"),
    ],
)
def test_boxes_as_people_write_them(fake: GPortalOld, words: tuple[str, ...]) -> None:
    done = run("--profile", "legacy", *words)
    assert isinstance(done.exception, NothingFound)
    assert fake.seen[-1].query["bbox"] == "-120.500000,-10.000000,-119.000000,-9.000000"


def test_nothing_is_exit_code_6_and_one_line(fake: GPortalOld) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "alos2", "search", "--profile", "legacy", "--date", "2016-01-01"],
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 6
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("alos2: NothingFound: ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "neither place nor time"),
        (("--mode", "FBD"), "neither place nor time"),
        (("--date", "yesterday"), "not a day"),
        (("--bbox", "1,2,3"), "not four numbers"),
        (("--date", "2020-06-15", "--mode", "XX"), "not a mode"),
        (("--date", "2020-06-15", "--eor", "ERJPYU000001"), "emergency"),
        (("--source", "nowhere", "x"), "no source 'nowhere'"),
        (("--profile", "nowhere", "--date", "2020-06-15"), "no profile"),
        (("something",), "not the name"),
    ],
)
def test_what_cannot_be_asked(words: tuple[str, ...], message: str) -> None:
    done = run(*words)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_the_sources_are_listed() -> None:
    done = run("--source", "list")
    assert done.stdout.split()[:2] == ["auig2", "gportal"]
    assert "sentinel-asia" in done.stdout.split()


def test_the_new_site_is_searched_without_a_key(
    offers: list[Offer], monkeypatch: pytest.MonkeyPatch
) -> None:
    with CatalogueServer(offers) as fake:
        monkeypatch.setenv("ALOS2_PORTAL_GPORTAL_2026_URL", fake.url)
        done = run("--date", "2020-06-15", "--ndjson")
    assert len(done.stdout.splitlines()) == 2
    assert "product.gportal.jaxa.jp:" in done.stdout


def test_a_site_of_ones_own_is_a_table_of_the_configuration(
    fake: GPortalOld, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "alos2.toml"
    monkeypatch.setenv("ALOS2_CONFIG", str(config))
    monkeypatch.delenv("ALOS2_PORTAL_GPORTAL_LEGACY_URL")
    config.write_text(f"""
[portals.gportal]
profile = "mine"
[portals.mine]
like = "gportal-legacy"
url = "{fake.url}"
""")
    done = run("--date", "2020-06-15", "--ndjson")
    assert len(done.stdout.splitlines()) == 2
    config.write_text('[portals.mine]\nurl = "http://mirror.example.org"\n')
    done = run("--profile", "mine", "--date", "2020-06-15")
    assert isinstance(done.exception, UsageError)
    assert "not https" in str(done.exception)
    config.write_text("[portals.mine]\nport = 8080\n")
    done = run("--profile", "mine", "--date", "2020-06-15")
    assert isinstance(done.exception, UsageError)
    assert "portals.mine.port" in str(done.exception)


def test_sentinel_asia_is_searched_by_request(
    offers: list[Offer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ALOS2_CACHE", str(tmp_path))
    monkeypatch.setenv("ALOS2_SENTINEL_ASIA_USERNAME", ACCOUNT.username)
    monkeypatch.setenv("ALOS2_SENTINEL_ASIA_PASSWORD", ACCOUNT.password)
    with SentinelAsiaServer(ACCOUNT, offers) as fake:
        monkeypatch.setenv("ALOS2_PORTAL_SENTINEL_ASIA_URL", f"{fake.url}/sentinel2")
        done = run("--source", "sentinel-asia", "--eor", fake.eor_id, "--ndjson")
    assert done.exit_code == 0, done.exception
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == 3
    assert [bool(one["properties"]["skip"]) for one in found] == [False, False, True]
    assert ACCOUNT.password not in done.output


class _Shelf:
    def search(self, query: Query) -> Iterator[Item]:
        yield Item("shelf", query.ids[0])


class _Point:
    name = "shelf"
    value = "shelf:open"

    def load(self) -> Any:
        @contextmanager
        def opened(options: search_job.SearchOptions) -> Iterator[_Shelf]:
            yield _Shelf()

        return opened


def test_a_plugin_adds_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        search_job, "entry_points", lambda group: [_Point()] if group == "alos2.search" else []
    )
    done = run("--source", "shelf", "x", "--ndjson")
    assert json.loads(done.stdout)["properties"]["provider"] == "shelf"
    assert run("--source", "list").stdout.split()[-1] == "shelf"


def test_help_is_quick_and_names_no_password() -> None:
    assert not [p for p in command.params if "password" in p.name]
