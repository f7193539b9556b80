"""What a look at a delivery does not load: most of its time from nothing would be imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HEAVY = {
    "PIL", "bs4", "jsonschema", "numba", "pydantic", "pydantic_settings", "pyproj", "pystac",
    "rasterio", "requests", "rich", "shapely", "urllib3",
}  # fmt: skip

PROGRAM = """
import json, sys
from alos2.cli import main
try:
    main(sys.argv[1:])
except SystemExit as leave:
    code = leave.code
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


def loaded_by(*arguments: str) -> set[str]:
    command = [sys.executable, "-c", PROGRAM, *arguments]
    ended = subprocess.run(command, check=True, capture_output=True, text=True)
    code, modules = json.loads(ended.stdout.splitlines()[-1])
    assert code in (0, None)
    return set(modules)


def test_info_of_a_ceos_zip_loads_no_heavy_library(deliveries: Any) -> None:
    assert loaded_by("info", str(deliveries.slc), "--json") & HEAVY == set()


def test_info_of_a_geotiff_loads_only_what_knows_projections(deliveries: Any) -> None:
    assert loaded_by("info", str(deliveries.geotiff), "--json") & HEAVY <= {"pyproj"}


@pytest.mark.parametrize("kind", ["slc", "geotiff"])
def test_an_ingest_from_this_disk_loads_nothing_for_the_web(
    deliveries: Any, tmp_path: Path, kind: str
) -> None:
    loaded = loaded_by(
        "ingest", str(getattr(deliveries, kind)), "--out", str(tmp_path), "--no-tiles"
    )
    assert loaded >= {"pydantic", "rasterio"}
    assert loaded & {"boto3", "bs4", "requests", "scipy", "soupsieve", "urllib3"} == set()
    assert ("numba" in loaded) == (kind == "slc")  # to average what is in slant range
    assert len(list(tmp_path.glob("ALOS2*"))) == 1


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("ingest", "--help")])
def test_help_loads_not_even_numpy(arguments: tuple[str, ...]) -> None:
    assert loaded_by(*arguments) & (HEAVY | {"numpy"}) == set()
