"""The keys of summary.txt: what each holds, and in which unit.

One table, from which the reader checks values. Source: JAXA, ALOS-2/PALSAR-2 GeoTIFF product
format description Rev. A (2014), summary file; real summaries. ``nn`` stands for the level
without its point (11, 15, 21, 31), ``01`` for any number of two digits, ``_0`` for any number.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple, TypeAlias

ValueKind: TypeAlias = Literal[
    "text", "integer", "number", "time", "day", "latitude", "longitude", "processing", "check"
]


class SummaryKey(NamedTuple):
    """One key, or a numbered family of keys."""

    name: str
    kind: ValueKind
    meaning: str
    unit: str = ""


def _corners(prefix: str, meaning: str) -> tuple[SummaryKey, ...]:
    places = ("Center", "LeftTop", "RightTop", "LeftBottom", "RightBottom")
    return tuple(
        key
        for place in places
        for key in (
            SummaryKey(f"{prefix}{place}Latitude", "latitude", f"{meaning}, {place}", "deg"),
            SummaryKey(f"{prefix}{place}Longitude", "longitude", f"{meaning}, {place}", "deg"),
        )
    )


SUMMARY_KEYS: Final[tuple[SummaryKey, ...]] = (
    SummaryKey("Odi_SceneId", "text", "observation: segment, observation, numbers"),
    SummaryKey("Odi_SiteDateTime", "processing", "country, agency, facility, time of processing"),
    SummaryKey("Scs_SceneID", "text", "scene id"),
    SummaryKey("Scs_SceneShift", "integer", "shift of the scene, -5..4 (ScanSAR -25..20)"),
    SummaryKey("Pds_ProductID", "text", "product id"),
    SummaryKey("Pds_ResamplingMethod", "text", "NN, BL or CC"),
    SummaryKey("Pds_UTM_ZoneNo", "integer", "UTM zone, without hemisphere"),
    SummaryKey("Pds_PS_ReferenceLatitude", "latitude", "polar stereographic reference", "deg"),
    SummaryKey("Pds_PS_ReferenceLongitude", "longitude", "polar stereographic reference", "deg"),
    SummaryKey("Pds_LCC_ReferenceLatitudinalLine1", "latitude", "standard parallel", "deg"),
    SummaryKey("Pds_LCC_ReferenceLatitudinalLine2", "latitude", "standard parallel", "deg"),
    SummaryKey("Pds_LCC_OriginLatitude", "latitude", "Lambert origin", "deg"),
    SummaryKey("Pds_LCC_OriginLongitude", "longitude", "Lambert origin", "deg"),
    SummaryKey("Pds_MapDirection", "text", "MapNorth"),
    SummaryKey("Pds_PixelSpacing", "number", "spacing of pixels and lines", "m"),
    SummaryKey("Pds_OrbitDataPrecision", "text", "Precision, Onboard or RARR_Predict"),
    SummaryKey("Pds_AttitudeDataPrecision", "text", "Onboard"),
    SummaryKey("Pds_DigitalElevationModel", "text", "elevation model (level 2.1)"),
    SummaryKey("Pds_GeoidModel", "text", "geoid (level 2.1)"),
    SummaryKey("Img_SceneCenterDateTime", "time", "UTC of the scene's centre"),
    SummaryKey("Img_SceneStartDateTime", "time", "UTC of the scene's start"),
    SummaryKey("Img_SceneEndDateTime", "time", "UTC of the scene's end"),
    *_corners("Img_ImageScene", "quadrilateral of the data"),
    *_corners("Img_FrameScene", "corners of the raster"),
    SummaryKey("Img_OffNadirAngle", "number", "off-nadir angle", "deg"),
    SummaryKey("Pdi_ProductDataSize", "number", "size of the product", "MiB"),
    SummaryKey("Pdi_CntOfLnnProductFileName", "integer", "number of files"),
    SummaryKey("Pdi_LnnProductFileName01", "text", "name of a file"),
    SummaryKey("Pdi_BitPixel", "integer", "bits of a pixel"),
    SummaryKey("Pdi_NoOfPixels_0", "integer", "pixels per line (_1.. by ScanSAR beam)"),
    SummaryKey("Pdi_NoOfLines_0", "integer", "lines (_1.. by ScanSAR beam)"),
    SummaryKey("Pdi_ProductFormat", "text", "CEOS or GeoTIFF"),
    SummaryKey("Ach_TimeCheck", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_AttitudeCheck", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_AbsoluteNavigationStatus", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_HouseKeepingDataCheck", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_OrbitCheck", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_OnBoardAttitudeCheck", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_LossLines", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_AbsoluteNavigationTime", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_PRF_Check", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Ach_CalibrationDataCheck", "check", "GOOD, FAIR, POOR or empty"),
    SummaryKey("Rad_PracticeResultCode", "check", "GOOD or FAIR"),
    SummaryKey("Lbi_Satellite", "text", "ALOS2"),
    SummaryKey("Lbi_Sensor", "text", "SAR"),
    SummaryKey("Lbi_ProcessLevel", "text", "level"),
    SummaryKey("Lbi_ProcessFacility", "text", "SCMO or EICS"),
    SummaryKey("Lbi_ObservationDate", "day", "UTC day of the observation"),
)

_BY_NAME: Final = {key.name: key for key in SUMMARY_KEYS}
_FAMILIES: Final = (
    (re.compile(r"Pdi_CntOfL\d\dProductFileName"), "Pdi_CntOfLnnProductFileName"),
    (re.compile(r"Pdi_L\d\dProductFileName\d{2,3}"), "Pdi_LnnProductFileName01"),
    (re.compile(r"Pdi_NoOfPixels_\d+"), "Pdi_NoOfPixels_0"),
    (re.compile(r"Pdi_NoOfLines_\d+"), "Pdi_NoOfLines_0"),
)


def known_key(name: str) -> SummaryKey | None:
    """Find the table's entry for a key as it stands in a file, None for an unknown one."""
    found = _BY_NAME.get(name)
    if found is None and name.startswith("Pdi_"):
        for pattern, entry in _FAMILIES:
            if pattern.fullmatch(name):
                return _BY_NAME[entry]
    return found
