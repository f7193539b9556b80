"""The CARD4L summary of level 2.2, with the elements that a real one has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from xml.sax.saxutils import escape

from alos2.constants import CALIBRATION_FACTOR_DB
from alos2.product.level22 import MASK_CODES, Level22Name
from alos2.simulate.platform import utc
from alos2.simulate.scene import Scene

_PROCESSED_AFTER: Final = timedelta(days=1)
_CODE_NAMES: Final = {
    "no data": "NoData", "valid": "ValidData", "layover": "Layover", "shadow": "Shadow",
    "ocean": "OceanWater", "invalid": "InvalidData",
}  # fmt: skip

_Node = tuple[str, "str | list[_Node]"]


def card4l_text(scene: Scene, images: Sequence[str]) -> str:
    """Give the whole document, ASCII.

    Parameters
    ----------
    scene
        As planned, with a grid.
    images
        Names of the images, in the order of the polarisations.
    """
    product: _Node = (
        "Product",
        [
            ("DocumentIdentifier", "https://ceos.org/ard/files/PFS/NRB/v5.5/CARD4L-PFS_NRB_v5.5.pdf"),
            ("SourceAttributes", _source(scene)),
            ("CARD4LProductAttributes", _made(scene, images)),
        ],
    )  # fmt: skip
    body = "".join(_lines(product, 0))
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}'


def _lines(node: _Node, depth: int) -> list[str]:
    name, content = node
    indent = "\t" * depth
    if isinstance(content, str):
        return [f"{indent}<{name}>{escape(content)}</{name.split(' ')[0]}>\n"]
    inner = [line for child in content for line in _lines(child, depth + 1)]
    return [f"{indent}<{name}>\n", *inner, f"{indent}</{name.split(' ')[0]}>\n"]


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def _source(scene: Scene) -> list[_Node]:
    spec, orbit = scene.spec, scene.orbit
    corners = scene.data_corners
    # The ring of a real one: left top, left bottom, right bottom, right top.
    ordered = sorted(corners.values(), key=lambda place: -place[1])
    top, bottom = sorted(ordered[:2]), sorted(ordered[2:])
    ring = [top[0], bottom[0], bottom[1], top[1], top[0]]
    polygon = ", ".join(f"{lon:.6f} {lat:.6f}" for lon, lat in ring)
    return [
        ("Satellite", "ALOS2"),
        ("Instrument", "PALSAR-2"),
        ("SourceDataAcquisitionTime", [
            ("StartTime", _time(utc(orbit, scene.start_s))),
            ("EndTime", _time(utc(orbit, scene.end_s))),
        ]),
        ("SourceDataAcquisitionParameters", [
            ("RadarBand", "L"),
            ('RadarCenterFrequency units="GHz"',
             f"{spec.parameters.center_frequency_hz * 1e-9:.5e}"),
            ("ObservationMode", spec.mode),
            ("Polarizations", " ".join(spec.all_polarizations)),
            ("AntennaPointing", "Right" if spec.look == "R" else "Left"),
            ("BeamID", f"W{spec.parameters.beam_number}"),
            ("RSP_Path_Number", str(scene.flight.scene.path)),
            ("RSP_Frame_Number", str(int(scene.flight.scene.frame))),
        ]),
        ("OrbitInformation", [
            ("PassDirection", {"A": "Ascending", "D": "Descending"}[spec.pass_direction]),
            ("OrbitDataSource", "Precise"),
        ]),
        ("SourceDataImageAttributes", [
            ('SourceDataGeometry type="WKT"', f"Polygon (({polygon}))"),
        ]),
    ]  # fmt: skip


def _measurement(polarization: str, image: str) -> _Node:
    equation = f"10*log10(DN^2){CALIBRATION_FACTOR_DB}"
    return (
        "BackscatterMeasurementData",
        [
            ("BackscatterMeasurement", "Gamma-0"),
            ("BackscatterConvention", "Linear Amplitude"),
            ('BackscatterConversionEq units="dB"', equation),
            ("Polarization", polarization),
            ("FileName", image),
        ],
    )


def _made(scene: Scene, images: Sequence[str]) -> list[_Node]:
    grid, spec, identity = scene.grid, scene.spec, scene.flight.scene
    if grid is None:
        raise ValueError("level 2.2 needs a map grid")
    lines, pixels = grid.shape
    first, last = grid.origin_m, grid.map_xy(lines - 1.0, pixels - 1.0)
    code = (32700 if grid.frame.south else 32600) + (grid.frame.zone or 0)

    def corner(which: str, easting: float, northing: float) -> _Node:
        places: list[_Node] = [
            ('Northing units="m"', f"{northing:.6f}"), ('Easting units="m"', f"{easting:.6f}")
        ]  # fmt: skip
        return f'ProductBoundingBox Corner="{which}"', places

    def file(kind: str) -> str:
        name = Level22Name("MSK" if kind == "MSK" else "LIN", identity, spec.product_id)
        return str(name)

    return [
        ("DataAccess", [
            ("ProcessingFacility", "simulated"),
            ("ProcessingTime", _time(scene.flight.center_time + _PROCESSED_AFTER)),
            ("SoftwareVersion", "alos2 simulate"),
        ]),
        ("ProductSampleSpacing", [
            ('ProductColumnSpacing units="m"', f"{spec.spacing:.1f}"),
            ('ProductRowSpacing units="m"', f"{spec.spacing:.1f}"),
        ]),
        ("Filtering", [("FilterApplied", "FALSE")]),
        corner("UL", first[0], first[1]),
        corner("LR", float(last[0]), float(last[1])),
        # Exchanged, as in the real one.
        ("ProductImageSize", [("NumberLines", str(pixels)), ("NumPixelsPerLine", str(lines))]),
        ('CoordinateReferenceSystem type="EPSG"', str(code)),
        ("PerPixelMetadata", [
            ("DataMask", [
                ("FileName", file("MSK")),
                ("BitValues", [(_CODE_NAMES[k], str(v)) for k, v in MASK_CODES.items()]),
            ]),
            ("LocalIncAngle", [
                ("FileName", file("LIN")),
                ('ConversionEq units="deg"', "0.01*DN"),
            ]),
        ]),
        *map(_measurement, spec.all_polarizations, images),
        ("NoiseRemoval", [("NoiseRemovalApplied", "FALSE")]),
        ("RadiometricTerrainCorrections", [
            ('RTCAlgorithm type="DOI"', "https://doi.org/10.1109/TGRS.2011.2120616"),
        ]),
        ("GeometricCorrections", [
            ('DigitalElevationModel dem="Surface"', [('DEMReference', "simulated")]),
        ]),
    ]  # fmt: skip
