"""The state of a scan: one writer, readers at any time, and files that are not ours."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from alos2.archive.filesystem import suited_journal
from alos2.errors import NoResource, NothingFound, UsageError
from alos2.scan.report import failures
from alos2.scan.state import NAME, copied, reading, writing

HOLD = """
import sys, time
from pathlib import Path
from alos2.scan.report import failures
from alos2.scan.state import writing
with writing(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""
ROWS = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO units (place, dataset_id, scene, product, level, codes, size, newest_ns, seen_ns,
      fingerprint, in_zip, state, error_class)
    SELECT i, 'ALOS2' || i || '-md', '', '', '1.1', '', 1, 1, 1, x'00', 0,
      CASE i % 10 WHEN 0 THEN 'failed' WHEN 1 THEN 'incomplete' ELSE 'done' END,
      CASE i % 10 WHEN 0 THEN 'BadProduct' END FROM n
"""


def test_another_scan_is_named_and_its_lock_dies_with_it(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(NoResource, match=f"process {other.pid} on {socket.gethostname()}"):
            writing(tmp_path / "state").__enter__()
        with reading(tmp_path / "state") as state:
            assert state.counts()["done"] == 0
        other.kill()
        other.wait()
        with writing(tmp_path / "state") as state:
            assert state.fact("place") == f"{socket.gethostname()}:{tmp_path / 'state'}"
    assert not (tmp_path / "state" / "holder.json").exists()


def test_a_new_state_needs_no_catalogue(tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from alos2.scan.state import writing\n"
    program += "with writing(Path(sys.argv[1])): pass\n"
    program += "print([n for n in sys.modules if n.startswith(('alos2.catalogue', 'numpy'))])"
    command = [sys.executable, "-c", program, str(tmp_path)]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ended.stdout == "[]\n"


def test_the_journal_suits_the_disk(tmp_path: Path) -> None:
    with writing(tmp_path) as state:
        assert state.one("PRAGMA journal_mode") == suited_journal(tmp_path)


def test_all_of_a_transaction_or_nothing(tmp_path: Path) -> None:
    with writing(tmp_path) as state:
        with pytest.raises(sqlite3.OperationalError), state.transaction() as db:  # noqa: PT012
            state.remember("a", "1")
            db.execute("INSERT INTO nowhere VALUES (1)")
        assert state.fact("a") is None
        with state.transaction():
            state.remember("a", "2")
        assert state.fact("a") == "2"


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="no state"):
        reading(tmp_path).__enter__()


def test_a_newer_version_is_refused(tmp_path: Path) -> None:
    with writing(tmp_path) as state:
        state.db.execute("PRAGMA user_version = 2")
    for way in (writing, reading):
        with pytest.raises(UsageError, match=r"version 2.*up to 1"):
            way(tmp_path).__enter__()


def test_another_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / NAME) as db:
        db.execute("CREATE TABLE other (a)")
    db.close()
    with pytest.raises(NoResource, match="not the state of a scan"):
        writing(tmp_path).__enter__()


@pytest.mark.parametrize("damage", ["text", "middle"])
def test_a_damaged_file_is_refused_with_what_to_do(tmp_path: Path, damage: str) -> None:
    with writing(tmp_path) as state:
        state.db.execute(ROWS, (2000,))
    path = tmp_path / NAME
    if damage == "text":
        path.write_text("this is no database, but a text that is long enough " * 20)
    else:
        data = bytearray(path.read_bytes())
        data[4096 : len(data) // 2] = os.urandom(len(data) // 2 - 4096)
        path.write_bytes(data)
    with pytest.raises(NoResource) as caught, writing(tmp_path) as state:  # noqa: PT012
        state.counts()
        state.db.execute("SELECT sum(length(dataset_id)) FROM units NOT INDEXED").fetchone()
    assert "damaged" in caught.value.message
    assert "move the file away and scan again" in caught.value.hint


def test_what_is_done_to_a_copy_changes_nothing(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with copied(tmp_path / "none", scratch) as state:
        assert sum(state.counts().values()) == 0
    assert not (tmp_path / "none").exists()
    shutil.rmtree(scratch)
    scratch.mkdir()
    with writing(tmp_path / "state") as state:
        state.db.execute(ROWS, (20,))
        with copied(tmp_path / "state", scratch) as copy:
            copy.db.execute("DELETE FROM units")
        assert state.counts()["done"] == 16


def test_counting_reads_an_index_only(tmp_path: Path) -> None:
    with writing(tmp_path) as state:
        state.db.execute(ROWS, (20_000,))
        counts = state.counts()
        assert (counts["done"], counts["failed"], counts["incomplete"]) == (16_000, 2000, 2000)
        errors = "SELECT error_class, count(*), min(id) FROM units INDEXED BY units_error "
        errors += "WHERE state = 'failed' GROUP BY 1"
        for statement in ("SELECT state, count(*) FROM units GROUP BY state", errors):
            (step,) = [row[3] for row in state.db.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert "USING COVERING INDEX units_" in step
        (group,) = failures(state)
        assert (group.error_class, group.count) == ("BadProduct", 2000)
