"""Transfers over loopback beside curl and aria2c: one file of 2 GB, and four of 500 MB at once.

Ours hashes all bytes (SHA-256), keeps checkpoints and forces the file to the disk before it gets
its name; the peers do none of that. So each peer has two rows: as it is, and followed by a sync of
what it wrote. The server is one process that sends with ``sendfile``, the same for all.
"""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "pge"))

from _bench import Case, Row, alone, compare, note, parse_arguments, show

MB = 1_000_000
_MEMBER = b"IMG-HH"


def make_zip(path: Path, size: int) -> None:
    """Write a zip of about `size` bytes with one stored member that does not compress."""
    block = os.urandom(MB)
    count = size // MB
    crc = 0
    with path.open("wb") as file:
        file.write(bytes(30) + _MEMBER)
        for _ in range(count):
            file.write(block)
            crc = zlib.crc32(block, crc)
        length = count * MB
        fixed = (20, 0, 0, 0, 33, crc, length, length, len(_MEMBER), 0)
        start = file.tell()
        central = struct.pack("<4s2x5H3I2H", b"PK\x01\x02", *fixed)
        file.write(central + struct.pack("<3H2I", 0, 0, 0, 0, 0) + _MEMBER)
        end = (0, 0, 1, 1, file.tell() - start, start, 0)
        file.write(struct.pack("<4s4H2IH", b"PK\x05\x06", *end))
        file.seek(0)
        file.write(struct.pack("<4s5H3I2H", b"PK\x03\x04", *fixed))


def _serve(path: str, pipe: Connection) -> None:
    """Answer every GET with the file or the rest of it, for ever."""
    size = Path(path).stat().st_size
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    pipe.send(listening.getsockname()[1])

    def answer(client: socket.socket) -> None:
        with client, Path(path).open("rb") as file:
            asked = client.recv(1 << 16)
            ranged = asked.lower().partition(b"range: bytes=")[2]
            start = int(ranged.partition(b"-")[0]) if ranged else 0
            head = (
                f"HTTP/1.1 {'206 Partial Content' if ranged else '200 OK'}\r\n"
                f"Content-Length: {size - start}\r\nContent-Type: application/zip\r\n"
                f'ETag: "one"\r\nAccept-Ranges: bytes\r\nConnection: close\r\n'
            )
            if ranged:
                head += f"Content-Range: bytes {start}-{size - 1}/{size}\r\n"
            try:
                if asked.startswith(b"HEAD"):
                    start = size
                client.sendall(head.encode() + b"\r\n")
                while start < size:
                    start += os.sendfile(client.fileno(), file.fileno(), start, size - start)
            except OSError:
                return

    while True:
        client, _ = listening.accept()
        threading.Thread(target=answer, args=(client,), daemon=True).start()


@contextmanager
def served(path: Path) -> Iterator[str]:
    """Serve `path` from a process of its own; give the base of its URLs."""
    context = get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(str(path), there), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        process.kill()
        process.join()


def fresh(*given: object) -> None:
    """Empty the folder for the files that come: the second argument of every case."""
    out = str(given[1])
    shutil.rmtree(out, ignore_errors=True)
    Path(out).mkdir()


def warm(*given: object) -> None:
    """Import what ours needs, outside of the clock; `fresh` too."""
    import alos2.sources.http  # noqa: F401, PLC0415

    fresh(*given)


def names(count: int) -> list[str]:
    return [f"{number}.zip" for number in range(count)]


def ours(base: str, out: str, count: int) -> None:
    from alos2.sources import Fetched  # noqa: PLC0415
    from alos2.sources.http import HttpRemote  # noqa: PLC0415
    from alos2.sources.model import TransferOptions  # noqa: PLC0415
    from alos2.sources.session import new_session  # noqa: PLC0415
    from alos2.sources.transfer import Wanted, transfer, transfer_all  # noqa: PLC0415

    options = TransferOptions(margin_bytes=0)
    with new_session(options) as session:
        remotes = [HttpRemote(f"{base}/{name}", session, options=options) for name in names(count)]
        if count == 1:
            transfer(remotes[0], Path(out), options=options)
            return
        wanted = [Wanted(remote, None, Path(out)) for remote in remotes]
        for _, got in transfer_all(wanted, at_once=count, per_host=count, options=options):
            if not isinstance(got, Fetched):
                raise got


def curl(base: str, out: str, count: int, sync: bool) -> None:
    command = ["curl", "-sS", "--fail"] + (["-Z", "--parallel-max", str(count)] * (count > 1))
    for name in names(count):
        command += ["-o", f"{out}/{name}", f"{base}/{name}"]
    _run(command, out, sync)


def aria2c(base: str, out: str, count: int, sync: bool) -> None:
    urls = [f"{base}/{name}" for name in names(count)]
    flags = ["-q", "-d", out, "-j", str(count), "-x1", "-s1", "--file-allocation=none"]
    _run(["aria2c", *flags, "-Z", *urls], out, sync)


def _run(command: list[str], out: str, sync: bool) -> None:
    # curl draws a meter for several files even where it is told to be silent.
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    if sync:
        for path in Path(out).iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _peers(base: str, out: str, count: int) -> dict[str, Case]:
    programs: dict[str, Callable[..., None]] = {"curl": curl, "aria2c": aria2c}
    peers = {}
    for name, run in programs.items():
        if shutil.which(name) is None:
            note(f"{name} is not installed: its rows are left out (apt install {name.rstrip('c')})")
            continue
        peers[name] = Case(run, (base, out, count, False), fresh)
        peers[f"{name}, then fsync"] = Case(run, (base, out, count, True), fresh)
    return peers


def rows(size: int, runs: int, folder: Path) -> Iterator[Row]:
    """Measure one file, and four at once."""
    source = folder / "source.zip"
    out = str(folder / "out")
    for count, name in ((1, "one file"), (4, "four at once")):
        make_zip(source, size // count)
        with served(source) as base:
            peers = _peers(base, out, count)
            case = Case(ours, (base, out, count), warm)
            total = f"{count} x {size / count / MB:g} MB"
            if peers:
                yield from compare(name, total, case, peers, runs=runs)
            else:
                yield alone(name, total, case, runs=runs)


def main() -> None:
    chosen = parse_arguments(__doc__.partition("\n")[0])
    if sys.platform == "win32" or not hasattr(os, "sendfile"):
        note("there is no sendfile here, so nothing is measured")
        return
    size, runs = (100 * MB, 3) if chosen.quick else (2000 * MB, 5)
    with tempfile.TemporaryDirectory(prefix="alos2-bench-") as folder:
        show(rows(size, chosen.runs or runs, Path(folder)), as_json=chosen.json)


if __name__ == "__main__":
    main()
