#!/usr/bin/env python3
"""Write ``docker/requirements.lock``: every package of the image, its version, its wheels' hashes.

Run with a Python 3.11, as the image's base (Debian 12) has one, on any machine::

    python3.11 docker/lock.py > docker/requirements.lock

pip resolves (``--dry-run --report``) for the image's Python and x86_64; nothing is installed. An
image for another architecture needs a lock of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import tomllib

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("s3", "sftp")
"""What the jobs may need beside the core."""
PYTHON = "3.11.2"
"""Of Debian 12: some packages want a later 3.11."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")


def wanted() -> list[str]:
    """Return the requirements that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(r for name in EXTRAS for r in extras.get(name, ()))]


def main() -> None:
    """Resolve and print."""
    if sys.version_info[:2] != (3, 11):
        sys.exit("docker/lock.py: run it with Python 3.11, that of the image")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(  # noqa: S603  our own arguments
            [
                sys.executable, "-m", "pip", "install", "--quiet", "--dry-run",
                "--ignore-installed", "--only-binary", ":all:", "--report", str(report),
                "--python-version", PYTHON, "--implementation", "cp",
                *(f"--platform={platform}" for platform in PLATFORMS),
                "--target", folder, *wanted(),
            ],
            check=True, stdout=sys.stderr,
        )  # fmt: skip
        packages = json.loads(report.read_text())["install"]
    lines = [
        f"{p['metadata']['name'].lower()}=={p['metadata']['version']}"
        f" \\\n    --hash=sha256:{p['download_info']['archive_info']['hashes']['sha256']}"
        for p in packages
        if "archive_info" in p["download_info"]
    ]
    sys.stdout.write("# Made by docker/lock.py.\n" + "\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    main()
