"""``alos2 demo --portals``: a person without any account sees every portal's job work."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.simulate.portals import Auig2Server, Offer, invented_account


def demo(folder: Path, *flags: str, path: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alos2", "demo", "--portals", "--size", "64", *flags, str(folder)],
        env={**os.environ, "ALOS2_CACHE": str(folder.parent / "cache"), "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.skipif(importlib.util.find_spec("asyncssh") is None, reason="needs asyncssh")
def test_every_portal_delivers(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = demo(folder)
    assert done.returncode == 0, done.stderr
    for word in (
        "alos2 ingest auig2 0000000001 0000000002",
        "alos2 ingest sentinel-asia --eor-id",
        "left out, already there as",
        "not ALOS-2 data but 'Map'",
        "alos2 ingest gportal --profile gportal-legacy --bbox",
        "SFTP by key",
    ):
        assert word in done.stdout
    for portal in ("auig2", "sentinel-asia", "gportal-legacy", "gportal-2026"):
        archive = folder / "portals" / portal
        (met,) = archive.glob("*FBDR1.1__D/*.met.json")
        source = json.loads(met.read_text())["source"]
        assert portal.startswith(source["provider"])
        assert [path.name for path in archive.glob(".alos2-*")] == [".alos2-catalogue"]
        with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
            assert met.parent.name in set(catalogue.ids())
            assert catalogue.verify().faults == []
    assert not list(folder.rglob("*.key"))
    again = demo(folder, "--json")
    assert again.returncode == 0, again.stderr
    statuses = {json.loads(line)["status"] for line in again.stdout.splitlines()}
    assert statuses == {"unchanged"}


def test_without_asyncssh_one_line_says_so(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "found = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'asyncssh' else found(name, *rest)\n"
    )
    done = demo(tmp_path / "demo", "--json", path=str(hidden))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 6
    (line,) = [line for line in done.stderr.splitlines() if "needs asyncssh" in line]
    assert "left out" in line
    assert not (tmp_path / "demo" / "portals" / "gportal-2026").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").touch()
    done = demo(tmp_path)
    assert done.returncode == 2
    assert "was not made by the demo" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["theirs.txt"]


def test_the_servers_invent_their_accounts(deliveries: Any) -> None:
    first, second = invented_account(), invented_account()
    assert first != second
    assert len(first.password) >= 20
    assert first.password not in repr(first)
    with Auig2Server(first, [Offer.read(deliveries.slc)]) as server:
        assert server.url.startswith("http://127.0.0.1:")
