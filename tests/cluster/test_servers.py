"""The fixtures' own daemons: they end with the last process that holds them, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cluster.servers import gridengine, slurm

pytestmark = pytest.mark.slow

_HOLDER = """
import json, sys, time
from pathlib import Path
from cluster.servers.fixtures import _join
joined = _join(sys.argv[1], Path(sys.argv[2]))
assert not isinstance(joined, str), joined
print(json.dumps(joined[0]), flush=True)
time.sleep(60)
"""


def _holder(name: str, shared: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _HOLDER, name, str(shared)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


def _mentioning(word: str) -> list[str]:
    """Return the processes whose command or environment has a word in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            text = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if word.encode() in text and int(process.name) != os.getpid():
            found.append(process.name)
    return found


@pytest.mark.parametrize("server", [slurm, gridengine])
def test_daemons_jobs_and_folder_end_with_the_last_holder(server, tmp_path: Path) -> None:
    lacking = server.missing()
    if lacking is not None:
        pytest.skip(lacking)
    name = server.__name__.rpartition(".")[2]
    first, second = _holder(name, tmp_path), _holder(name, tmp_path)
    with first, second:
        assert first.stdout is not None
        assert second.stdout is not None
        environment = json.loads(first.stdout.readline())
        # The second one found what the first one had started, or the other way round.
        assert json.loads(second.stdout.readline()) == environment
        folder = Path(next(iter(environment.values())))
        folder = folder if folder.is_dir() else folder.parent
        submit = ["sbatch", "--wrap"] if name == "slurm" else ["qsub", "-b", "y", "-cwd"]
        (tmp_path / "job").write_text("#!/bin/sh\necho begun > begun\nsleep 300\n")
        (tmp_path / "job").chmod(0o755)
        subprocess.run(
            [*submit, str(tmp_path / "job")],
            env={**os.environ, **environment},
            cwd=tmp_path,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        end = time.monotonic() + 30
        while not (tmp_path / "begun").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
        first.wait()
        time.sleep(0.3)
        assert folder.is_dir()
        assert _mentioning(str(tmp_path / "job"))
        second.send_signal(signal.SIGKILL)
        second.wait()
    end = time.monotonic() + 20
    while folder.exists() or _mentioning(str(folder)) or _mentioning(str(tmp_path / "job")):
        assert time.monotonic() < end, (folder.exists(), _mentioning(str(folder)))
        time.sleep(0.1)
