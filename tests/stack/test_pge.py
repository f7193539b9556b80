"""The parameters of the PGE of stacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from alos2.errors import NothingFound, UsageError
from alos2.stack.jobparameters import config_from


def test_parameters_win_over_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "stack.toml"
    file.write_text('[stack]\narea = [1, 2, 3, 4]\nwork_dir = "x"\n[search]\npath = [1]\n')
    given = {
        "config": str(file),
        "area": "10,20,30,40",
        "archive": str(tmp_path),
        "path": "126, 127",
        "frame": "0680",
        "date": "2020-01-01/2020-02-01",
        "dem": str(tmp_path / "dem.tif"),
    }
    config = config_from(given, tmp_path / "work")
    assert config.stack.area == (10.0, 20.0, 30.0, 40.0)
    assert config.stack.work_dir == tmp_path / "work"
    assert (config.search.path, config.search.frame) == ((126, 127), ("0680",))
    assert config.single_ard.dem.path == tmp_path / "dem.tif"
    alone = config_from({**given, "config": "", "area": "POINT (1 2)"}, tmp_path / "work")
    assert alone.stack.area == "POINT (1 2)"


@pytest.mark.parametrize(
    ("given", "error", "word"),
    [
        ({"config": "a = = b"}, UsageError, "not TOML"),
        ({"config": "/none/such.toml"}, NothingFound, "cannot be read"),
        ({"path": "abc"}, UsageError, "is no number"),
        ({"config": "stack = 3"}, UsageError, "no table"),
    ],
)
def test_what_a_job_cannot_mean_is_refused(
    given: dict[str, str], error: type[Exception], word: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=word):
        config_from({"archive": str(tmp_path), **given}, tmp_path / "work")
