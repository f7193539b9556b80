"""`alos2 scan` over a real Grid Engine (`cluster.servers.gridengine`)."""

from __future__ import annotations

import pytest

from cluster.servers.fixtures import gridengine_server, real_gridengine  # noqa: F401
from cluster.servers.scanning import ScanOnScheduler, many_scenes  # noqa: F401

pytest.importorskip("psij", reason="psij-python is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("real_gridengine")]


class TestScanOnGridEngine(ScanOnScheduler):
    scheduler = "gridengine"
