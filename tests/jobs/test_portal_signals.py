"""Ctrl-C and SIGTERM while several downloads run, one of them from a silent server."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.simulate.portals import Account
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake

ACCOUNT = Account("someone", "planted-password-1")
CUT = 10_000
"""Less than either file has: threads decide which comes first."""


@pytest.fixture
def fake(deliveries: Any, tmp_path: Path) -> Iterator[SentinelAsiaFake]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    files = (File("D1", deliveries.slc), File("D2", deliveries.geotiff))
    with SentinelAsiaFake(ACCOUNT, [Eor("ERJPYU000001", files=files)], tls) as running:
        assert isinstance(running, SentinelAsiaFake)
        yield running


def started(fake: SentinelAsiaFake, tmp_path: Path) -> subprocess.Popen[str]:
    environment = {
        **{
            name: os.environ[name]
            for name in ("PATH", "LANG", "OPENBLAS_NUM_THREADS")
            if name in os.environ
        },
        "REQUESTS_CA_BUNDLE": str(tmp_path / "ca.pem"),
        "ALOS2_PORTAL_SENTINEL_ASIA_URL": fake.base_url,
        "ALOS2_SENTINEL_ASIA_USERNAME": ACCOUNT.username,
        "ALOS2_SENTINEL_ASIA_PASSWORD": ACCOUNT.password,
        "ALOS2_SARCAT": "off",
        "ALOS2_CACHE": str(tmp_path / "cache"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "alos2", "ingest", "sentinel-asia", "--eor-id", "ERJPYU000001",
         "--json", "--no-tiles", "--out", str(tmp_path / "archive")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_all_and_the_next_run_goes_on(
    fake: SentinelAsiaFake, tmp_path: Path, deliveries: Any, sent: signal.Signals, code: int
) -> None:
    # The first download stops in the middle, and its server says nothing any more.
    fake.faults.cut_at, fake.faults.stall_s = CUT, 60.0
    running = started(fake, tmp_path)
    until = time.monotonic() + 60
    while len(fake.downloads) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(1.0)
    began = time.monotonic()
    running.send_signal(sent)
    _, err = running.communicate(timeout=30)
    took_s = time.monotonic() - began
    assert running.returncode == code, err
    assert took_s < 15
    assert "Traceback" not in err
    assert ACCOUNT.password not in err
    downloads = tmp_path / "archive" / ".alos2-downloads"
    assert list(downloads.rglob("*.zip*"))
    fake.closing.set()  # the silent connection ends
    again = started(fake, tmp_path)
    out, err = again.communicate(timeout=90)
    assert again.returncode == 0, err
    made = {json.loads(line)["id"] for line in out.splitlines()}
    folders = {p.name for p in (tmp_path / "archive").iterdir() if not p.name.startswith(".")}
    assert folders == {deliveries.slc_id, deliveries.geotiff_id}
    assert made <= folders
    assert not downloads.exists()
