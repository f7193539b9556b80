"""The batch scripts as they are, handed to a real Slurm and a real Grid Engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from cluster.servers.fixtures import (  # noqa: F401
    gridengine_server,
    real_gridengine,
    real_slurm,
    slurm_server,
)
from fakes.scenes import Scene, spread

GEKKO = Path(__file__).resolve().parents[2] / "gekko"
SECONDS = 60

pytest.importorskip("psij", reason="psij-python is not installed")
pytestmark = pytest.mark.slow


class OnScheduler:
    """A scan whose jobs have the script for their body, and the script by hand."""

    scheduler: str
    script: str
    by_hand: tuple[str, ...]
    """How the script is submitted by hand, with the folder, and the frame and date."""

    def test_a_scan_and_a_frame_by_hand(self, scenes: list[Scene], tmp_path: Path) -> None:
        place = spread(scenes[:2], tmp_path / "data" / "P126" / "F0690")
        archive = tmp_path / "archive"
        archive.mkdir()
        python = {**os.environ, "ALOS2_SARCAT": "off", "ALOS2_PYTHON": sys.executable}
        command = [
            *(sys.executable, "-I", str(GEKKO / "scrape_alos2_aria_ingest.py")),
            *("-dir", str(tmp_path / "data"), "-pbs", str(GEKKO / self.script)),
            *("--out", str(archive), "--settle", "0", "--chunk", "1", "--wait", "--poll", "0.2"),
            *("--second-look", "3", "--json"),
        ]
        done = subprocess.run(
            command, env=python, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        said = [json.loads(line) for line in done.stdout.splitlines()]
        submitted = [line for line in said if line["kind"] == "submitted"]
        assert [line["scheduler"] for line in submitted] == [self.scheduler] * 2
        assert all(line["native_id"].isdigit() for line in submitted)
        assert {line["outcome"] for line in said if line["kind"] == "scene"} == {"made"}
        with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
            assert list(catalogue.ids()) == sorted(scene.id for scene in scenes[:2])

        # By hand, from the folder of the checkout: one scene, into the working directory.
        other = tmp_path / "other"
        other.mkdir()
        frame_date = scenes[0].folder.name.split("-")[1]
        named = [word.format(place, f"0690-{frame_date}") for word in self.by_hand]
        subprocess.run(
            [*named, str(GEKKO / self.script)],
            cwd=other,
            env={**python, "ALOS2_GEKKO": str(GEKKO), "archive": str(other)},
            stdout=subprocess.DEVNULL,
            timeout=SECONDS,
            check=True,
        )
        end = time.monotonic() + SECONDS
        while not (other / scenes[0].id).is_dir():
            logs = [path.read_text() for path in other.iterdir() if path.is_file()]
            assert time.monotonic() < end, logs
            time.sleep(0.05)
        assert not (other / scenes[1].id).exists()


@pytest.mark.usefixtures("real_slurm")
class TestSlurm(OnScheduler):
    scheduler = "slurm"
    script = "ingest2aria.slurm"
    by_hand = (
        "sbatch",
        "--export=ALOS2_PYTHON,ALOS2_SARCAT,ALOS2_GEKKO,archive,dir={},fdate={}",
    )  # fmt: skip


@pytest.mark.usefixtures("real_gridengine")
class TestGridEngine(OnScheduler):
    scheduler = "gridengine"
    script = "ingest2aria.sge"
    by_hand = (
        "qsub", "-v",
        "ALOS2_PYTHON,ALOS2_SARCAT,ALOS2_GEKKO,archive,dir={},fdate={}",
    )  # fmt: skip
