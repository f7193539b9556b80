"""The G-Portal PGE as a worker runs it: in a directory with ``_context.json``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from alos2.simulate.portals import Account, Offer
from fakes.gportal_old import GPortalOld

SCRIPT = Path(__file__).parents[2] / "pge" / "ingest_alos2_gportal.py"
ACCOUNT = Account("somebody", os.urandom(12).hex())


@pytest.fixture
def fake(deliveries: Any) -> Iterator[GPortalOld]:
    with GPortalOld(ACCOUNT, [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]) as made:
        yield made


def run(
    work: Path, fake: GPortalOld, *flags: str, stdin: str = "", **context: Any
) -> subprocess.CompletedProcess[str]:
    work.mkdir(exist_ok=True)
    (work / "_context.json").write_text(json.dumps({"profile": "gportal-legacy", **context}))
    return subprocess.run(
        [sys.executable, str(SCRIPT), *flags],
        cwd=work,
        input=stdin,
        env={
            **os.environ,
            "ALOS2_PORTAL_GPORTAL_LEGACY_URL": fake.url,
            "ALOS2_GPORTAL_USERNAME": ACCOUNT.username,
            "ALOS2_GPORTAL_PASSWORD": ACCOUNT.password,
            "ALOS2_CACHE": str(work.parent / "cache"),
        },
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def everything(work: Path, done: subprocess.CompletedProcess[str]) -> str:
    """All that a run says or leaves, but for what is in the product itself."""
    texts = [path.read_text() for path in work.rglob("*.json")]
    texts += [path.read_text() for path in work.rglob("_alt*")]
    return "".join([done.stdout, done.stderr, *texts])


def test_one_product_by_name(fake: GPortalOld, deliveries: Any, tmp_path: Path) -> None:
    work = tmp_path / "work"
    done = run(work, fake, gportal_id=deliveries.slc_id, bbox="", start_date=None, mode=" ")
    assert done.returncode == 0, done.stderr
    (line,) = lines(done)
    assert line["id"] == deliveries.slc_id
    met = json.loads((work / deliveries.slc_id / f"{deliveries.slc_id}.met.json").read_text())
    assert met["source"]["provider"] == "gportal"
    assert met["source"]["data_id"] == deliveries.slc_id
    assert met["source"]["url"].startswith(f"{fake.url}/download/standard/ALOS-2/")
    metrics = json.loads((work / "pge_metrics.json").read_text())
    assert len(metrics["download"]) == 1
    assert ACCOUNT.password not in everything(work, done)
    assert fake.password_posts == 1
    assert not list(work.glob(".alos2*"))


def test_a_place_and_time_and_what_is_held_already(
    fake: GPortalOld, deliveries: Any, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    where = {"bbox": [138, 34, 139.5, 36], "start_date": "2020-06-15", "end_date": "2020-06-15"}
    first = run(work, fake, **where, mode="FBD")
    assert first.returncode == 0, first.stderr
    assert [line["id"] for line in lines(first)] == [deliveries.slc_id]
    again = run(work, fake, **{**where, "bbox": "138,34,139.5,36"})
    assert again.returncode == 0, again.stderr
    assert [line["id"] for line in lines(again)] == [deliveries.geotiff_id]
    message = (work / "_alt_msg.txt").read_text()
    assert f"{deliveries.slc_id}: left out, already there" in message


def test_listing_needs_no_login(fake: GPortalOld, deliveries: Any, tmp_path: Path) -> None:
    done = run(tmp_path / "work", fake, "--list", start_date="2020-06-15", queue="a-queue")
    assert done.returncode == 0, done.stderr
    assert {line["id"] for line in lines(done)} == {deliveries.slc_id, deliveries.geotiff_id}
    assert all(line["ingest"] for line in lines(done))
    assert fake.password_posts == 0


def test_flags_win_over_the_context(fake: GPortalOld, deliveries: Any, tmp_path: Path) -> None:
    done = run(
        tmp_path / "work", fake, "--list", "-i", deliveries.geotiff_id,
        gportal_id=deliveries.slc_id, start_date="2020-06-15",
    )  # fmt: skip
    assert [line["id"] for line in lines(done)] == [deliveries.geotiff_id]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        ({}, "nothing says what to ingest"),
        ({"gportal_id": "  ", "bbox": "", "start_date": ""}, "nothing says what to ingest"),
        ({"mode": "FBD"}, "nothing says what to ingest"),
        ({"gportal_id": "ALOS2146686640-170209", "bbox": "1,2,3,4"}, "product ids and a box"),
        ({"bbox": [1, 2, 3]}, "not four numbers"),
        ({"bbox": ["1", 2, 3, 4]}, "not four numbers"),
        ({"bbox": {"type": "Polygon"}}, "dict, not text"),
        ({"start_date": "2020-06-15", "end_date": "2020-06-14"}, "lies before"),
        ({"start_date": 20200615}, "int, not text"),
        ({"gportal_id": "nonsense"}, "not the name"),
    ],
)
def test_a_context_that_makes_no_sense(
    fake: GPortalOld, tmp_path: Path, context: dict[str, Any], message: str
) -> None:
    work = tmp_path / "work"
    done = run(work, fake, **context)
    assert done.returncode == 2
    assert message in done.stderr
    assert (work / "_alt_error.txt").read_text().startswith("UsageError: ")
    assert "Traceback" not in done.stderr
    assert fake.seen == []


def test_nothing_there_is_told_apart(fake: GPortalOld, tmp_path: Path) -> None:
    done = run(tmp_path / "work", fake, start_date="2016-01-01", end_date="2016-01-02")
    assert done.returncode == 6
    assert "no record of the kind" in done.stderr


def test_a_password_among_the_parameters_is_taken_out(
    fake: GPortalOld, deliveries: Any, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    planted = os.urandom(10).hex()
    done = run(work, fake, "--list", gportal_id=deliveries.slc_id, gportal_password=planted)
    assert done.returncode == 0, done.stderr
    assert planted not in everything(work, done)
    assert "gportal_password" in done.stderr


def test_a_password_on_the_command_line_is_refused_unseen(
    fake: GPortalOld, deliveries: Any, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    planted = os.urandom(10).hex()
    done = run(work, fake, "-u", "x", "-p", planted, gportal_id=deliveries.slc_id)
    assert done.returncode == 2
    assert planted not in everything(work, done)
    done = run(
        work, fake, "-u", ACCOUNT.username, "-p", "-",
        stdin=f"{planted}\n", gportal_id=deliveries.slc_id,
    )  # fmt: skip
    assert done.returncode == 4
    assert "refused the login" in done.stderr
    assert planted not in everything(work, done)
    assert fake.password_posts == 1
