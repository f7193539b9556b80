"""Settings where there is no home: a container job runs as any user."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest

from alos2.cli.settings import config_file, ingest_options, load
from alos2.errors import UsageError


def test_a_user_whom_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(uid: int) -> object:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert config_file() is None
    assert load().archive is None


def test_flag_environment_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "alos2.toml"
    config.write_text('archive = "from-file"\nmin_overlap = 0.5\nlimit_depth = 2\n')
    monkeypatch.setenv("ALOS2_CONFIG", str(config))
    options = ingest_options(load(), out=None)
    assert options.out == Path("from-file")
    assert options.footprint_options.min_overlap == 0.5
    assert options.limits.depth == 2
    monkeypatch.setenv("ALOS2_ARCHIVE", "from-environment")
    assert ingest_options(load(), out=None).out == Path("from-environment")
    assert ingest_options(load(), out=Path("flag")).out == Path("flag")
    (tmp_path / "_context.json").write_text("{}")
    assert ingest_options(load(), out=Path("flag")).out == tmp_path


@pytest.mark.parametrize("content", ["archive = ", "nothing = 1\n", "min_overlap = 2\n"])
def test_a_bad_file_is_a_usage_error(
    content: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "alos2.toml"
    config.write_text(content)
    monkeypatch.setenv("ALOS2_CONFIG", str(config))
    with pytest.raises(UsageError, match=r"alos2\.toml"):
        load()
