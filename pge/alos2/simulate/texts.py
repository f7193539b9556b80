"""summary.txt and the KML of a product."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np

from alos2.simulate.ceosfiles import FACILITY, SITE
from alos2.simulate.platform import utc
from alos2.simulate.scene import Scene

_CHECKED: Final = (
    "TimeCheck", "AttitudeCheck", "AbsoluteNavigationStatus", "HouseKeepingDataCheck",
    "OrbitCheck", "OnBoardAttitudeCheck", "LossLines", "AbsoluteNavigationTime", "PRF_Check",
    "CalibrationDataCheck",
)  # fmt: skip
_EMPTY: Final = frozenset(
    {"AbsoluteNavigationStatus", "AbsoluteNavigationTime", "PRF_Check", "CalibrationDataCheck"}
)
_PLACES: Final = ("Center", "LeftTop", "RightTop", "LeftBottom", "RightBottom")


class Corners(NamedTuple):
    """Longitude and latitude of five places, degrees."""

    center: tuple[float, float]
    left_top: tuple[float, float]
    right_top: tuple[float, float]
    left_bottom: tuple[float, float]
    right_bottom: tuple[float, float]


def nominal_times(scene: Scene) -> tuple[datetime, datetime, datetime]:
    """Centre, start and end, UTC, to the millisecond."""
    return (
        scene.flight.center_time,
        _millisecond(utc(scene.orbit, scene.start_s)),
        _millisecond(utc(scene.orbit, scene.end_s)),
    )


def _millisecond(when: datetime) -> datetime:
    rounded = round(when.microsecond / 1000.0)
    return when.replace(microsecond=0) + timedelta(milliseconds=rounded)


def image_corners(scene: Scene) -> Corners:
    """Give the data's quadrilateral, its corners named as they lie on a north-up map.

    Ascending and looking right, the first line is at the bottom and the near range on the left;
    other passes and sides by symmetry.
    """
    names = {
        ("A", "R"): ("late_near", "late_far", "early_near", "early_far"),
        ("A", "L"): ("late_far", "late_near", "early_far", "early_near"),
        ("D", "R"): ("early_far", "early_near", "late_far", "late_near"),
        ("D", "L"): ("early_near", "early_far", "late_near", "late_far"),
    }[scene.spec.pass_direction, scene.spec.look]
    corners = scene.data_corners
    middle_s = 0.5 * (scene.start_s + scene.end_s)
    swath = scene.swaths[0]
    line = (middle_s - swath.first_line_s) / swath.line_interval_s
    pixel = (scene.center_range_m - swath.near_range_m) / swath.range_spacing_m
    lon, lat = swath.lonlat(line, pixel, scene.spec.image_height_m)
    return Corners((float(lon), float(lat)), *(corners[name] for name in names))


def frame_corners(scene: Scene) -> Corners | None:
    """Corners of the raster; None in slant range."""
    if scene.grid is None:
        return None
    top_left, top_right, bottom_right, bottom_left = scene.grid.corners
    middle = (scene.grid.shape.lines // 2, scene.grid.shape.pixels // 2)
    rows, columns = np.array([middle, top_left, top_right, bottom_left, bottom_right]).T
    lon, lat = scene.grid.lonlat(rows, columns)
    return Corners(*((float(x), float(y)) for x, y in zip(lon, lat, strict=True)))


def summary_text(scene: Scene, files: list[str], total_bytes: int, made: datetime) -> str:
    """summary.txt.

    Parameters
    ----------
    files : list of str
        As the summary lists them: CEOS VOL, LED, IMG.., TRL; GeoTIFF IMG, LUT, IMG, LUT.
    total_bytes : int
        Their sizes together.
    made : datetime
        Time of processing.
    """
    spec, grid = scene.spec, scene.grid
    number = spec.level.replace(".", "")
    serial = f"{spec.seed % 10**12:012d}"
    lines = [
        ("Odi_SceneId", f"SARD{serial}-00001-001-001"),
        ("Odi_SiteDateTime", f"PROCESS:{SITE}  {made:%Y%m%d %H%M%S}"),
        ("Scs_SceneID", str(scene.flight.scene)),
        ("Scs_SceneShift", "0"),
        ("Pds_ProductID", str(spec.product_id)),
    ]
    if grid is not None:
        lines += [("Pds_ResamplingMethod", "NN"), *_projection(scene)]
        if spec.option == "G":
            lines.append(("Pds_MapDirection", "MapNorth"))
        lines.append(("Pds_PixelSpacing", f"{spec.spacing:.6f}"))
    lines += [("Pds_OrbitDataPrecision", "Precision"), ("Pds_AttitudeDataPrecision", "Onboard")]
    if spec.level == "2.1":
        lines += [("Pds_DigitalElevationModel", "SRTM90m_v4.1"), ("Pds_GeoidModel", "EGM96")]
    for word, when in zip(("Center", "Start", "End"), nominal_times(scene), strict=True):
        lines.append((f"Img_Scene{word}DateTime", _time(when)))
    if grid is not None:
        lines += _corner_lines("Img_ImageScene", image_corners(scene))
        lines += _corner_lines("Img_FrameScene", frame_corners(scene))
    lines += [
        ("Img_OffNadirAngle", f"{spec.off_nadir:.1f}"),
        ("Pdi_ProductDataSize", f"{total_bytes / 2**20:.1f}"),
        (f"Pdi_CntOfL{number}ProductFileName", str(len(files))),
    ]
    lines += [(f"Pdi_L{number}ProductFileName{k:02d}", name) for k, name in enumerate(files, 1)]
    if grid is not None:
        lines.append(("Pdi_BitPixel", "16"))
    shapes = [grid.shape] if grid is not None else [swath.shape for swath in scene.swaths]
    first = 1 if grid is None and spec.is_scansar else 0
    for k, shape in enumerate(shapes, first):
        lines += [
            (f"Pdi_NoOfPixels_{k}", str(shape.pixels)),
            (f"Pdi_NoOfLines_{k}", str(shape.lines)),
        ]
    lines.append(("Pdi_ProductFormat", "CEOS" if spec.format == "ceos" else "GeoTIFF"))
    lines += [(f"Ach_{name}", "" if name in _EMPTY else "GOOD") for name in _CHECKED]
    lines += [
        ("Rad_PracticeResultCode", "GOOD"),
        ("Lbi_Satellite", "ALOS2"),
        ("Lbi_Sensor", "SAR"),
        ("Lbi_ProcessLevel", spec.level),
        ("Lbi_ProcessFacility", FACILITY),
        ("Lbi_ObservationDate", f"{scene.flight.center_time:%Y%m%d}"),
    ]
    return "".join(f'{key}="{value}"\n' for key, value in lines)


def _projection(scene: Scene) -> list[tuple[str, str]]:
    if scene.grid is None:
        return []
    frame = scene.grid.frame
    if frame.letter == "U":
        return [("Pds_UTM_ZoneNo", str(frame.zone))]
    if frame.letter == "P":
        return [
            ("Pds_PS_ReferenceLatitude", f"{frame.reference_lat_deg:.3f}"),
            ("Pds_PS_ReferenceLongitude", f"{frame.reference_lon_deg:.3f}"),
        ]
    if frame.letter == "L":
        return [
            ("Pds_LCC_ReferenceLatitudinalLine1", f"{frame.parallels_deg[0]:.3f}"),
            ("Pds_LCC_ReferenceLatitudinalLine2", f"{frame.parallels_deg[1]:.3f}"),
            ("Pds_LCC_OriginLatitude", f"{frame.reference_lat_deg:.3f}"),
            ("Pds_LCC_OriginLongitude", f"{frame.reference_lon_deg:.3f}"),
        ]
    return []


def _time(when: datetime) -> str:
    return f"{when:%Y%m%d %H:%M:%S}.{when.microsecond // 1000:03d}"


def _degrees(value: float) -> str:
    """Three decimals; longitudes run from -179.999 to 180.000."""
    text = f"{value:.3f}"
    return {"-180.000": "180.000", "-0.000": "0.000"}.get(text, text)


def _corner_lines(prefix: str, corners: Corners | None) -> list[tuple[str, str]]:
    lines = []
    for word, (lon, lat) in zip(_PLACES, corners or (), strict=False):
        lines.append((f"{prefix}{word}Latitude", _degrees(lat)))
        lines.append((f"{prefix}{word}Longitude", _degrees(lon)))
    return lines


def kml_text(scene: Scene) -> str:
    """Write the KML: ring of the scene, its centre, and a table."""
    scene_id, corners = scene.flight.scene, image_corners(scene)
    center, start, end = nominal_times(scene)
    rows = {
        "Satellite": "ALOS2",
        "Sensor": "PALSAR-2",
        "Scene ID": str(scene_id),
        "Product ID": str(scene.spec.product_id),
        "Observation Date": f"{center:%Y-%m-%d}",
        "Path No": str(scene_id.path),
        "Frame(center)": scene_id.frame,
        "SceneShift": "0",
        "Offnadir Angle": f"{scene.spec.off_nadir:.1f}",
        "Scene Time(Center)": _time(center)[9:],
        "Scene Time(Start)": _time(start)[9:],
        "Scene Time(End)": _time(end)[9:],
        "Lat/Long(center)": _pair(corners.center),
        "Lat/Long(Left Upper)": _pair(corners.left_top),
        "Lat/Long(Right Upper)": _pair(corners.right_top),
        "Lat/Long(Left Lower)": _pair(corners.left_bottom),
        "Lat/Long(Right Lower)": _pair(corners.right_bottom),
    }
    table = "".join(f"<tr><td>{key}</td><td>{value}</td></tr>" for key, value in rows.items())
    ring = (
        corners.left_top, corners.left_bottom, corners.right_bottom, corners.right_top,
        corners.left_top,
    )  # fmt: skip
    places = " ".join(f"{_degrees(lon)},{_degrees(lat)},0.0" for lon, lat in ring)
    lon, lat = corners.center
    return _KML.format(
        scene=scene_id,
        table=table,
        ring=places,
        center=f"{_degrees(lon)},{_degrees(lat)},4000.0",
    )


def _pair(place: tuple[float, float]) -> str:
    return f"{_degrees(place[1])}/{_degrees(place[0])}"


_KML: Final = """<?xml version="1.0"?>
<kml xmlns="http://www.opengis.net/kml/2.2">
  <Document>
    <name>Product</name>
    <Folder>
      <name>Scene Rectangle</name>
      <Placemark>
        <name>{scene}</name>
        <description><![CDATA[<table border="1">{table}</table>]]></description>
        <Polygon>
          <tessellate>1</tessellate>
          <altitudeMode>clampToGround</altitudeMode>
          <outerBoundaryIs>
            <LinearRing>
              <coordinates>{ring} </coordinates>
            </LinearRing>
          </outerBoundaryIs>
        </Polygon>
      </Placemark>
    </Folder>
    <Folder>
      <name>Scene Center</name>
      <Placemark>
        <name>{scene}</name>
        <Point>
          <altitudeMode>clampToGround</altitudeMode>
          <coordinates>{center}</coordinates>
        </Point>
      </Placemark>
    </Folder>
  </Document>
</kml>
"""
