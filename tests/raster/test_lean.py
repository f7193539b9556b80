"""rasterio is imported without boto3, and boto3 can be imported afterwards."""

from __future__ import annotations

import subprocess
import sys

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


def test_only_the_import_is_kept_apart() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout[0].isdigit()
