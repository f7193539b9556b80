"""Runs that are killed, and runs at the same time: datasets are whole, and nobody is disturbed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset.locks import FileLock
from alos2.dataset.validate import validate_item
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested, ingest_all
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.jobs.workfolder import WORK_PREFIX, remove_abandoned, work_folder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL and flock are POSIX")

TIMES = 10
# Started once; each child is forked from it, so that a run costs no imports.
SERVER = """
import os, sys, time
import alos2.jobs.build, alos2.raster.engine, rasterio, shapely, lxml.etree, pystac
import alos2.raster.greykernels, alos2.raster.lookkernels, alos2.raster.warpkernels
from numba.core.registry import cpu_target
cpu_target.typing_context.refresh()  # the first kernel of a process would wait for it
from pathlib import Path
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested, ingest_all
from alos2.jobs.options import IngestOptions
print("ready", flush=True)
for line in sys.stdin:
    out, target, force = line.rstrip("\\n").split("\\t")
    pid = os.fork()
    if not pid:
        options = IngestOptions(
            out=Path(out), footprint_options=FootprintOptions(sarcat=False), force=force == "force"
        )
        done = all(isinstance(o, Ingested) for o in ingest_all([target], options))
        os._exit(0 if done else 9)
    print(pid, flush=True)
    sys.stdin.readline()
    status = os.waitpid(pid, 0)[1]
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


class Server:
    """Runs ingests in processes that can be killed."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, out: Path, target: Path, *, force: bool = False) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{out}\t{target}\t{'force' if force else ''}\n")
        self.process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        """Exit code, or minus the signal that ended it."""
        assert self.process.stdin is not None
        self.process.stdin.write("wait\n")
        self.process.stdin.flush()
        return int(self._line())

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server() -> Any:
    server = Server()
    yield server
    server.close()


def options_for(out: Path) -> IngestOptions:
    return IngestOptions(out=out, footprint_options=FootprintOptions(sarcat=False))


def require_whole(dataset: Path) -> None:
    item = json.loads((dataset / f"{dataset.name}.stac.json").read_text())
    validate_item(item)
    for asset in item["assets"].values():
        path = dataset / asset["href"]
        assert path.stat().st_size == asset.get("file:size", path.stat().st_size)
    with zipfile.ZipFile(dataset / f"{dataset.name}.zip") as archive:
        assert archive.testzip() is None


def left(out: Path, dataset_id: str, *, also: tuple[str, ...] = ()) -> set[str]:
    """What a killed run left: documented hidden things, and perhaps the whole dataset."""
    names = {path.name for path in out.iterdir()} if out.exists() else set()
    allowed = (WORK_PREFIX, *(f".{dataset_id}{role}" for role in (".new-", ".lock", *also)))
    for name in names - {dataset_id}:
        assert name.startswith(allowed), name
    return names


@pytest.mark.parametrize("kind", ["geotiff", "slc"])
def test_killed_at_any_moment(server: Server, deliveries: Any, tmp_path: Path, kind: str) -> None:
    target: Path = getattr(deliveries, kind)
    dataset_id: str = getattr(deliveries, f"{kind}_id")
    began = time.monotonic()
    server.start(tmp_path / "whole", target)
    assert server.wait() == 0
    duration = time.monotonic() - began
    moments = random.Random(kind)
    left_behind = killed = 0
    out = tmp_path / "out"
    for _ in range(TIMES):
        pid = server.start(out, target)
        time.sleep(moments.uniform(0.0, duration))
        os.kill(pid, signal.SIGKILL)  # not waited for yet: the number is still its own
        killed += server.wait() == -signal.SIGKILL
        names = left(out, dataset_id)
        left_behind += bool(names - {dataset_id})
        if dataset_id in names:
            require_whole(out / dataset_id)
            shutil.rmtree(out / dataset_id)  # so that the next run has something to do
    assert killed
    server.start(out, target)
    assert server.wait() == 0
    assert {path.name for path in out.iterdir()} == {dataset_id}
    require_whole(out / dataset_id)
    whole, again = (
        sorted(p.relative_to(root).as_posix() for p in root.rglob("*"))
        for root in (tmp_path / "whole", out)
    )
    assert whole == again
    assert left_behind


def test_killed_while_it_replaces(server: Server, deliveries: Any, tmp_path: Path) -> None:
    """The old dataset is there, whole, or the new one is."""
    out = tmp_path / "out"
    began = time.monotonic()
    server.start(out, deliveries.geotiff)
    assert server.wait() == 0
    duration = time.monotonic() - began
    dataset = out / deliveries.geotiff_id
    moments = random.Random(5)
    for number in range(TIMES - 2):
        # The end, where one takes the place of the other, is what this is about.
        pid = server.start(out, deliveries.geotiff, force=True)
        time.sleep(moments.uniform(0.3 if number < 3 else 0.8, 1.1) * duration)
        os.kill(pid, signal.SIGKILL)
        server.wait()
        left(out, dataset.name, also=(".old-",))
        if dataset.exists():
            require_whole(dataset)
        else:
            assert len(list(out.glob(f".{dataset.name}.old-*"))) == 1
    server.start(out, deliveries.geotiff, force=True)
    assert server.wait() == 0
    assert {path.name for path in out.iterdir()} == {dataset.name}
    require_whole(dataset)


def test_what_was_set_aside_is_put_back(deliveries: Any, tmp_path: Path) -> None:
    """A system without an exchange of names needs two renames: killed between them."""
    (outcome,) = ingest_all([str(deliveries.geotiff)], options_for(tmp_path))
    assert isinstance(outcome, Ingested)
    dataset = tmp_path / deliveries.geotiff_id
    dataset.rename(tmp_path / f".{dataset.name}.old-0badcafe")
    (tmp_path / f".{dataset.name}.lock").touch()  # which stays, too, when a run is killed
    (again,) = ingest_all([str(deliveries.geotiff)], options_for(tmp_path))
    assert isinstance(again, Ingested)
    assert again.line["status"] == "unchanged"
    assert {path.name for path in tmp_path.iterdir()} == {dataset.name}
    require_whole(dataset)


def test_two_at_once(deliveries: Any, tmp_path: Path) -> None:
    """One makes the dataset; the other finds it made, or is told that it is being made."""
    command = [sys.executable, "-m", "alos2", "ingest", "--out", str(tmp_path), "--json"]
    runs = [
        subprocess.Popen(
            [*command, str(deliveries.geotiff)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    ends = [(run.communicate(timeout=120), run.returncode) for run in runs]
    codes = [code for _, code in ends]
    assert 0 in codes
    assert set(codes) <= {0, 9}
    statuses = [json.loads(out)["status"] for (out, _), code in ends if code == 0]
    assert statuses.count("new") == 1
    assert set(statuses) <= {"new", "unchanged"}
    for (_, told), code in ends:
        assert "Traceback" not in told
        assert code == 0 or "is being written by another run" in told
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {deliveries.geotiff_id, ".alos2-catalogue"}
    require_whole(tmp_path / deliveries.geotiff_id)


def test_who_comes_second_is_told(deliveries: Any, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with FileLock(out / f".{deliveries.slc_id}.lock", "a test"):
        (outcome,) = ingest_all([str(deliveries.slc)], options_for(out))
        assert {path.name for path in out.iterdir()} == {f".{deliveries.slc_id}.lock"}
    assert isinstance(outcome, Failed)
    assert outcome.error.exit_code == 9
    assert "by another run" in str(outcome.error)
    (again,) = ingest_all([str(deliveries.slc)], options_for(out))
    assert isinstance(again, Ingested)


class TestWorkFolders:
    def names(self, out: Path) -> set[str]:
        return {path.name for path in out.iterdir()}

    def test_gone_at_the_end(self, tmp_path: Path) -> None:
        with work_folder(tmp_path) as work:
            (work / "a").mkdir()
            assert self.names(tmp_path) == {work.name, f"{work.name}.lock"}
            assert work.name.startswith(WORK_PREFIX)
        assert not self.names(tmp_path)

    def test_of_the_dead_are_removed(self, tmp_path: Path) -> None:
        for name in ("one", "two"):
            (tmp_path / f"{WORK_PREFIX}{name}" / "unpacked").mkdir(parents=True)
        (tmp_path / f"{WORK_PREFIX}two.lock").touch()
        (tmp_path / f"{WORK_PREFIX}three.lock").touch()
        (tmp_path / ".alos2-other").mkdir()
        with work_folder(tmp_path) as work:
            assert self.names(tmp_path) == {work.name, f"{work.name}.lock", ".alos2-other"}
        assert self.names(tmp_path) == {".alos2-other"}

    def test_of_the_living_are_left(self, tmp_path: Path) -> None:
        with work_folder(tmp_path) as work:
            (work / "file").touch()
            remove_abandoned(tmp_path)
            with work_folder(tmp_path) as other:
                assert other != work
            assert (work / "file").exists()

    def test_of_a_living_process_until_it_is_killed(self, tmp_path: Path) -> None:
        program = (
            "import sys, time; from pathlib import Path\n"
            "from alos2.jobs.workfolder import work_folder\n"
            "with work_folder(Path(sys.argv[1])) as work:\n"
            "    print(work.name, flush=True); time.sleep(60)\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            name = process.stdout.readline().strip()
            remove_abandoned(tmp_path)
            assert self.names(tmp_path) == {name, f"{name}.lock"}
            process.kill()
        remove_abandoned(tmp_path)
        assert not self.names(tmp_path)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        remove_abandoned(tmp_path / "nowhere")
        with work_folder(tmp_path / "new" / "er") as work:
            assert work.is_dir()
