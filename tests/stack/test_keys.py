from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from alos2.errors import BadDocument, NothingFound, UsageError
from alos2.stack.running.graph import Graph
from alos2.stack.running.keys import (
    SMALL_BYTES,
    canonical,
    difference,
    file_identity,
    key_of,
    made_from,
)
from alos2.stack.running.plainvalues import options_from, plain_options
from alos2.stack.running.room import machine_room
from alos2.stack.running.tasks import Task, divided, task_from


def test_a_key_knows_all_that_matters_and_no_order() -> None:
    one = made_from("ard", 1, {"a": 1, "b": [2.5]}, {"x": "1", "y": "2"}, {"t": "k"})
    same = made_from("ard", 1, {"b": [2.5], "a": 1}, {"y": "2", "x": "1"}, {"t": "k"})
    assert key_of(one) == key_of(same)
    others = [
        made_from("series", 1, one["parameters"], one["inputs"], one["needs"]),
        made_from("ard", 2, one["parameters"], one["inputs"], one["needs"]),
        made_from("ard", 1, {"a": 1, "b": [2.6]}, one["inputs"], one["needs"]),
        made_from("ard", 1, one["parameters"], {"x": "1", "y": "3"}, one["needs"]),
        made_from("ard", 1, one["parameters"], one["inputs"], {"t": "other"}),
    ]
    assert len({key_of(each) for each in [one, *others]}) == 6


def test_why_two_keys_differ_is_said() -> None:
    old = made_from("ard", 1, {"a": {"deep": 1}}, {"dem": "1"}, {"A/1": "k", "A/2": "k"})
    new = made_from("ard", 1, {"a": {"deep": 2}}, {"dem": "2"}, {"A/2": "l", "A/3": "k"})
    assert difference(old, new) == (
        "other a.deep; other input dem; new A/3; no longer A/1; made anew: A/2"
    )
    assert difference(old, made_from("ard", 2, {}, {}, {})) == "version 2 of the step"


def test_what_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(BadDocument, match="plain JSON"):
        canonical({"x": float("nan")})
    with pytest.raises(BadDocument, match="plain JSON"):
        canonical({"x": Path("a")})


def test_a_small_file_is_known_by_its_content_and_a_large_one_by_its_time(tmp_path: Path) -> None:
    small, large = tmp_path / "s.tif", tmp_path / "l.tif"
    small.write_bytes(b"one")
    before = file_identity(small)
    os.utime(small, ns=(1, 1))
    assert file_identity(small) == before
    small.write_bytes(b"two")
    assert file_identity(small) != before
    with large.open("wb") as file:
        file.truncate(SMALL_BYTES + 1)
    before = file_identity(large)
    os.utime(large, ns=(5, 5))
    assert file_identity(large) != before
    with pytest.raises(NothingFound, match="gone"):
        file_identity(tmp_path / "gone.tif")


def test_a_vrt_is_known_by_what_it_refers_to(tmp_path: Path) -> None:
    (tmp_path / "part.tif").write_bytes(b"1")
    vrt = tmp_path / "dem.vrt"
    vrt.write_text('<V><SourceFilename relativeToVRT="1">part.tif</SourceFilename></V>')
    before = file_identity(vrt)
    (tmp_path / "part.tif").write_bytes(b"2")
    assert file_identity(vrt) != before


@dataclass(frozen=True)
class _Inner:
    sigma: float = 0.9


@dataclass(frozen=True)
class _Options:
    names: tuple[str, ...] = ("HH",)
    pair: tuple[int, float] = (1, 2.0)
    inner: _Inner = field(default_factory=_Inner)
    path: Path | None = None
    fill: float = 0.0
    threads: int = 1


def test_options_become_plain_and_come_back() -> None:
    options = _Options(("HV",), (3, 4.5), _Inner(0.5), Path("/dem.tif"), threads=7)
    plain = plain_options(options)
    assert "threads" not in plain
    assert plain["inner"] == {"sigma": 0.5}
    assert options_from(_Options, plain, threads=7, memory_mb=3) == options
    assert plain_options(_Options(fill=float("nan")))["fill"] == "nan"
    with pytest.raises(BadDocument, match="_Options"):
        options_from(_Options, {"no_such": 1})


def test_tasks_come_after_what_they_need() -> None:
    late = Task("c", "s", needs=("a", "b"))
    graph = Graph([late, Task("b", "s", needs=("a",)), Task("a", "s"), Task("d", "t")])
    assert [task.id for task in graph] == ["a", "b", "c", "d"]
    assert [task.id for task in graph.wanted({"t"})] == ["d"]
    assert task_from(late.to_json()) == late


@pytest.mark.parametrize(
    ("tasks", "word"),
    [
        ([Task("a", "s"), Task("a", "s")], "two tasks write to a"),
        ([Task("a", "s", needs=("b",)), Task("b", "s", needs=("a",))], "needs"),
        ([Task("a", "s", needs=("b",))], "nothing makes"),
    ],
)
def test_what_cannot_be_ordered_is_refused(tasks: list[Task], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Graph(tasks)


def test_lines_are_divided_at_blocks() -> None:
    ranges = divided(1500, 1)
    assert [(r.start, r.stop) for r in ranges] == [(0, 512), (512, 1024), (1024, 1500)]
    assert divided(1500, 3) == [range(1500)]


@pytest.mark.parametrize("version", [1, 2])
def test_a_control_group_limits_cores_and_memory(tmp_path: Path, version: int) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9\nMemAvailable: 8192000 kB\n")
    assert machine_room(root=tmp_path).memory_mb == int(0.6 * 8000)
    if version == 2:
        group = tmp_path / "sys/fs/cgroup/batch"
        (tmp_path / "proc/self/cgroup").write_text("0::/batch/job\n")
        (group / "job").mkdir(parents=True)
        (group / "memory.max").write_text(f"{2000 << 20}\n")
        (group / "memory.current").write_text(f"{1200 << 20}\n")
        (group / "memory.stat").write_text(f"anon 1\nfile {200 << 20}\n")
        (group / "job/memory.max").write_text("max\n")
        (group / "cpu.max").write_text("100000 100000\n")
    else:
        (tmp_path / "proc/self/cgroup").write_text("4:cpu,cpuacct:/j\n9:memory:/j\n")
        group = tmp_path / "sys/fs/cgroup/memory/j"
        group.mkdir(parents=True)
        (group / "memory.limit_in_bytes").write_text(f"{2000 << 20}\n")
        (group / "memory.usage_in_bytes").write_text(f"{1000 << 20}\n")
        cpu = tmp_path / "sys/fs/cgroup/cpu,cpuacct/j"
        cpu.mkdir(parents=True)
        (cpu / "cpu.cfs_quota_us").write_text("50000")
        (cpu / "cpu.cfs_period_us").write_text("100000")
    room = machine_room(root=tmp_path)
    assert (room.cores, room.memory_mb) == (1, 600)
    assert machine_room(3, 5000, root=tmp_path).at_once(2000) == 2
