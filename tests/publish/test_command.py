"""``alos2 publish`` and ``alos2 ingest --publish`` as a person or a script runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue import document_of
from alos2.publish.engine import publish
from alos2.publish.target import target_of
from publish.options import OPTIONS, PASSWORD, USER
from publish.places import ID, DavServer, S3Place, answer, contents, make_dataset

DOCS = Path(__file__).parents[2] / "docs" / "publishing.md"
KEYS = {
    "id", "type", "dataset", "index", "status", "location", "urls", "browse_urls", "catalogued",
    "files", "size", "seconds", "dataset_dir",
}  # fmt: skip


def alos2(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alos2", *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_one_line_of_json_a_dataset(dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "archive"
    ceos = make_dataset(tmp_path / "x", dataset_id=f"{ID}-ceos")
    done = alos2("publish", dataset, f"{ceos}/", "--to", out, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = map(json.loads, done.stdout.splitlines())
    assert set(first) == set(second) == KEYS
    assert first["id"] == ID
    assert first["status"] == "new"
    assert first["location"] == str(out / ID)
    assert first["urls"] == [(out / ID).as_uri()]
    assert first["index"] == "grq_v1.0_alos2_geotiff"
    assert second["index"] == "grq_v1.0_alos2_ceos"
    assert (first["catalogued"], first["browse_urls"]) == (False, [])
    assert contents(out / ID) == contents(dataset)
    again = alos2("publish", dataset, ALOS2_PUBLISH_TO=str(out))
    assert again.returncode == 0
    assert again.stdout.splitlines()[0] == f"{ID}  [unchanged]"
    assert str(out / ID) in again.stdout


def test_the_keys_are_documented() -> None:
    section = DOCS.read_text().partition("## The JSON line")[2].partition("\n## ")[0]
    documented = {
        name
        for row in re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", row)
    }
    assert documented == KEYS


def test_exit_codes(dataset: Path, other: Path, tmp_path: Path, dav: DavServer) -> None:
    out = tmp_path / "archive"
    assert alos2("publish", dataset).returncode == 2
    assert alos2("publish", tmp_path / "no", "--to", out).returncode == 2
    assert alos2("publish", dataset, "--to", out).returncode == 0
    differs = alos2("publish", other, "--to", out)
    assert differs.returncode == 3
    assert differs.stderr.startswith("alos2: DatasetDiffers: another dataset of this id is at")
    some = alos2("publish", other, dataset, "--to", out, "--json")
    assert some.returncode == 8
    assert json.loads(some.stdout)["status"] == "unchanged"
    assert alos2("publish", other, "--to", out, "--force").returncode == 0
    assert contents(out / ID) == contents(other)
    refused = alos2("publish", dataset, "--to", dav.place.url, NETRC=str(tmp_path / "none"))
    assert refused.returncode == 7
    assert f"PublishFailed: 127.0.0.1:{dav.port} wants a login" in refused.stderr
    dav.hook = answer("507 Insufficient Storage")
    full = alos2("publish", dataset, "--to", dav.place.url, NETRC=str(tmp_path / "none"))
    assert full.returncode == 9
    assert "NoSpace" in full.stderr


def test_webdav_with_a_netrc_and_no_secret_anywhere(
    dav: DavServer, dataset: Path, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n", encoding="utf-8")
    netrc.chmod(0o600)
    done = alos2("-vv", "publish", dataset, "--to", dav.place.url, "--json", NETRC=str(netrc))
    assert done.returncode == 0, done.stderr
    assert dav.place.read() == contents(dataset)
    line = json.loads(done.stdout)
    assert line["urls"] == [f"http://127.0.0.1:{dav.port}/dav/arch/{ID}"]
    assert PASSWORD not in done.stdout + done.stderr
    assert "Basic " not in done.stderr
    url = f"dav://{USER}:{PASSWORD}@127.0.0.1:{dav.port}/dav/arch"
    refused = alos2("publish", dataset, "--to", url)
    assert refused.returncode == 2
    assert PASSWORD not in refused.stdout + refused.stderr


def test_s3_on_the_command_line(s3: S3Place, dataset: Path) -> None:
    done = alos2("-vv", "publish", dataset, "--to", s3.url, "--json", "--at-once", 2)
    assert done.returncode == 0, done.stderr
    assert s3.read() == contents(dataset)
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
    assert "Signature" not in done.stderr


def test_a_catalogue_that_is_away_leaves_the_dataset_published(
    dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "archive"
    unknown = alos2("publish", dataset, "--to", out, "--catalogue")
    assert unknown.returncode == 2
    assert "ALOS2_GRQ_URL" in unknown.stderr
    assert not out.exists()
    for name in ("dataset", "stac"):
        file = dataset / f"{ID}.{name}.json"
        document = json.loads(file.read_text())
        if name == "dataset":
            place = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
            times = dict.fromkeys(("starttime", "endtime"), "2015-03-15T12:00:00.000000Z")
            document.update({"location": place, **times})
        else:
            del document["assets"]["dataset"]
        file.write_text(json.dumps(document))
    away = alos2("publish", dataset, "--to", out, "--catalogue", ALOS2_GRQ_URL="http://127.0.0.1:1")
    assert away.returncode == 7, away.stderr
    assert contents(out / ID) == contents(dataset)


def test_sigterm_takes_everything_back(dav: DavServer, dataset: Path, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login {USER} password {PASSWORD}\n", encoding="utf-8")
    netrc.chmod(0o600)

    def slow(environ: dict[str, Any], start_response: Any) -> None:
        if environ["REQUEST_METHOD"] == "PUT" and "/tiles/" in environ["PATH_INFO"]:
            time.sleep(1.0)

    dav.hook = slow
    run = subprocess.Popen(
        [sys.executable, "-m", "alos2", "publish", str(dataset), "--to", dav.place.url],
        env={**os.environ, "NETRC": str(netrc)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any("PUT" in s and "/tiles/" in s for s in dav.seen):
        assert time.monotonic() < deadline
        assert run.poll() is None
        time.sleep(0.02)
    run.send_signal(signal.SIGTERM)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == 143, stderr
    assert "Terminated" in stderr
    assert dav.place.read() == {}
    assert dav.place.leftovers() == []


@pytest.mark.slow
def test_ingest_publishes_what_it_makes(deliveries: Any, tmp_path: Path) -> None:
    made, out = tmp_path / "made", tmp_path / "archive"
    quick = ("--no-tiles", "--json", "--out", made)
    first = alos2("ingest", deliveries.slc, *quick, "--publish", out)
    assert first.returncode == 0, first.stderr
    line = json.loads(first.stdout)
    assert line["status"] == line["published"]["status"] == "new"
    assert set(line["published"]) == KEYS
    assert contents(out / line["id"]) == contents(made / line["id"])
    (made / line["id"] / "more.txt").write_text("x")
    again = alos2("ingest", deliveries.slc, *quick, "--publish", out)
    assert again.returncode == 3, "what is published is something else"
    line = json.loads(again.stdout)
    assert (line["status"], line["published"]) == ("unchanged", None)
    (made / line["id"] / "more.txt").unlink()
    people = alos2("ingest", deliveries.slc, *quick[:1], *quick[2:], "--publish", out)
    assert people.returncode == 0, people.stderr
    assert f"{line['id']}  [unchanged]" in people.stdout
    assert str(out / line["id"]) in people.stdout
    done = publish(made / line["id"], target_of(str(out)), OPTIONS)
    document = document_of(done)
    assert document["id"] == line["id"]
    assert document["urls"] == [(out / line["id"]).as_uri()]
    assert document["dataset"] == "ALOS2-L1.1-SLC"
    bad = alos2("ingest", deliveries.slc, "--out", tmp_path / "never", "--publish", "odd.json")
    assert bad.returncode == 2
    assert not (tmp_path / "never").exists(), "said before anything is fetched"
