"""A file on this computer as a `Remote`: a checked copy, resumed."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from alos2.errors import Interrupted, NoSpace, NothingFound, UsageError
from alos2.sources import TransferOptions
from alos2.sources.local import FileRemote
from alos2.sources.remote import Changed
from alos2.sources.transfer import transfer


@pytest.fixture
def delivery(tmp_path: Path, whole_zip: bytes) -> Path:
    path = tmp_path / "a mount" / "x.zip"
    path.parent.mkdir()
    path.write_bytes(whole_zip)
    return path


def test_copy_is_resumed(
    delivery: Path, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    there: list[int] = []
    remote = FileRemote(delivery.as_uri(), options=quick)

    def progress(done: int, total: int | None) -> None:
        there.append(done)

    with pytest.raises(Interrupted):
        transfer(
            remote, work, options=quick, progress=progress,
            cancel=lambda: bool(there) and there[-1] > 90_000,
        )  # fmt: skip
    there.clear()
    got = transfer(remote, work, options=quick, progress=progress)
    assert got.path.read_bytes() == whole_zip
    assert there[0] > 60_000
    assert got.url == delivery.as_uri()


def test_changed_file_is_told(delivery: Path, quick: TransferOptions) -> None:
    remote = FileRemote(delivery.as_uri(), options=quick)
    with remote.open(0, None) as reply:
        before = reply.validator
        next(reply.body)
        os.utime(delivery, (5, 5))
        with pytest.raises(Changed, match="while"):
            list(reply.body)
    with pytest.raises(Changed, match="where it lies"), remote.open(9, before):
        pass
    with pytest.raises(Changed, match="fewer"), remote.open(10**9, None):
        pass


def test_what_cannot_be_read(delivery: Path) -> None:
    for path in (delivery.with_name("y.zip"), delivery.parent, delivery / "x"):
        with pytest.raises(NothingFound), FileRemote(path.as_uri()).open(0, None):
            pass
    with pytest.raises(UsageError, match="host"):
        FileRemote("file://elsewhere/x.zip")


def test_full_disk_is_told_before_the_start(
    delivery: Path, work: Path, quick: TransferOptions
) -> None:
    greedy = replace(quick, margin_bytes=1 << 60)
    with pytest.raises(NoSpace, match="bytes free"):
        transfer(FileRemote(delivery.as_uri()), work, options=greedy)
    assert not list(work.glob("*.zip"))
