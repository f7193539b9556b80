"""Simulated products for tests, each made once a session."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from alos2.ceos import CeosImage, Leader, read_leader
from alos2.simulate import SimulationResult, SimulationSpec, simulate


@dataclass(frozen=True)
class Made:
    """A product and what is true of it."""

    spec: SimulationSpec
    result: SimulationResult

    @cached_property
    def truth(self) -> dict[str, Any]:
        with self.result.truth_path.open(encoding="utf-8") as file:
            truth: dict[str, Any] = json.load(file)
        return truth

    @property
    def folder(self) -> Path:
        return self.result.product_dir

    @cached_property
    def leader(self) -> Leader:
        (path,) = self.folder.glob("LED-*")
        return read_leader(path.read_bytes(), name=path.name)

    def image_path(self, polarization: str = "HH", beam: str | None = None) -> Path:
        suffix = f"-{beam}" if beam else ".tif" if self.spec.format == "geotiff" else ""
        (path,) = self.folder.glob(f"IMG-{polarization}-*[AD]{suffix}")
        return path

    def numbers(self, polarization: str = "HH", beam: str | None = None) -> NDArray[Any]:
        """Digital numbers: complex, or float64."""
        path = self.image_path(polarization, beam)
        if self.spec.format == "ceos":
            with CeosImage.open(path) as image:
                read = image.read()
            return read.astype(complex if np.iscomplexobj(read) else float)
        with rasterio.open(path) as dataset:
            bands = dataset.read().astype(float)
        return bands[0] + 1j * bands[1] if len(bands) == 2 else bands[0]

    def sigma0(self, polarization: str = "HH", beam: str | None = None) -> NDArray[np.float64]:
        """Linear, by JAXA's equations, without the package's own radiometry."""
        power = np.abs(self.numbers(polarization, beam)) ** 2
        if self.spec.format == "ceos":
            return power * 10.0 ** (0.1 * self.truth["calibration"]["factor_db"])
        (path,) = self.folder.glob(f"LUT-{polarization}-*.txt")
        b, *a = (float(line) for line in path.read_text(encoding="ascii").split())
        gain = np.array(a)
        return power / gain**2 if self.spec.level == "1.1" else (power + b) / gain


class Maker:
    """Makes products, and keeps them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[SimulationSpec, Made] = {}

    def __call__(self, **given: Any) -> Made:
        spec = SimulationSpec(**{"seed": 5, **given})
        if spec not in self._made:
            out = self._folder / f"{len(self._made):03d}"
            self._made[spec] = Made(spec, simulate(spec, out))
        return self._made[spec]
