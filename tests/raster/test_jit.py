"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from alos2.raster import jit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture(autouse=True)
def read_only_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # A file cannot be a folder, even for root.
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "code" / "raster" / "jit.py"))
    (tmp_path / "code" / "raster").mkdir(parents=True)
    (tmp_path / "code" / "raster" / "__pycache__").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(jit.tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()


def test_a_chosen_folder_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/somewhere")
    assert jit.choose_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == "/somewhere"


def test_the_users_cache_folder_is_next(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert jit.choose_cache()
    assert Path(os.environ["NUMBA_CACHE_DIR"]).parent == tmp_path / ".cache/alos2"


def test_without_home_a_private_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert jit.choose_cache()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.parent == tmp_path / "tmp" / f"alos2-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700


def test_beside_the_code_comes_first_and_a_folder_is_of_one_state_of_the_kernels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code = tmp_path / "code" / "raster"
    (code / "__pycache__").unlink()
    folders = []
    for text in ("one", "two", "one"):
        (code / "somekernels.py").write_text(text)
        monkeypatch.setenv("NUMBA_CACHE_DIR", "")
        assert jit.choose_cache()
        folders.append(Path(os.environ["NUMBA_CACHE_DIR"]))
    assert {folder.parent for folder in folders} == {code / "__pycache__"}
    assert folders[0] == folders[2] != folders[1]


def test_a_folder_that_others_may_write_is_never_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    theirs = tmp_path / "tmp" / f"alos2-{os.getuid()}"
    theirs.mkdir()
    theirs.chmod(0o777)
    assert not jit.choose_cache()
    theirs.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    theirs.symlink_to(tmp_path / "elsewhere")
    assert not jit.choose_cache()
    assert os.environ["NUMBA_CACHE_DIR"] == ""


def test_kernels_work_where_nothing_can_be_kept() -> None:
    script = textwrap.dedent(
        """
        import importlib.util, sys
        import numpy as np
        from pathlib import Path
        import alos2
        path = Path(alos2.__file__).parent / "raster" / "jit.py"
        text = path.read_text().replace("_CACHED: Final = choose_cache()", "_CACHED: Final = False")
        assert "= False" in text
        spec = importlib.util.spec_from_loader("jit_without_cache", loader=None)
        module = importlib.util.module_from_spec(spec)
        exec(compile(text, str(path), "exec"), module.__dict__)
        @module.kernel
        def twice(x):
            return x + x
        print(int(twice(np.int64(21))))
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stderr


_KERNEL = """
import sys
import numpy as np
from alos2.raster.jit import kernel
@kernel
def twice(x):
    return x + x
{before}
print(int(twice(np.int64(21))))
"""


def _run(script: Path, text: str, cache: Path) -> subprocess.CompletedProcess[str]:
    script.write_text(text)
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    return subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, check=False
    )


def test_kernels_work_where_the_disk_is_full(tmp_path: Path) -> None:
    # A limit on the size of files stands for a full disk: the system's refusal is the same.
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (16, 16))"
    cache = tmp_path / "cache"
    done = _run(tmp_path / "k.py", _KERNEL.format(before=full), cache)
    assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stderr
    assert not [path for path in cache.rglob("*") if path.is_file()]


def test_a_damaged_cache_costs_a_compilation_only(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    text = _KERNEL.format(before="")
    assert _run(tmp_path / "k.py", text, cache).stdout.strip() == "42"
    kept = [path for path in cache.rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} == {".nbi", ".nbc"}
    for size in (0, 20):
        for path in kept:
            path.write_bytes(path.read_bytes()[:size])
        done = _run(tmp_path / "k.py", text, cache)
        assert (done.returncode, done.stdout.strip()) == (0, "42"), done.stderr
