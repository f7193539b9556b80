"""Unpacking a delivery: ours (checked, hashed, synced) beside zipfile and unzip.

Ours also makes the SHA-256 of every file and syncs it to the disk; the peers do neither. One row
gives zipfile the hashing that an ingest needs, as a second pass over the files.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Case, Row, compare, note, parse_arguments, show
from alos2.archive.unpack import unpack

MB = 1_000_000


def slc(count: int, seed: int) -> bytes:
    """Level 1.1: complex speckle, 32-bit floats as the processor leaves them, big-endian."""
    values = np.random.default_rng(seed).normal(0.0, 300.0, count // 4)
    return values.astype(">f4").tobytes()


def detected(count: int, seed: int) -> bytes:
    """Levels 1.5 to 3.1: amplitude speckle of a scene whose backscatter varies, no-data aside."""
    source = np.random.default_rng(seed)
    lines = count // 2 // 2000
    scene = np.repeat(source.uniform(500, 4000, (lines // 100 + 1, 20)), 100, axis=0)[:lines]
    values = source.rayleigh(1.0, (lines, 2000)) * np.repeat(scene, 100, axis=1)
    return values.clip(0, 65535).astype(">u2").tobytes()


def with_no_data(count: int, seed: int) -> bytes:
    """Make a geocoded scene: a third of it is zeros."""
    data = bytearray(detected(count, seed))
    data[: count // 6] = bytes(count // 6)
    data[-(count // 6) :] = bytes(count // 6)
    return bytes(data)


def write_delivery(path: Path, images: list[bytes]) -> int:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("summary.txt", "Odi_SceneId=\r\n" * 100)
        archive.writestr("LED-x.1", bytes(1_600_000))
        for number, data in enumerate(images):
            archive.writestr(f"IMG-H{'HV'[number]}-x.1", data)
    return sum(map(len, images))


def clear(_archive: Path, out: Path) -> None:
    shutil.rmtree(out, ignore_errors=True)


def with_ours(archive: Path, out: Path) -> None:
    unpack(archive, out)


def with_zipfile(archive: Path, out: Path) -> None:
    with zipfile.ZipFile(archive) as source:
        source.extractall(out)


def with_zipfile_and_hash(archive: Path, out: Path) -> None:
    with_zipfile(archive, out)
    for path in out.iterdir():
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(MB):
                digest.update(data)


def with_unzip(archive: Path, out: Path) -> None:
    subprocess.run(["unzip", "-q", str(archive), "-d", str(out)], check=True)


def rows(folder: Path, *, quick: bool, runs: int) -> Iterator[Row]:
    size = (6 if quick else 200) * MB
    peers = {
        "zipfile.extractall": with_zipfile,
        "zipfile.extractall, then SHA-256": with_zipfile_and_hash,
    }
    if shutil.which("unzip"):
        peers["unzip"] = with_unzip
    else:
        note("unzip is not installed (Debian package unzip): its rows are left out")
    for name, make, count in (
        ("SLC float, 2 images", slc, 2),
        ("detected uint16, 2 images", detected, 2),
        ("uint16, 1/3 no-data, 2 im.", with_no_data, 2),
        ("SLC float, 1 image", slc, 1),
    ):
        archive, out = folder / "delivery.zip", folder / "out"
        total = write_delivery(archive, [make(size, seed) for seed in range(count)])
        yield from compare(
            name,
            f"{total / MB:.0f} MB",
            Case(with_ours, (archive, out), clear),
            {peer: Case(run, (archive, out), clear) for peer, run in peers.items()},
            runs=runs,
        )


def main() -> None:
    arguments = parse_arguments((__doc__ or "").splitlines()[0])
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder), quick=arguments.quick, runs=arguments.runs or 5)
        show(found, as_json=arguments.json)


if __name__ == "__main__":
    main()
