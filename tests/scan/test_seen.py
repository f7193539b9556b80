"""The marks: paging through them, sets of ids, sharing of work between walkers."""

from __future__ import annotations

import io
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alos2.scan import wire
from alos2.scan.crew import Crew, Order, hired
from alos2.scan.seen import SCHEMA, Bits, Known, Seen, below
from alos2.scan.walk import Found
from alos2.scan.walker import Walker

IMAGE = "IMG-HH-ALOS2015976960-140909-UBSR1.1__A"


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "state.sqlite", isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        yield made


def found(path: str, digest: bytes = b"d", place_id: int = 0) -> Found:
    return Found(path, place_id, digest, (), "")


@given(st.sets(st.integers(0, 5000)), st.sets(st.integers(0, 5000)))
def test_bits_are_a_set_of_numbers(some: set[int], others: set[int]) -> None:
    bits, more = Bits(), Bits()
    for number in some:
        bits.add(number)
    for number in others:
        more.add(number)
    bits.update(more.as_bytes())
    assert {number for number in range(6000) if number in bits} == some | others


def test_a_million_ids_take_an_eighth_of_a_megabyte() -> None:
    bits = Bits()
    for number in (1, 999_999):
        bits.add(number)
    assert len(bits.as_bytes()) <= 2 * 125_000


PATHS = st.lists(
    st.lists(st.sampled_from([b"a", b"a-b", b"a b", b"\xff", b"z"]), min_size=1, max_size=4).map(
        lambda parts: b"/" + b"/".join(parts)
    ),
    unique=True,
)


@given(known=PATHS, asked=PATHS)
@settings(deadline=None)
def test_pages_answer_as_the_table_does(
    tmp_path_factory: pytest.TempPathFactory, known: list[bytes], asked: list[bytes]
) -> None:
    path = tmp_path_factory.mktemp("state") / "a b?.sqlite"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA)
        db.executemany("INSERT INTO places(path, digest) VALUES (?, ?)", [(p, p) for p in known])
        db.commit()
        marks = Known(path, page_rows=3)
        for one in [*known, *asked, *known]:
            answer = marks.get(one)
            assert (answer is not None) == (one in known)
            assert answer is None or answer[1] == one
            first, end = below(one)
            nested = [p for p in known if first <= p < end]
            assert all(p.startswith(one + b"/") for p in nested)
            assert marks.any_at(one) == (one in known or bool(nested))
            deeper = [p for p in nested if b"/" in p[len(first) :]]
            assert marks.any_below(one) == bool(deeper)
        marks.close()


def test_marks_are_found_again_under_their_ids(db: sqlite3.Connection, tmp_path: Path) -> None:
    seen = Seen(db)
    many = [f"/d/{number:04d}" for number in range(500)] + ["/d/\udce9\n"]
    db.execute("BEGIN")
    ids = seen.mark([found(path) for path in many])
    db.execute("COMMIT")
    assert len(set(ids)) == len(many)
    known = Known(tmp_path / "state.sqlite")
    by_bytes = {os.fsencode(path): place for path, place in zip(many, ids, strict=True)}
    assert {path: known.get(path) for path in by_bytes} == {
        path: (place, b"d") for path, place in by_bytes.items()
    }
    known.close()


def test_a_place_is_marked_once_whatever_the_walk_knew(db: sqlite3.Connection) -> None:
    (first,) = Seen(db).mark([found("/a", b"1")])
    again = Seen(db)
    assert again.mark([found("/a", b"2"), found("/b")]) == [first, first + 1]
    assert again.mark([found("/a", b"3", place_id=first)]) == [first]
    assert db.execute("SELECT digest FROM places WHERE path = ?", (b"/a",)).fetchall() == [(b"3",)]
    again.forget([first])
    assert Seen(db).mark([found("/a")]) != [first]


def test_a_state_without_marks_knows_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "state.sqlite"
    sqlite3.connect(empty).close()
    for path in (None, empty, tmp_path / "none.sqlite"):
        known = Known(path)
        assert known.get(b"/a") is None
        assert known.inode(b"/a") is None
        assert not known.any_at(b"/a")
        assert not known.any_below(b"/a")
        known.close()


def messages(pipe: io.BytesIO) -> list[tuple[Any, ...]]:
    pipe.seek(0)
    read = []
    while pipe.tell() < len(pipe.getvalue()):
        read.append(wire.receive(pipe))
    return read


def test_a_walker_that_is_asked_gives_half_of_what_lies_before_it(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"s{number}" / "below").mkdir(parents=True)
        (tmp_path / f"s{number}" / "below" / IMAGE).touch()
    pipe = io.BytesIO()
    walker = Walker(pipe, None, (), 0)
    walker.asked.set()
    walker.walk([str(tmp_path).encode()])
    said = messages(pipe)
    (spare,) = (values[0] for word, *values in said if word == wire.SPARE)
    assert [path[-2:] for path in spare] == [b"s5", b"s6", b"s7", b"s8"]
    assert said[-1] == (wire.IDLE,)
    walker.walk(spare)
    items = [item for word, *values in messages(pipe) if word == wire.ITEMS for item in values[0]]
    assert len(items) == walker.files == 9
    assert len({item[1] for item in items}) == 9, "none is lost and none comes twice"


def test_a_deep_tree_is_walked_by_all_and_each_folder_once(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(60):
        folder = folder / "down"
        for side in "abcdefgh":
            (folder / side).mkdir(parents=True)
            (folder / side / IMAGE).touch()
    with hired(3) as hands, Crew(hands, Order(None, (), 0)) as crew:
        items = list(crew.walk([str(tmp_path).encode()]))
        crew.dismiss()
    assert len(items) == len({item[1] for item in items}) == 60 * 8
    assert (crew.folders, crew.files) == (60 * 9 + 1, 60 * 8)


def test_a_message_that_was_cut_off_is_the_end(tmp_path: Path) -> None:
    pipe = io.BytesIO()
    wire.send(pipe, "word", [b"\xff", -1, "\udce9"], 1 << 80)
    whole = pipe.getvalue()
    assert wire.receive(io.BytesIO(whole)) == ("word", [b"\xff", -1, "\udce9"], 1 << 80)
    for end in (0, 3, 8, len(whole) - 1):
        with pytest.raises(EOFError):
            wire.receive(io.BytesIO(whole[:end]))
