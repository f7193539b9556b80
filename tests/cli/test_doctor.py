"""``alos2 doctor`` as a person runs it, and the rooms that know programs and kernels."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from alos2.cli import main
from alos2.errors import LoginFailed
from alos2.jobs.doctor import isce2_checks, numba_checks
from alos2.sources.doctor import Check, login_check
from alos2.sources.portals import registry
from alos2.sources.portals.registry import PortalSetting


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["doctor", *arguments])
    return int(left.value.code or 0)


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("alos2.sources.doctorlocal.DISK_NEEDS", dict.fromkeys(
        ("archive", "cache", "temporary"), 0.0,
    ))  # fmt: skip


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """The command sets up logging and SIGTERM for a whole process; here there are tests after."""
    root, ours = logging.getLogger(), logging.getLogger("alos2")
    before = [(logger, logger.handlers[:], logger.level) for logger in (root, ours)]
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)
    for logger, handlers, level in before:
        logger.handlers[:] = handlers
        logger.setLevel(level)


class Cave:
    """A portal without a network, that counts its logins."""

    name = "cave"
    title = "A cave"
    experimental = True
    profiles: Mapping[str, object] = {}
    logins = 0
    closed = 0

    def __init__(self, setting: PortalSetting) -> None:
        self.credential = setting.credential

    def checks(self) -> Iterator[Check]:
        def log_in() -> None:
            type(self).logins += 1
            if self.credential != "good":
                raise LoginFailed("refused", hint="mend it")

        yield login_check(log_in, where="cave")

    def close(self) -> None:
        type(self).closed += 1


@pytest.fixture
def cave(monkeypatch: pytest.MonkeyPatch) -> type[Cave]:
    monkeypatch.setattr(registry, "names", lambda: ("auig2", "cave"))
    inner = registry.factory_of
    monkeypatch.setattr(
        registry, "factory_of", lambda name: Cave if name == "cave" else inner(name)
    )
    monkeypatch.setattr("alos2.sources.portals.profiles.factory_of", registry.factory_of)
    monkeypatch.setattr(Cave, "logins", 0)
    monkeypatch.setattr(Cave, "closed", 0)
    return Cave


@pytest.mark.usefixtures("cave")
def test_healthy_computer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line[6:30].strip() for line in lines if not line.startswith(" ")]
    assert {"settings", "archive disk", "python", "numba cache", "isce2", "auig2"} <= set(names)
    assert all(line.startswith(("ok  ", "--  ", "    ")) for line in lines)
    assert Cave.logins == 0  # there is no account for it
    assert names[-1] == "cave"


def test_account_is_tried_once(
    cave: type[Cave], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALOS2_CAVE_USERNAME", "ana")
    monkeypatch.setenv("ALOS2_CAVE_PASSWORD", "planted-Secret-4")
    assert run() == 4
    assert (cave.logins, cave.closed) == (1, 1)
    said = capsys.readouterr().out
    assert "FAIL  cave login                refused" in said
    assert "→ mend it" in said
    assert "experimental" in said
    assert "planted" not in said


def test_json_of_one_source(cave: type[Cave], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--source", "cave", "--credential", "good", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["name"], line["status"]) for line in lines] == [
        ("cave", "none"), ("cave login", "ok"),
    ]  # fmt: skip
    assert set(lines[0]) == {"name", "status", "detail", "remedy"}
    assert cave.logins == 1


def test_sources_are_listed_and_unknown_ones_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--source", "list") == 0
    assert {"settings", "disk", "credentials", "numba", "isce2", "auig2", "gportal"} <= set(
        capsys.readouterr().out.split()
    )
    assert run("--source", "nowhere") == 2
    assert "one of settings" in capsys.readouterr().err.replace("a URL, or ", "")
    assert run("--source", "disk", "--profile", "x") == 2


def test_broken_settings_are_one_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "alos2.toml"
    file.write_text("archive = ")
    monkeypatch.setenv("ALOS2_CONFIG", str(file))
    assert run("--source", "settings", "--source", "disk") == 2
    out = capsys.readouterr().out
    assert out.count("FAIL") == 1
    assert str(file) in out
    file.write_text("")
    assert run("--source", "settings") == 0


def test_url(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--source", "http://me:planted-5@localhost:1/x.zip?token=planted-6") == 5
    out = capsys.readouterr().out
    assert "port 1: connection refused" in out
    assert "planted" not in out


@pytest.mark.parametrize(
    ("body", "ok", "said"),
    [
        ("print('usage')", True, "starts"),
        ("import isce_that_is_not_there", False, "ModuleNotFoundError"),
    ],
)
def test_isce2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, ok: bool, said: str
) -> None:
    (nothing,) = isce2_checks()
    assert nothing.ok is None
    program = tmp_path / "bin" / "alos2App.py"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\n{body}\n")
    program.chmod(0o755)
    (check,) = isce2_checks()
    assert check.ok is ok
    assert said in check.detail
    assert check.exit_code == (0 if ok else 2)
    monkeypatch.setattr("alos2.jobs.doctor._ISCE_PATIENCE_S", 0.2)
    program.write_text("#!/bin/sh\nexec /bin/sleep 5\n")
    (slow,) = isce2_checks()
    assert "did not answer" in slow.detail
    program.write_text("#!/no/such/python\n")
    (broken,) = isce2_checks()
    assert broken.ok is False


def test_numba(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    (kept,) = numba_checks()
    assert kept.ok
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file" / "x"))
    (lost,) = numba_checks()
    assert (lost.ok, lost.exit_code) == (False, 2)
    assert "NUMBA_CACHE_DIR" in lost.remedy
    assert os.environ["NUMBA_CACHE_DIR"].endswith("x")
