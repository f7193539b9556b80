"""Goals (2) to (10) of the transfer engine, a test or more for each; goal (1) is `test_resume`."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter, namedtuple
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from alos2.errors import (
    BadArchive,
    Interrupted,
    LoginFailed,
    NoResource,
    NoSpace,
    NothingFound,
    TransferFailed,
    UsageError,
)
from alos2.sources import ENTRY_POINT_GROUP, Fetched, TransferOptions, fetch
from alos2.sources.http import HttpRemote
from alos2.sources.remote import Passing
from alos2.sources.session import asked_wait_s, new_session
from alos2.sources.transfer import Wanted, ZipCheck, transfer, transfer_all
from alos2.sources.transfer.lock import TargetLock
from alos2.sources.transfer.places import lock_of
from alos2.sources.transfer.waits import Budget
from fakes.file_server import FileServer, Reply
from fakes.range_server import LOGIN_PAGE, Fault, Object, RangeServer

CUT = 150_000


class TestGoal2TheFirstBytesAreLookedAt:
    def test_before_anything_is_stored(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        url = ranges.put("/x.zip", Object([whole_zip]), Fault(page=LOGIN_PAGE))
        with pytest.raises(BadArchive, match="Please log in"):
            fetch(url, work, options=quick)
        assert not list(work.iterdir())

    def test_a_portal_can_tell_its_login_page(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        class Ours(ZipCheck):
            def head(self, head: bytes, *, content_type: str, where: str) -> None:
                if b"type='password'" in head:
                    raise LoginFailed(f"{where} wants a login")
                super().head(head, content_type=content_type, where=where)

        url = ranges.put("/x.zip", Object([whole_zip]), Fault(page=LOGIN_PAGE))
        with new_session(quick) as session, pytest.raises(LoginFailed, match="wants a login"):
            transfer(HttpRemote(url, session), work, options=quick, check=Ours())
        assert not list(work.iterdir())

    def test_a_refused_password_is_sent_once(
        self, server: FileServer, work: Path, quick: TransferOptions
    ) -> None:
        refusal = Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="orders"'})
        server.reply("/x.zip", refusal)
        with pytest.raises(LoginFailed, match="401"):
            fetch(server.url("/x.zip", userinfo="me:wrong-one"), work, options=quick)
        sent = [seen for seen in server.seen if "authorization" in seen.headers]
        assert len(sent) == 1


class TestGoal3WhatArrivedIsChecked:
    def test_a_finished_file_is_taken_as_it_is(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        url = ranges.put("/x.zip", Object([whole_zip]))
        first = fetch(url, work, options=quick)
        written = first.path.stat().st_mtime_ns
        again = fetch(url, work, options=quick)
        assert (again.path, again.sha256, again.size) == (first.path, first.sha256, first.size)
        assert again.path.stat().st_mtime_ns == written

    @pytest.mark.parametrize("how", ["changed there", "touched here", "no validator"])
    def test_but_not_when_anything_is_in_doubt(
        self,
        *,
        ranges: RangeServer,
        whole_zip: bytes,
        other_zip: bytes,
        work: Path,
        quick: TransferOptions,
        how: str,
    ) -> None:
        found = Object([whole_zip, other_zip], etag="none" if how == "no validator" else "strong")
        url = ranges.put("/x.zip", found)
        first = fetch(url, work, options=quick)
        if how == "changed there":
            found.version = 1
        elif how == "touched here":
            first.path.write_bytes(bytes(len(whole_zip)))
        again = fetch(url, work, options=quick)
        assert again.path.name == "x-2.zip"
        assert again.path.read_bytes() == found.body

    def test_the_hash_is_of_all_bytes_however_they_came(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        faults = [Fault(cut_at=n) for n in (70_000, 20_000, 40_000)]
        url = ranges.put("/x.zip", Object([whole_zip]), *faults)
        patient = replace(quick, renew_bytes=1000, checkpoint_bytes=10_000)
        got = fetch(url, work, options=patient)
        assert got.sha256 == hashlib.sha256(whole_zip).hexdigest()

    def test_two_processes_never_share_a_part(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        url = ranges.put("/x.zip", Object([whole_zip]))
        with TargetLock(lock_of(work, url), wait_s=0):
            impatient = replace(quick, lock_wait_s=0.1)
            with pytest.raises(NoResource, match=f"process {os.getpid()} on ") as caught:
                fetch(url, work, options=impatient)
        assert caught.value.exit_code == 9
        assert not ranges.seen
        assert fetch(url, work, options=impatient).path.read_bytes() == whole_zip

    def test_the_second_one_waits(
        self,
        *,
        ranges: RangeServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        url = ranges.put("/x.zip", Object([whole_zip]), Fault(cut_at=CUT, stall_s=0.3))
        results: list[Fetched] = []
        threads = [
            threading.Thread(target=lambda: results.append(fetch(url, work, options=quick)))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert [r.path.name for r in results] == ["x.zip", "x.zip"]
        assert results[0].path.read_bytes() == whole_zip
        assert caplog.text.count("waiting for another run") == 1

    def test_a_wait_can_be_stopped(self, work: Path, quick: TransferOptions) -> None:
        url = "http://localhost:9/x.zip"
        with TargetLock(lock_of(work, url), wait_s=0), pytest.raises(Interrupted):
            fetch(url, work, options=quick, cancel=lambda: True)


class TestGoal4Patience:
    def test_full_jitter(self) -> None:
        """Waits are drawn evenly below a bound that doubles up to the longest."""
        options = TransferOptions(retries=6, backoff_s=1.0, backoff_max_s=10.0)
        bounds: list[tuple[float, float]] = []

        def draw(low: float, high: float) -> float:
            bounds.append((low, high))
            return random.uniform(low, high)

        budget = Budget(options, "h", draw=draw)
        waits = [budget.spend(Passing("no")) for _ in range(6)]
        assert bounds == [(0, 1), (0, 2), (0, 4), (0, 8), (0, 10), (0, 10)]
        assert all(0 <= wait <= high for wait, (_, high) in zip(waits, bounds, strict=True))
        with pytest.raises(TransferFailed, match="7 times in a row"):
            budget.spend(Passing("no"))

    def test_the_servers_wish_is_kept_and_spread(self) -> None:
        budget = Budget(TransferOptions(backoff_s=2.0), "h")
        waits = [budget.spend(Passing("busy", 30.0)) for _ in range(6)]
        assert all(30 <= wait <= 32 for wait in waits)
        assert len(set(waits)) > 1

    def test_retry_after_as_a_date_goes_by_the_servers_clock(self) -> None:
        now = 1_700_000_000
        headers = {"Retry-After": formatdate(now + 90, usegmt=True)}
        assert asked_wait_s(headers | {"Date": formatdate(now, usegmt=True)}) == 90
        assert asked_wait_s(headers) == 0
        assert asked_wait_s({"Retry-After": "17"}) == 17
        assert asked_wait_s({"Retry-After": "soon"}) is None
        assert asked_wait_s({}) is None

    def test_a_storm_is_sat_out(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        storm = [Fault(status=503, retry_after="1"), Fault(status=429, retry_after="0")]
        url = ranges.put("/x.zip", Object([whole_zip]), *storm)
        got = fetch(url, work, options=quick)
        assert got.path.read_bytes() == whole_zip
        assert got.seconds >= 1

    def test_the_budget_is_renewed_by_progress(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        """Six cuts with a budget of two: each try brings some."""
        cuts = [Fault(cut_at=82_000), *[Fault(cut_at=33_000)] * 5]
        url = ranges.put("/x.zip", Object([whole_zip]), *cuts)
        got = fetch(url, work, options=replace(quick, renew_bytes=8_000))
        assert got.path.read_bytes() == whole_zip
        assert len(ranges.seen) == 7

    def test_and_not_by_the_same_bytes_again(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        always = [Fault(cut_at=CUT, ignore_range=True)] * 20
        url = ranges.put("/x.zip", Object([whole_zip]), *always)
        with pytest.raises(TransferFailed, match="3 times in a row"):
            fetch(url, work, options=replace(quick, renew_bytes=8_000))
        assert len(ranges.seen) == 3

    def test_a_stall_timer_and_no_timeout_of_the_whole(
        self, server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        """It takes several times the stall timer and is never silent for as long."""
        began = time.monotonic()
        url = server.reply("/x.zip", Reply(whole_zip))
        slow = replace(quick, stall_s=0.2, chunk_bytes=4096)
        got = fetch(url, work, options=slow, progress=lambda *_: time.sleep(0.012))
        assert time.monotonic() - began > 2 * slow.stall_s
        assert got.path.read_bytes() == whole_zip
        assert len(server.seen) == 1


class TestGoal5Disk:
    def test_room_for_what_is_in_it_is_asked_for_before_the_start(
        self,
        *,
        ranges: RangeServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        usage = namedtuple("usage", "total used free")
        free = int(2.5 * len(whole_zip))
        monkeypatch.setattr("shutil.disk_usage", lambda _: usage(10**12, 10**12, free))
        url = ranges.put("/x.zip", Object([whole_zip]))
        with pytest.raises(NoSpace, match=f"{free} bytes free"):
            fetch(url, work, options=replace(quick, room=3.0))
        assert not list(work.iterdir())
        assert fetch(url, work, options=replace(quick, room=2.0)).size == len(whole_zip)


CHILD = textwrap.dedent(
    """
    import os, signal, sys, time
    from pathlib import Path
    from alos2.cli.main import install_signal_handlers
    from alos2.errors import Terminated
    from alos2.sources import TransferOptions, fetch

    install_signal_handlers()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    told = []

    def progress(done, total):
        told.append(done)
        if len(told) == 6:
            os.kill(os.getpid(), int(sys.argv[3]))

    options = TransferOptions(chunk_bytes=16384, overlap_bytes=16384, margin_bytes=0,
                              checkpoint_bytes=32768)
    try:
        fetch(sys.argv[1], Path(sys.argv[2]), options=options, progress=progress)
    except KeyboardInterrupt:
        sys.exit(130)
    except Terminated as error:
        print(error)
        sys.exit(143)
    """
)


class TestGoal6Interruptions:
    @pytest.mark.parametrize(
        ("number", "code"),
        [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)],
        ids=["ctrl-c", "sigterm", "sigkill"],
    )
    def test_leave_a_part_that_the_next_run_continues(
        self,
        *,
        ranges: RangeServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        number: int,
        code: int,
    ) -> None:
        url = ranges.put("/x.zip", Object([whole_zip]))
        child = subprocess.run(
            [sys.executable, "-c", CHILD, url, str(work), str(int(number))],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert child.returncode == code, child.stderr
        known = json.loads((work / "x.zip.part.json").read_text())
        if number == signal.SIGKILL:  # what was secured last, by the checkpoints
            assert known["bytes"] in (0, 32_768, 65_536, 81_920, 98_304)
        else:
            assert known["bytes"] >= 5 * 16_384
        got = fetch(url, work, options=quick)
        assert got.path.read_bytes() == whole_zip
        if known["bytes"]:
            asked = max(0, known["bytes"] - quick.overlap_bytes)
            assert ranges.seen[-1].headers["range"] == f"bytes={asked}-"
        if number == signal.SIGTERM:
            assert f"{known['bytes']} bytes of {len(whole_zip)} are kept" in child.stdout


class TestGoal7SeveralAtOnce:
    @pytest.fixture
    def wanted(
        self, ranges: RangeServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> Iterator[list[Wanted]]:
        with new_session(quick) as session:
            yield [
                Wanted(HttpRemote(url, session, options=quick), None, work)
                for url in [ranges.put(f"/{n}.zip", Object([whole_zip])) for n in range(6)]
            ]

    def test_all_arrive_and_one_failure_stops_nobody(
        self, wanted: list[Wanted], ranges: RangeServer, whole_zip: bytes, quick: TransferOptions
    ) -> None:
        ranges.remove("/3.zip")
        told: Counter[str] = Counter()
        found = dict(
            transfer_all(
                wanted, at_once=3, options=quick, progress=lambda w, *_: told.update([w.remote.url])
            )
        )
        assert len(found) == 6
        failed = [w.remote.url for w, outcome in found.items() if isinstance(outcome, NothingFound)]
        assert failed == [ranges.url("/3.zip")]
        for mine, outcome in found.items():
            if isinstance(outcome, Fetched):
                assert outcome.path.read_bytes() == whole_zip
                assert told[mine.remote.url] > 5

    def test_caps_for_each_host_and_a_pause_between_starts(
        self, wanted: list[Wanted], quick: TransferOptions
    ) -> None:
        now: Counter[str] = Counter()
        most = 0
        starts: list[float] = []
        lock = threading.Lock()
        running: set[str] = set()

        def progress(mine: Wanted, done: int, total: int | None) -> None:
            nonlocal most
            with lock:
                if mine.remote.url not in running:
                    running.add(mine.remote.url)
                    starts.append(time.monotonic())
                    now["busy"] += 1
                    most = max(most, now["busy"])
                if done == total:
                    now["busy"] -= 1
            time.sleep(0.005)

        outcomes = list(
            transfer_all(
                wanted, at_once=6, per_host=2, interval_s=0.05, options=quick, progress=progress
            )
        )
        assert all(isinstance(outcome, Fetched) for _, outcome in outcomes)
        assert most <= 2
        assert starts[-1] - starts[0] >= 5 * 0.05 - 0.03

    def test_a_stop_stops_all_and_keeps_their_parts(
        self, wanted: list[Wanted], work: Path, quick: TransferOptions
    ) -> None:
        told: list[int] = []
        running = transfer_all(
            wanted,
            at_once=2,
            options=quick,
            progress=lambda _, done, __: told.append(done),
            cancel=lambda: len(told) > 8,
        )
        with pytest.raises(Interrupted):
            list(running)
        assert list(work.glob("*.part.json"))
        assert not [t for t in threading.enumerate() if t.name.startswith("alos2-")]
        assert len(dict(transfer_all(wanted, options=quick))) == 6


class TestGoal8Credentials:
    def test_a_netrc_that_others_can_read_is_refused(
        self,
        *,
        server: FileServer,
        work: Path,
        tmp_path: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login me password 53cret-word\n")
        netrc.chmod(0o644)
        monkeypatch.setenv("NETRC", str(netrc))
        with pytest.raises(UsageError, match="chmod") as caught:
            fetch(server.url("/x.zip"), work, options=quick)
        assert "53cret" not in str(caught.value)
        assert not server.seen

    def test_a_named_profile(
        self,
        *,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        asks = Reply(status=401, headers={"WWW-Authenticate": "Basic realm=x"})
        monkeypatch.setenv("ALOS2_ORDERS_USERNAME", "me")
        monkeypatch.setenv("ALOS2_ORDERS_PASSWORD", "53cret-word")
        url = server.reply("/x.zip", asks, Reply(whole_zip))
        assert fetch(url, work, options=quick, credential="orders").size == len(whole_zip)
        assert server.seen[1].headers["authorization"].startswith("Basic ")


class TestGoal9TheWay:
    """TLS, redirects and foreign hosts: see also `test_http`."""

    def test_a_proxy_is_used(
        self,
        *,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The fake is asked as a proxy is: with the whole URL."""
        monkeypatch.setenv("http_proxy", server.url(""))
        server.reply("http://portal.invalid/x.zip", Reply(whole_zip))
        got = fetch("http://portal.invalid/x.zip", work, options=quick)
        assert got.path.read_bytes() == whole_zip
        assert server.seen[0].target == "http://portal.invalid/x.zip"

    def test_no_answer_to_a_foreign_host_that_asks(
        self,
        *,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A redirect leads to a host that wants a digest made of our password: it gets none."""
        caplog.set_level(logging.DEBUG)
        digest = 'Digest realm="x", nonce="1", qop="auth"'
        there = server.url("/there.zip", host="127.0.0.1")
        server.reply("/there.zip", Reply(status=401, headers={"WWW-Authenticate": digest}))
        asks = Reply(status=401, headers={"WWW-Authenticate": digest})
        server.reply("/here.zip", asks, Reply(status=302, headers={"Location": there}))
        with pytest.raises(LoginFailed):
            fetch(server.url("/here.zip", userinfo="me:53cret-word"), work, options=quick)
        sent = [seen for seen in server.seen if "authorization" in seen.headers]
        assert [seen.target for seen in sent] == ["/here.zip"]
        assert len([s for s in server.seen if s.target == "/there.zip"]) == 1
        assert "53cret" not in caplog.text


def test_goal_10_schemes_are_entry_points() -> None:
    names = {point.name for point in entry_points(group=ENTRY_POINT_GROUP)}
    assert {"file", "http", "https"} <= names
