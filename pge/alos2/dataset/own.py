"""The ``alos2:`` properties of a STAC item: what no extension has a place for.

dataset.json and met.json are made of these and of the extensions' properties, and of nothing else.
"""

from __future__ import annotations

from alos2.dataset.content import Content
from alos2.dataset.footprint_report import FootprintAnswer, FootprintReport
from alos2.dataset.identity import DATASET_VERSION
from alos2.dataset.jsontext import plain, plain_geometry
from alos2.dataset.line import problem_json
from alos2.dataset.pictured import picture_fields
from alos2.dataset.times import utc_text_or_none
from alos2.product.model import Calibration, Image, Product, ProductFile
from alos2.types import Json

DISTANCE_DECIMALS = 1
"""Decimals of distances between footprints, m."""


def own_fields(content: Content) -> Json:
    """Return all ``alos2:`` properties; null where a delivery does not say."""
    product, kind = content.product, content.kind
    archive = content.archive
    fields = {
        "type": kind.type,
        "dataset": kind.dataset,
        "version": DATASET_VERSION,
        "scene": str(product.scene),
        "product": str(product.product),
        "level": product.level,
        "format": product.format,
        "option": product.product.option,
        "projection": product.product.projection,
        "look": product.look,
        "pass": product.pass_direction,
        "orbit": product.scene.orbit,
        "frame": product.scene.frame,
        "path": product.scene.path,
        "date": product.scene.date.isoformat(),
        "beams": [str(beam) for beam in product.beams],
        "starttime": utc_text_or_none(product.start_time),
        "endtime": utc_text_or_none(product.end_time),
        "processed": utc_text_or_none(product.processed_time),
        "archive": None if archive is None else archive.name,
        "repacked": None if archive is None else archive.repacked,
        "stays_at": [str(path) for path in content.stays_at],
        "files": [file_json(file) for file in product.files],
        "images": [_image_json(image) for image in product.images],
        "footprint": _footprint_json(content.footprint),
        "calibration": _calibration_json(product.calibration),
        "sensor": _sensor_json(product),
        "processing": _processing_json(product),
        **picture_fields(content.pictures),
        "problems": [problem_json(problem) for problem in product.problems],
        "source": content.source.to_json(),
        "tags": list(content.tags),
        "summary": dict(product.summary),
    }
    return {f"alos2:{name}": plain(value) for name, value in fields.items()}


def own_fields_of_processing(product: Product) -> Json:
    """Return what tells one processing of a scene from another, as the item writes it."""
    facts = _processing_json(product)
    names = ("pixel_spacing_m", "line_spacing_m", "software_version", "resampling", "dem")
    compared: Json = plain(
        {
            "processed": utc_text_or_none(product.processed_time),
            **{name: facts[name] for name in names},
        }
    )
    return compared


def file_json(file: ProductFile) -> Json:
    """Return one file of the product."""
    return {
        "name": file.name,
        "kind": file.kind,
        "size": file.size_bytes,
        "sha256": file.sha256,
        "polarization": file.polarization,
        "beam": None if file.beam is None else str(file.beam),
    }


def _image_json(image: Image) -> Json:
    timing = image.timing
    return {
        "file": image.file.name,
        "polarization": image.polarization,
        "beam": None if image.beam is None else str(image.beam),
        "lines": image.shape.lines,
        "pixels": image.shape.pixels,
        "dtype": image.dtype,
        "header_bytes": image.header_bytes,
        "record_bytes": image.record_bytes,
        "prefix_bytes": image.prefix_bytes,
        "prf_hz": image.prf_hz,
        "first_line_time": None if timing is None else utc_text_or_none(timing.first_line_time),
        "line_interval_s": None if timing is None else timing.line_interval_s,
        "near_range_m": None if timing is None else timing.near_range_m,
        "range_spacing_m": None if timing is None else timing.range_spacing_m,
    }


def _footprint_json(report: FootprintReport) -> Json:
    return {
        "source": report.chosen.source,
        "method": report.chosen.method,
        "answers": [_answer_json(answer, report) for answer in report.answers],
        "failures": [
            {"source": source, "reason": reason} for source, reason in report.failures.items()
        ],
    }


def _answer_json(answer: FootprintAnswer, report: FootprintReport) -> Json:
    is_chosen = answer == report.chosen
    distance_m = 0.0 if is_chosen else report.distances_m.get(answer.source)
    return {
        "source": answer.source,
        "method": answer.method,
        "chosen": is_chosen,
        "accepted": answer.accepted,
        "reason": answer.reason,
        "distance_m": None if distance_m is None else round(distance_m, DISTANCE_DECIMALS),
        "geometry": plain_geometry(answer.geometry),
        "details": dict(answer.details),
    }


def _calibration_json(calibration: Calibration | None) -> Json | None:
    if calibration is None:
        return None
    return {
        "factor_db": calibration.factor_db,
        "source": calibration.source,
        "luts": {pol: file.name for pol, file in calibration.luts.items()},
    }


def _sensor_json(product: Product) -> Json:
    sensor = product.sensor
    polynomial = sensor.incidence_polynomial
    return {
        "wavelength_m": sensor.wavelength_m,
        "prf_hz": sensor.prf_hz,
        "sampling_rate_hz": sensor.sampling_rate_hz,
        "range_bandwidth_hz": sensor.range_bandwidth_hz,
        "azimuth_bandwidth_hz": sensor.azimuth_bandwidth_hz,
        "pulse_length_s": sensor.pulse_length_s,
        "beam_number": sensor.beam_number,
        "doppler_hz": sensor.doppler_hz,
        "doppler_hz_per_km": sensor.doppler_hz_per_km,
        "heading_deg": sensor.heading_deg,
        "incidence_polynomial": None if polynomial is None else list(polynomial),
    }


def _processing_json(product: Product) -> Json:
    return {
        "facility": product.facility,
        "software_version": product.software_version,
        "resampling": product.resampling,
        "dem": product.dem,
        "geoid": product.geoid,
        "scene_shift": product.scene_shift,
        "orbit_precision": product.orbit_precision,
        "pixel_spacing_m": product.pixel_spacing_m,
        "line_spacing_m": product.line_spacing_m,
        "leader_from": product.leader_from,
    }
