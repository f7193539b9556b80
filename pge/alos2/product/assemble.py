"""One group of files becomes a :class:`Product`, with everything that is wrong named in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alos2.constants import CALIBRATION_FACTOR_DB, SLC_CALIBRATION_OFFSET_DB
from alos2.product.card4l import Card4l
from alos2.product.completeness import missing_members, other_files
from alos2.product.contradictions import (
    compare_images,
)
from alos2.product.draft import Draft, read_files
from alos2.product.groups import Group
from alos2.product.model import (
    Calibration,
    Product,
    ProductFile,
    Sensor,
)
from alos2.product.summary_values import Processing, parse_processing
from alos2.radiometry import factor_for, published_exception
from alos2.types import Polarization


def assemble(group: Group) -> Product:
    """Read the small files and headers of a group; never its pixels, and never fails for damage."""
    draft = read_files(group)
    pointers = draft.volume.pointers if draft.volume else None
    count = sum(p["file_class_code"] == "IMOP" for p in pointers) if pointers else None
    draft.problems[:0] = missing_members(group, count)
    draft.problems += compare_images(draft.images, group.identity[1], draft.summary)
    draft.problems += other_files(group)
    product = _product(draft)
    return product if draft.card4l is None else _with_card4l(product, draft.card4l)


def _with_card4l(product: Product, said: Card4l) -> Product:
    """Fill in what summary.xml of level 2.2 says; nothing else of a delivery says it."""
    sensor = replace(
        product.sensor, center_frequency_hz=said.frequency_hz, beam_number=said.beam_number
    )
    return replace(
        product,
        center_time=said.center_time,
        start_time=said.start_time,
        end_time=said.end_time,
        processed_time=said.processed_time,
        sensor=sensor,
        orbit_precision=said.orbit_source,
        pixel_spacing_m=said.spacing_m,
        line_spacing_m=said.spacing_m,
        image_corners=said.corners,
        facility=said.facility,
        software_version=said.software,
        dem=said.dem,
    )


def _calibration(draft: Draft) -> Calibration | None:
    if draft.parts is not None:
        return _published(draft, draft.parts.calibration, draft.parts.sensor.beam_number)
    luts: dict[Polarization, ProductFile] = {
        name.polarization: file for name, file in draft.of_kind("LUT") if name.polarization
    }
    product, image_format = draft.group.identity[1:]
    if image_format == "ceos":
        return None  # no leader: the product is refused anyway, and nothing is made up for info
    if luts:
        return Calibration(None, "lut", luts)
    if draft.card4l is not None and draft.card4l.factor_db is not None:
        return Calibration(draft.card4l.factor_db, "summary")
    if product.level != "1.1" and product.option == "G":
        return Calibration(CALIBRATION_FACTOR_DB, "default")
    return None


def _published(
    draft: Draft, said: Calibration | None, beam_number: int | None
) -> Calibration | None:
    """Return the leader's factor, or what JAXA has published instead of it."""
    product = draft.group.identity[1]
    processing = _processing(draft)
    if said is None or said.factor_db is None or said.luts:
        return said
    offset_db = SLC_CALIBRATION_OFFSET_DB if product.level == "1.1" else 0.0
    exception = published_exception(
        product.mode,
        beam_number=beam_number,
        processed=processing.time if processing else None,
        leader_factor_db=said.factor_db - offset_db,
    )
    if exception is None:
        return said
    factor = factor_for(product.level, None, instead=exception)
    return Calibration(factor.db, factor.source)


def _processing(draft: Draft) -> Processing | None:
    if draft.summary is not None and draft.summary.processing is not None:
        return draft.summary.processing
    text = (draft.volume.text or {}).get("process") if draft.volume else None
    try:
        return parse_processing(str(text)) if text else None
    except ValueError:
        return None  # a remark in the volume directory that summary.txt says better


def _scene_times(draft: Draft) -> tuple[datetime | None, datetime | None, datetime | None]:
    """Start, centre, end: by the summary, else by leader and line times."""
    summary, kml = draft.summary, draft.kml
    start = summary.time("Img_SceneStartDateTime") if summary else None
    center = summary.time("Img_SceneCenterDateTime") if summary else None
    end = summary.time("Img_SceneEndDateTime") if summary else None
    timings = [(image.timing, image.shape.lines) for image in draft.images if image.timing]
    if timings and start is None:
        start = min(timing.first_line_time for timing, _ in timings)
    if timings and end is None:
        end = max(
            timing.first_line_time + timedelta(seconds=(lines - 1) * timing.line_interval_s)
            for timing, lines in timings
        )
    if center is None and draft.parts is not None:
        center = draft.parts.center_time
    if (
        kml is not None
        and summary is None
        and draft.parts is None
        and kml.scene_id == str(draft.group.identity[0])
    ):
        start, center, end = start or kml.start_time, center or kml.center_time, end or kml.end_time
    return start, center, end


def _sensor(draft: Draft) -> Sensor:
    sensor = draft.parts.sensor if draft.parts else Sensor()
    if sensor.off_nadir_deg is None and draft.summary is not None:
        return replace(sensor, off_nadir_deg=draft.summary.number("Img_OffNadirAngle"))
    return sensor


def _spacings(draft: Draft) -> tuple[float | None, float | None]:
    """Pixel and line spacing, m: of the map for detected images, else of the slant image."""
    if draft.parts is not None and draft.parts.pixel_spacing_m is not None:
        return draft.parts.pixel_spacing_m, draft.parts.line_spacing_m
    number = draft.summary.number("Pds_PixelSpacing") if draft.summary else None
    said = number if number is not None and number > 0.0 else None
    return said, said


def _all_files(draft: Draft) -> tuple[ProductFile, ...]:
    files: Sequence[ProductFile] = [file for _, file in draft.files]
    if draft.group.summary is not None:
        member = draft.group.summary.member
        files = [*files, ProductFile(member.name, "SUMMARY", member.size, member)]
    return tuple(sorted(files, key=lambda file: file.name))


def _product(draft: Draft) -> Product:
    scene, product, image_format = draft.group.identity
    summary, parts = draft.summary, draft.parts
    start, center, end = _scene_times(draft)
    pixel_spacing_m, line_spacing_m = _spacings(draft)
    processing = _processing(draft)

    def said(key: str) -> str | None:
        return summary.text(key) if summary else None

    version = parts.leader.data_set_summary["version"] if parts else None
    return Product(
        scene=scene,
        product=product,
        level=product.level,
        format=image_format,
        files=_all_files(draft),
        images=tuple(draft.images),
        problems=tuple(dict.fromkeys(draft.problems)),
        center_time=center,
        start_time=start,
        end_time=end,
        processed_time=processing.time if processing else None,
        sensor=_sensor(draft),
        calibration=_calibration(draft),
        orbit=parts.orbit if parts else None,
        orbit_precision=said("Pds_OrbitDataPrecision")
        or (parts.orbit_precision if parts else None),
        polynomials=parts.polynomials if parts else None,
        grid=draft.grid,
        pixel_spacing_m=pixel_spacing_m,
        line_spacing_m=line_spacing_m,
        image_corners=summary.image_corners if summary else None,
        frame_corners=summary.frame_corners if summary else None,
        kml_corners=draft.kml.corners if draft.kml else None,
        facility=said("Lbi_ProcessFacility") or (processing.facility if processing else None),
        software_version=str(version).strip() if version else None,
        resampling=said("Pds_ResamplingMethod"),
        dem=said("Pds_DigitalElevationModel"),
        geoid=said("Pds_GeoidModel"),
        scene_shift=summary.integer("Scs_SceneShift") if summary else None,
        summary=summary.values if summary else {},
    )
