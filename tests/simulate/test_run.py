"""The same spec gives the same bytes, in little memory, or nothing at all."""

from __future__ import annotations

import errno
import hashlib
import io
import subprocess
import sys
import zipfile
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import NoSpace, UsageError
from alos2.simulate import SimulationSpec, Terrain, simulate
from alos2.simulate import run as run_module
from simulate.products import Maker


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    "given",
    [
        {"level": "1.1", "mode": "WBS", "pixels": 90, "lines": 100},
        {"level": "1.5", "zip": "auig2", "pixels": 130, "lines": 170},
        {"level": "2.1", "format": "geotiff", "pixels": 130, "lines": 170, "height_m": 100.0},
        {"level": "1.1", "format": "geotiff", "pixels": 130, "lines": 170},
        {"level": "1.1", "pixels": 70, "lines": 70, "terrain": Terrain("hills", 90.0, 600.0)},
        {"level": "2.1", "pixels": 70, "lines": 70, "terrain": Terrain("ridge", 90.0, 600.0)},
    ],
    ids=str,
)
def test_same_seed_same_bytes_whatever_the_strips(given: dict[str, Any], tmp_path: Path) -> None:
    spec = SimulationSpec(seed=77, **given)
    simulate(spec, tmp_path / "whole")
    simulate(spec, tmp_path / "sevens", strip_lines=7)
    simulate(SimulationSpec(seed=78, **given), tmp_path / "other")
    first = digests(tmp_path / "whole")
    assert first == digests(tmp_path / "sevens")
    other = digests(tmp_path / "other")
    images = [name for name in first if "IMG-" in name]
    assert images
    assert all(first[name] != other[name] for name in images)


def test_delivery_of_auig2_is_a_zip_in_a_zip(make: Maker) -> None:
    made = make(level="1.5", zip="auig2", pixels=100, lines=100, seed=22708)
    archive = made.result.archive
    assert archive is not None
    assert archive.name == "0000022708.zip"
    with zipfile.ZipFile(archive) as outer:
        (inner_name,) = outer.namelist()
        assert inner_name == f"0000022708_001001_{made.truth['scene']}.zip"
        with zipfile.ZipFile(io.BytesIO(outer.read(inner_name))) as inner:
            assert inner.testzip() is None
            assert sorted(inner.namelist()) == sorted(p.name for p in made.folder.iterdir())
            for name in inner.namelist():
                assert inner.read(name) == (made.folder / name).read_bytes()


def test_truth_lies_beside_the_product_never_in_it(make: Maker) -> None:
    made = make(level="1.1", pixels=100, lines=100)
    assert made.result.truth_path.parent == made.folder.parent
    assert made.result.truth_path.name == f"{made.folder.name}.truth.json"
    assert not list(made.folder.glob("*.json"))
    assert made.truth["seed"] == made.truth["spec"]["seed"] == 5
    assert made.truth["files"] == sorted(path.name for path in made.folder.iterdir())


def test_an_existing_product_is_left_alone(tmp_path: Path) -> None:
    spec = SimulationSpec(pixels=64, lines=64)
    made = simulate(spec, tmp_path)
    before = digests(tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        simulate(spec, tmp_path)
    assert digests(tmp_path) == before
    assert made.product_dir.is_dir()


def test_nothing_half_made_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object) -> str:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(run_module, "kml_text", fails)
    with pytest.raises(RuntimeError, match="in the middle"):
        simulate(SimulationSpec(pixels=64, lines=64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(run_module.shutil, "disk_usage", lambda _: usage(1, 1, 1000))
    with pytest.raises(NoSpace, match="needs"):
        simulate(SimulationSpec(pixels=64, lines=64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_is_said_and_cleaned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(run_module, "kml_text", full)
    with pytest.raises(NoSpace):
        simulate(SimulationSpec(pixels=64, lines=64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_out_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine", encoding="ascii")
    with pytest.raises(UsageError, match="is no folder"):
        simulate(SimulationSpec(pixels=64, lines=64), tmp_path / "file")
    assert (tmp_path / "file").read_text(encoding="ascii") == "mine"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"lat_deg": 89.0}, "latitude 89 is not seen"),
        ({"level": "1.5", "lat_deg": 84.5, "off_nadir_deg": 40.0}, "projection U is for latitudes"),
        ({"level": "1.5", "projection": "P", "lat_deg": 10.0}, "projection P is for latitudes"),
        ({"mode": "WBD", "pixels": 30_000, "lines": 64}, "does not fit the orbit"),
        ({"lines": 900_000, "mode": "VBS", "pixels": 64}, "take more than 240 s"),
    ],
)
def test_what_cannot_be_seen_is_refused(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        simulate(SimulationSpec(**given), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_progress_ends_at_all_lines(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    spec = SimulationSpec(pixels=64, lines=100)
    simulate(spec, tmp_path, strip_lines=30, progress=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (200, 200)  # two polarisations
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_image(tmp_path: Path) -> None:
    status = Path("/proc/self/status")  # its high-water mark starts anew with a program
    if not status.exists() or "VmHWM" not in status.read_text(encoding="ascii"):
        pytest.skip("this system does not tell the peak memory of one program")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from alos2.simulate import SimulationSpec, simulate\n"
        "spec = SimulationSpec(mode='FBS', pixels=10000, lines=int(sys.argv[1]))\n"
        "simulate(spec, Path(sys.argv[2]))\n"
        "lines = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))\n"
    )
    peaks = []
    for lines in (300, 3000):
        out = tmp_path / str(lines)
        done = subprocess.run(
            [sys.executable, "-c", program, str(lines), str(out)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        peaks.append(int(done.stdout) / 1024.0)
        sizes = [path.stat().st_size for path in out.rglob("IMG-*")]
        assert sizes == [720 + lines * (544 + 80_000)]
    assert peaks[1] < 320.0  # MiB; the image has 230 of them
    assert peaks[1] - peaks[0] < 40.0
