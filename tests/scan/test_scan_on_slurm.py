"""`alos2 scan` over a real Slurm (`cluster.servers.slurm`)."""

from __future__ import annotations

import pytest

from cluster.servers.fixtures import real_slurm, slurm_server  # noqa: F401
from cluster.servers.scanning import ScanOnScheduler, many_scenes  # noqa: F401

pytest.importorskip("psij", reason="psij-python is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_slurm")]


class TestScanOnSlurm(ScanOnScheduler):
    scheduler = "slurm"
