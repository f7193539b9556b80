"""What rasterio and numba look for is not imported with them, and can be imported afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alos2.raster.hiding import hidden

CODE = """
import sys
from alos2.raster.lean import rasterio
import rasterio.session
assert rasterio.session.boto3 is None
assert "boto3" not in sys.modules
import boto3
assert boto3.session is not None
print(rasterio.__version__)
"""


KERNELS = """
import sys
import numpy as np
from alos2.raster.jit import kernel
@kernel
def twice(x):
    return x + x
assert twice(np.int64(21)) == 42
assert not [name for name in sys.modules if name.partition(".")[0] == "scipy"]
try:
    import scipy.linalg
except ModuleNotFoundError as error:
    assert error.name == "scipy", error  # it really is not installed
print(2)
"""


@pytest.mark.parametrize("code", [CODE, KERNELS], ids=["rasterio", "numba"])
def test_only_the_import_is_kept_apart(code: str, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(code)  # numba wants a file to keep what it compiles
    done = subprocess.run(
        [sys.executable, str(tmp_path / "code.py")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout[0].isdigit()


def test_what_is_there_already_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with hidden("subprocess", importer="a module that is not there"):
        assert sys.modules["subprocess"] is subprocess
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with hidden("colorsys", importer="subprocess"):  # which has what it wanted
        assert "colorsys" not in sys.modules
    with (
        pytest.raises(ModuleNotFoundError),
        hidden("colorsys", importer="a module that is not there"),
    ):
        import colorsys  # noqa: PLC0415, F401
    assert "colorsys" not in sys.modules
