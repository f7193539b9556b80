"""ISCE2's preprocessing as a second opinion on level 1.1: what it reads, put on the ground by us.

``alos2App.py --steps --end=preprocess`` with one scene as reference and secondary leaves one
``<date>.track.xml`` (the orbit) and one ``f<n>_<frame>/<date>.frame.xml`` (timing of each swath).
It applies no bias in time or range. The program runs apart, in a folder of its own; nothing of
ISCE2 is imported. Source: ISCE2's ``alos2App.py``, ``runPreprocessor`` and their public examples.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Final, TypeAlias
from xml.sax.saxutils import escape

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.errors import BadProduct
from alos2.footprint.isce_xml import Swath, read_orbit, read_swaths
from alos2.footprint.provider import NoAnswer, Question
from alos2.geometry.footprints import slant_range_footprint
from alos2.product.model import Product, ProductFile

_VOCABULARIES: Final = (("reference", "secondary"), ("master", "slave"))
"""What ISCE2 calls the two scenes: since 2020, and before."""
_OUTPUT: Final = "alos2-output.txt"
_Staged: TypeAlias = "list[Path] | NoAnswer"


def isce_footprint(question: Question) -> FootprintAnswer | NoAnswer:
    """Answer with the corners of the swaths as ISCE2 reads them."""
    product, options = question.product, question.options
    program = shutil.which(options.isce_program)
    if program is None:
        return NoAnswer(f"ISCE2 is not installed: there is no {options.isce_program} on the PATH")
    files = _files(product)
    if isinstance(files, NoAnswer):
        return files
    try:
        with tempfile.TemporaryDirectory(prefix="alos2-isce-", ignore_cleanup_errors=True) as name:
            return _run_and_read(program, product, files, Path(name), options.isce_timeout_s)
    except OSError as error:
        return NoAnswer(f"ISCE2 could not be run: {error.strerror or type(error).__name__}")


def _files(product: Product) -> _Staged:
    """Return the leader and the images of one polarisation, which must be files."""
    if product.level != "1.1" or product.format != "ceos":
        return NoAnswer("ISCE2 reads level 1.1 CEOS only")
    if any(beam.method == "B" for beam in product.beams):
        return NoAnswer("ISCE2 reads full-aperture ScanSAR only, not the burst products (-B)")
    if not product.polarizations:
        return NoAnswer("there is no image for ISCE2 to read")
    wanted: list[ProductFile] = [f for f in product.files if f.kind == "LED"]
    if not wanted:
        return NoAnswer("there is no leader for ISCE2 to read")
    first = product.polarizations[0]
    wanted += [image.file for image in product.images if image.polarization == first]
    paths = [file.path for file in wanted]
    if any(path is None for path in paths):
        return NoAnswer("the product is still inside its archive, where ISCE2 cannot read it")
    return [path for path in paths if path is not None]


def _run_and_read(
    program: str, product: Product, files: list[Path], work: Path, timeout_s: float
) -> FootprintAnswer | NoAnswer:
    data = work / "data"
    data.mkdir()
    for path in files:  # a folder of its own: stray files confuse ISCE2's search by pattern
        (data / path.name).symlink_to(path.resolve())
    failures = []
    for words in _VOCABULARIES:
        run = work / words[0]
        run.mkdir()
        (run / "alos2App.xml").write_text(_input_xml(product, data, words), encoding="utf-8")
        code = _run(program, run, timeout_s)
        if code is None:
            return NoAnswer(f"ISCE2 did not end within {timeout_s:g} s")
        swaths = read_swaths(sorted(run.glob("f*_*/*.frame.xml")))
        if swaths:
            # Also after an error: it may come from the baseline, computed after the files are out.
            return _answer(product, run, swaths)
        if code == 0:
            return NoAnswer("ISCE2 left no frame parameters that can be read")
        failures.append(f"ISCE2 ended with code {code}: {_last_line(run / _OUTPUT)}")
    return NoAnswer(failures[0])


def _input_xml(product: Product, data: Path, words: tuple[str, str]) -> str:
    """Return the input file of alos2App.py: one scene in both roles."""
    properties: dict[str, str] = {}
    for word in words:
        properties[f"{word} directory"] = str(data)
        properties[f"{word} polarization"] = product.polarizations[0]
    if product.beams:
        numbers = [beam.number for beam in product.beams]
        properties["starting swath"] = str(min(numbers))
        properties["ending swath"] = str(max(numbers))
    lines = "".join(
        f'    <property name="{name}">{escape(value)}</property>\n'
        for name, value in properties.items()
    )
    return f'<alos2App>\n  <component name="alos2insar">\n{lines}  </component>\n</alos2App>\n'


def _run(program: str, run: Path, timeout_s: float) -> int | None:
    """Run the preprocessing in `run`; return its exit code, None if it did not end in time."""
    arguments = [program, "alos2App.xml", "--steps", "--end=preprocess"]
    with (run / _OUTPUT).open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  (an argument list, the program chosen by name)
            arguments,
            cwd=run,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what still runs, with the programs that it started."""
    if process.poll() is None:
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()


def _last_line(output: Path) -> str:
    with output.open("rb") as file:
        file.seek(max(0, output.stat().st_size - 2000))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines()]
    last = next((line for line in reversed(lines) if line), "it printed nothing")
    return "".join(c for c in last if c.isprintable())[:200]


def _answer(product: Product, run: Path, swaths: list[Swath]) -> FootprintAnswer | NoAnswer:
    orbit = read_orbit(sorted(run.glob("*.track.xml")))
    orbit_from = "ISCE2" if orbit is not None else "leader"
    orbit = orbit or product.orbit
    if orbit is None:
        return NoAnswer("ISCE2 left no orbit that can be read")
    try:
        geometry = slant_range_footprint(
            orbit, [swath.as_image() for swath in swaths], product.look
        )
    except (BadProduct, ValueError) as error:
        return NoAnswer(f"what ISCE2 read does not give a footprint: {error}")
    return FootprintAnswer(
        "isce",
        geometry,
        "ISCE2's preprocessing, range-Doppler on the ellipsoid",
        details={"height_m": 0.0, "swaths": len(swaths), "orbit_from": orbit_from},
    )
