"""The image, as far as it can be seen without an engine; `docker/try.sh` builds and runs it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted(path.name for path in (ROOT / "docker").glob("Dockerfile*"))


def text_of(name: str) -> str:
    return (ROOT / "docker" / name).read_text("utf-8")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_what_is_copied_is_there_and_sent_to_the_engine(name: str) -> None:
    sent = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert sent[1] == "*"
    allowed = {line[1:] for line in sent if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text_of(name), re.M)
    assert copied
    for source in " ".join(copied).split():
        assert (ROOT / source).exists()
        assert source in allowed


@pytest.mark.parametrize("name", DOCKERFILES)
def test_it_does_not_run_as_root_and_its_bases_are_pinned(name: str) -> None:
    text = text_of(name)
    users = re.findall(r"^USER (\S+)$", text, re.M)
    assert users[-1].isdigit()
    assert int(users[-1]) > 0
    bases = re.findall(r"^ARG \w+_IMAGE=(\S+)$", text, re.M)
    assert bases
    assert all(":" in base and not base.endswith(":latest") for base in bases)
    assert "ENV HOME" not in text


def test_the_lock_has_a_hash_for_each_package_and_every_package_that_we_name() -> None:
    lock = text_of("requirements.lock")
    locked = set(
        re.findall(r"^([a-z0-9._-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}$", lock, re.M)
    )
    assert len(locked) == len([line for line in lock.splitlines() if "==" in line])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["s3"]]
    wanted += project["optional-dependencies"]["sftp"]
    names = {re.split(r"[<>=!;\[ ]", need)[0].lower() for need in wanted if "3.11" not in need}
    plain = {name.replace("_", "-") for name in locked}
    assert names <= plain
    versions = {name.replace("_", "-"): v for name, v in re.findall(r"^(\S+)==(\S+)", lock, re.M)}
    for need in map(Requirement, wanted):
        if need.marker is None:
            assert need.specifier.contains(versions[need.name.lower()]), need
    assert "http" not in lock  # nobody's registry


def test_the_wheel_brings_every_job() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    scripts = project["tool"]["setuptools"]["script-files"]
    assert sorted(scripts) == sorted(f"pge/{path.name}" for path in (ROOT / "pge").glob("*.py"))


@pytest.mark.parametrize("name", DOCKERFILES)
def test_hadolint_has_nothing_to_say(name: str) -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}")
    if hadolint is None:
        pytest.skip("hadolint is not installed (extra lint)")
    done = subprocess.run(
        [hadolint, str(ROOT / "docker" / name)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
