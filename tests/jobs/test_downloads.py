"""A download outlives the run that was cut off, and is gone when its datasets are there."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset.provenance import Source
from alos2.errors import BadArchive, DatasetDiffers, NoResource, TransferFailed
from alos2.footprint import FootprintOptions
from alos2.jobs.downloads import DOWNLOADS, download_place
from alos2.jobs.ingest import Ingested, ingest_all, ingest_remote
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.sources import TransferOptions
from alos2.sources.http import HttpRemote
from alos2.sources.session import new_session
from fakes.range_server import Fault, Object, RangeServer


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer() as running:
        yield running


@pytest.fixture
def options(tmp_path: Path) -> IngestOptions:
    transfer = TransferOptions(
        retries=0, chunk_bytes=4096, overlap_bytes=4096, checkpoint_bytes=16_384, lock_wait_s=0.2
    )
    return IngestOptions(
        out=tmp_path / "archive",
        footprint_options=FootprintOptions(sarcat=False),
        transfer=transfer,
    )


def files_of(out: Path) -> list[str]:
    """What lies in the downloads' folder, without the keys."""
    return sorted(p.name for p in (out / DOWNLOADS).rglob("*") if p.is_file())


def test_the_next_run_goes_on_and_leaves_nothing(
    deliveries: Any, server: RangeServer, options: IngestOptions
) -> None:
    body = deliveries.geotiff.read_bytes()
    cut = len(body) - 5000
    url = server.put("/order.zip", Object([body]), Fault(cut_at=cut))
    (failed,) = ingest_all([url], options)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, TransferFailed)
    assert "the same command continues there" in str(failed.error)
    assert files_of(options.out) == ["order.zip.part", "order.zip.part.json"]
    assert [p.name for p in options.out.iterdir()] == [DOWNLOADS]
    (done,) = ingest_all([url], options)
    assert isinstance(done, Ingested)
    assert server.seen[1].status == 206
    assert [p.name for p in options.out.iterdir()] == [deliveries.geotiff_id]


def test_a_download_can_be_kept_and_is_not_fetched_again(
    deliveries: Any, server: RangeServer, options: IngestOptions
) -> None:
    url = server.put("/order.zip", Object([deliveries.geotiff.read_bytes()]))
    kept = replace(options, keep_download=True)
    assert [type(o) for o in ingest_all([url], kept)] == [Ingested]
    assert "order.zip" in files_of(options.out)
    (again,) = ingest_all([url], options)
    assert isinstance(again, Ingested)
    assert again.line["status"] == "unchanged"
    assert not (options.out / DOWNLOADS).exists()


def test_another_folder_for_downloads(
    deliveries: Any, server: RangeServer, options: IngestOptions, tmp_path: Path
) -> None:
    url = server.put("/order.zip", Object([deliveries.geotiff.read_bytes()]))
    elsewhere = replace(options, downloads=tmp_path / "scratch", keep_download=True)
    assert [type(o) for o in ingest_all([url], elsewhere)] == [Ingested]
    assert [p.name for p in options.out.iterdir()] == [deliveries.geotiff_id]
    assert list((tmp_path / "scratch").rglob("order.zip"))


def test_what_is_itself_at_fault_is_not_kept(
    deliveries: Any, server: RangeServer, options: IngestOptions
) -> None:
    body = bytearray(deliveries.geotiff.read_bytes())
    body[len(body) // 2] ^= 255
    url = server.put("/order.zip", Object([bytes(body)]))
    (failed,) = ingest_all([url], options)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, BadArchive)
    assert not list(options.out.iterdir())


def test_a_dataset_that_differs_needs_no_second_download(
    deliveries: Any, server: RangeServer, options: IngestOptions
) -> None:
    assert [type(o) for o in ingest_all([str(deliveries.slc)], options)] == [Ingested]
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        for path in deliveries.slc_dir.iterdir():
            data = bytearray(path.read_bytes())
            if path.name.startswith("IMG-HV"):
                data[-1] ^= 1
            archive.writestr(path.name, bytes(data))
    url = server.put("/order.zip", Object([other.getvalue()]))
    (failed,) = ingest_all([url], options)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, DatasetDiffers)
    assert "order.zip" in files_of(options.out)
    (done,) = ingest_all([url], replace(options, force=True))
    assert isinstance(done, Ingested)
    assert done.line["status"] == "replaced"
    assert not (options.out / DOWNLOADS).exists()


def test_a_remote_of_a_portal_says_where_it_comes_from(
    deliveries: Any, server: RangeServer, options: IngestOptions
) -> None:
    url = server.put("/download", Object([deliveries.geotiff.read_bytes()]))
    source = Source(provider="auig2", order_id="0000022708", title="an order")
    with new_session(options.transfer) as session:
        remote = HttpRemote(url, session, options=options.transfer, key=f"{url}?order=0000022708")
        (done,) = ingest_remote(remote, source, options, name="0000022708.zip")
    assert isinstance(done, Ingested)
    said = json.loads(next(options.out.glob("*/*.met.json")).read_text())["source"]
    assert said["provider"] == "auig2"
    assert said["order_id"] == "0000022708"
    assert said["title"] == "an order"
    assert said["url"] == f"{url}?order=0000022708"
    assert len(said["sha256"]) == 64
    assert not (options.out / DOWNLOADS).exists()


def test_two_runs_do_not_share_a_download(options: IngestOptions) -> None:
    with download_place(options, "http://h/x.zip") as first:
        with (
            pytest.raises(NoResource, match=f"process {os.getpid()} on"),
            download_place(options, "http://h/x.zip"),
        ):
            pass
        with download_place(options, "http://h/y.zip") as other:
            assert other.folder != first.folder
    assert not (options.out / DOWNLOADS).exists()


def test_many_runs_come_and_go(options: IngestOptions) -> None:
    """The folder of all downloads vanishes with the last one, while others just begin."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                with download_place(options, f"http://h/{number}/{turn}.zip") as place:
                    (place.folder / "x").write_bytes(b"x")
        except BaseException as error:  # noqa: BLE001  told below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert not (options.out / DOWNLOADS).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_command_is_continued_by_the_same_command(
    deliveries: Any, server: RangeServer, tmp_path: Path, number: int
) -> None:
    body = deliveries.slc.read_bytes()
    url = server.put("/order.zip", Object([body]), Fault(cut_at=len(body) - 1000, stall_s=60))
    out = tmp_path / "archive"
    command = [sys.executable, "-m", "alos2", "-v", "ingest", url, "--out", str(out)]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    part = None
    while part is None and child.poll() is None:
        part = next((p for p in out.glob(f"{DOWNLOADS}/*/*.part") if p.stat().st_size), None)
    time.sleep(1.0)  # the server stalls for a minute, the part may not hold a byte yet
    child.send_signal(number)
    _, told = child.communicate(timeout=60)
    assert child.returncode == (143 if number == signal.SIGTERM else -9), told
    if number == signal.SIGTERM:
        assert "the same command continues there" in told
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in out.iterdir()} == {deliveries.slc_id, ".alos2-catalogue"}
