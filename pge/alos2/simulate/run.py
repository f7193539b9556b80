"""Making a simulated product: plan it, write its files strip by strip, move it into place."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

from numpy.typing import NDArray
from PIL import Image

from alos2.archive.writing import writing_failed
from alos2.errors import NoSpace, UsageError
from alos2.naming import Beam, FileKind, FileName
from alos2.simulate.ceosfiles import CeosImageWriter, trailer_bytes, volume_bytes
from alos2.simulate.delivery import pack_auig2
from alos2.simulate.geotiffs import geotiff_tags, lut_text
from alos2.simulate.leader import leader_bytes
from alos2.simulate.pixels import (
    DetectedPixels,
    IntegerSlcPixels,
    Pixels,
    SlcPixels,
    strips,
)
from alos2.simulate.prefixes import ProcessedPrefixes, SignalPrefixes
from alos2.simulate.quicklook import QuickLook
from alos2.simulate.relief import Relief
from alos2.simulate.scene import Scene, Swath, plan
from alos2.simulate.spec import SimulationResult, SimulationSpec
from alos2.simulate.texts import kml_text, summary_text
from alos2.simulate.tiffwriter import TiffWriter
from alos2.simulate.truedem import write_scene_dem
from alos2.simulate.truth import truth_json
from alos2.types import Polarization, RasterShape

Progress = Callable[[int, int], None]
"""Called with lines done and lines to do."""

_PROCESSED_AFTER: Final = timedelta(days=1)
"""The product says that it was processed this long after the observation: no clock is read."""
_JPEG_QUALITY: Final = 75
_MARGIN_BYTES: Final = 64 << 20


class _ImageWriter(Protocol):
    def write(self, first_line: int, block: NDArray[Any]) -> None: ...


@dataclass(frozen=True)
class _Job:
    """One image file to be written."""

    polarization: Polarization
    swath: Swath
    shape: RasterShape
    beam: Beam | None


def simulate(
    spec: SimulationSpec,
    out: Path,
    *,
    strip_lines: int | None = None,
    progress: Progress | None = None,
) -> SimulationResult:
    """Make a product whose truth is known.

    Parameters
    ----------
    spec : SimulationSpec
        What to make.
    out : Path
        Folder in which the product's folder, its delivery zip and its truth will lie; made where
        it does not exist.
    strip_lines : int, optional
        Lines that are made at a time; the product does not depend on it.
    progress : callable, optional
        Called with the lines done and the lines to do.

    Returns
    -------
    SimulationResult

    Raises
    ------
    UsageError
        If the spec asks for something impossible, or the product is there already.
    NoSpace, NoResource
        If the disk is too small, or cannot be written.
    """
    scene = plan(spec)
    maker = _Maker(scene, strip_lines, progress)
    folder = out / scene.names_stem
    truth_path = out / f"{scene.names_stem}.truth.json"
    dem_path = _dem_path(scene, out)
    for path in (folder, truth_path, dem_path if spec.dem else None):
        if path is not None and path.exists():
            raise UsageError(f"{path} is there already", hint="remove it, or choose another folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        _require_space(out, maker.pixel_bytes() * (2 if spec.zip else 1))
        staging = Path(tempfile.mkdtemp(prefix=".simulate-", dir=out))
    except FileExistsError:
        raise UsageError(f"{out} is no folder", hint="choose another place") from None
    except OSError as error:
        raise writing_failed(out, error) from error
    try:
        files = maker.make(staging / "product")
        archive = pack_auig2(scene, staging, files) if spec.zip == "auig2" else None
        text = json.dumps(truth_json(scene, files), indent=1, allow_nan=False)
        (staging / "truth.json").write_text(text + "\n", encoding="utf-8")
        if spec.dem and dem_path is not None:
            write_scene_dem(staging / "dem.tif", [scene])
        final = out / archive.name if archive is not None else None
        if final is not None and final.exists():
            raise UsageError(f"{final} is there already", hint="remove it, or take another seed")
        (staging / "product").rename(folder)
        (staging / "truth.json").rename(truth_path)
        if spec.dem and dem_path is not None:
            (staging / "dem.tif").rename(dem_path)
        if archive is not None and final is not None:
            archive.rename(final)
    except OSError as error:
        raise writing_failed(folder, error) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return SimulationResult(
        folder, final, truth_path, scene.flight.scene, spec.product_id, dem_path
    )


def _dem_path(scene: Scene, out: Path) -> Path | None:
    """Where the DEM will lie, or lies."""
    if scene.spec.dem:
        return out / f"{scene.names_stem}-dem.tif"
    return None if scene.spec.terrain is None else scene.spec.terrain.path


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed + _MARGIN_BYTES:
        raise NoSpace(f"the product needs {needed >> 20} MiB in {folder}, {free >> 20} are free")


class _Maker:
    """Writes the files of one product."""

    def __init__(self, scene: Scene, strip_lines: int | None, progress: Progress | None) -> None:
        self.scene = scene
        self.strip_lines = strip_lines
        self.progress = progress
        self.relief: Relief | None = None
        if scene.ground.heights is not None:
            self.relief = Relief(scene, scene.ground.heights)
        self.made: datetime = scene.flight.center_time + _PROCESSED_AFTER
        self.done = 0
        self.jobs = [
            _Job(polarization, swath, shape, swath.beam if scene.grid is None else None)
            for polarization in scene.spec.all_polarizations
            for swath, shape in self._shapes()
        ]
        self.total = sum(job.shape.lines for job in self.jobs)

    def _shapes(self) -> list[tuple[Swath, RasterShape]]:
        if self.scene.grid is not None:
            return [(self.scene.swaths[0], self.scene.grid.shape)]
        return [(swath, swath.shape) for swath in self.scene.swaths]

    def pixel_bytes(self) -> int:
        """Size of the images without their prefixes."""
        slant = 8 if self.scene.spec.format == "ceos" else 4
        each = 2 if self.scene.grid is not None else slant
        return sum(each * job.shape.lines * job.shape.pixels for job in self.jobs)

    def name(
        self,
        kind: FileKind,
        polarization: Polarization | None = None,
        beam: Beam | None = None,
        extension: str = "",
    ) -> str:
        """Name of a file of the product."""
        scene_id, product_id = self.scene.flight.scene, self.scene.spec.product_id
        return str(FileName(kind, scene_id, product_id, polarization, beam, extension))

    def make(self, folder: Path) -> list[str]:
        """Write all files; their names, sorted."""
        folder.mkdir()
        if self.scene.spec.level == "2.2" and self.relief is not None:
            return self._level22(folder, self.relief)
        looks: dict[Polarization, QuickLook] = {}
        images: list[str] = []
        for job in self.jobs:
            look = self._image(folder, job, images)
            looks.setdefault(job.polarization, look)
        listed = images
        if self.scene.spec.format == "ceos":
            listed = self._ceos_files(folder, images, next(iter(looks.values())))
        else:
            listed = self._luts(folder, images)
        for polarization, look in looks.items():
            picture = folder / self.name("BRS", polarization, None, ".jpg")
            Image.fromarray(look.grey()).save(picture, format="JPEG", quality=_JPEG_QUALITY)
        size = sum((folder / name).stat().st_size for name in listed)
        summary = summary_text(self.scene, listed, size, self.made)
        _write_text(folder / "summary.txt", summary)
        _write_text(folder / self.name("KML"), kml_text(self.scene))
        return sorted(path.name for path in folder.iterdir())

    def _level22(self, folder: Path, relief: Relief) -> list[str]:
        """Write the files of level 2.2; their names, sorted."""
        # Imported late: the others are written without GDAL.
        from alos2.simulate.level22 import Level22Files  # noqa: PLC0415

        return Level22Files(self.scene, relief).write(folder, self._report)

    def _report(self, lines: int) -> None:
        self.done += lines
        if self.progress is not None:
            self.progress(self.done, self.total)

    def _image(self, folder: Path, job: _Job, images: list[str]) -> QuickLook:
        """Write one image, strip by strip."""
        ceos = self.scene.spec.format == "ceos"
        name = self.name("IMG", job.polarization, job.beam, "" if ceos else ".tif")
        images.append(name)
        pixels, look = self._pixels(job), QuickLook(job.shape)
        with (folder / name).open("wb") as file:
            writer = self._writer(file, job)
            for first, lines in strips(job.shape, self.strip_lines):
                block = pixels.strip(first, lines)
                look.add(first, pixels.power(block))
                writer.write(first, block)
                self._report(lines)
        return look

    def _pixels(self, job: _Job) -> Pixels:
        if self.scene.grid is not None:
            return DetectedPixels(self.scene, job.polarization, self.relief)
        slc = SlcPixels(self.scene, job.swath, job.polarization, self.relief)
        return slc if self.scene.spec.format == "ceos" else IntegerSlcPixels(slc)

    def _writer(self, file: BinaryIO, job: _Job) -> _ImageWriter:
        scene = self.scene
        slant = scene.grid is None
        if scene.spec.format == "geotiff":
            return TiffWriter(
                file,
                lines=job.shape.lines,
                pixels=job.shape.pixels,
                samples=2 if slant else 1,
                signed=slant,
                tags=geotiff_tags(scene, job.polarization),
            )
        if slant:
            prefixes = SignalPrefixes(scene, job.swath, job.polarization)
            return CeosImageWriter(file, scene, job.shape, prefixes)
        return CeosImageWriter(file, scene, job.shape, ProcessedPrefixes(scene, job.polarization))

    def _ceos_files(self, folder: Path, images: list[str], look: QuickLook) -> list[str]:
        """Write VOL, LED and TRL; names of all CEOS files in the summary's order."""
        small = look.numbers()
        shapes = [job.shape for job in self.jobs]
        contents = {
            self.name("VOL"): volume_bytes(self.scene, shapes, small.nbytes, self.made),
            self.name("LED"): leader_bytes(self.scene),
            self.name("TRL"): trailer_bytes(self.scene, small),
        }
        for name, content in contents.items():
            (folder / name).write_bytes(content)
        volume, leader, trailer = contents
        return [volume, leader, *images, trailer]

    def _luts(self, folder: Path, images: list[str]) -> list[str]:
        """Write the calibration tables; names of images and tables in the summary's order."""
        listed = []
        for job, image in zip(self.jobs, images, strict=True):
            lut = self.name("LUT", job.polarization, None, ".txt")
            _write_text(folder / lut, lut_text(self.scene))
            listed += [image, lut]
        return listed


def _write_text(path: Path, text: str) -> None:
    """ASCII with LF, whatever the system."""
    path.write_bytes(text.encode("ascii"))
