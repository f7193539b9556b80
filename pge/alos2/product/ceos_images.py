"""CEOS images: sizes and, at level 1.1, where their samples lie in time and slant range.

Only descriptors and line prefixes are read, never pixels. Timing: the first line's microseconds
of the day with its year and day of year (milliseconds where the former are zero, as in sarpy);
1/PRF a line, PRF from the leader (its millihertz have seven decimals), for ScanSAR from the
line's prefix, as each beam has its own; slant range of the first pixel in whole metres, as JAXA
stores it, and c/(2 fs) a pixel. Public readers (ISCE2, sarpy) agree on these.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from alos2.archive.members import is_seekable_cheaply
from alos2.ceos.image_header import ImageHeader, decode_prefix, read_image_header
from alos2.ceos.reader import Leader, read_image_descriptor
from alos2.constants import SPEED_OF_LIGHT_M_S
from alos2.errors import BadName, BadProduct, BadRecord
from alos2.naming import FileName
from alos2.product.model import Image, Problem, ProblemCode, ProductFile, SlantRangeTiming
from alos2.types import RasterShape

_HEAD_BYTES: Final = 720 + 544
_RANGE_M: Final = (300_000, 3_000_000)
"""Slant ranges that an orbit 628 km high can have, generously."""
_LAST_LINE_TOLERANCE_S: Final = 0.1


def read_ceos_image(
    file: ProductFile, name: FileName, leader: Leader | None, fallback: RasterShape | None
) -> tuple[Image | None, list[Problem]]:
    """Read descriptor and first prefix of an image; what is wrong with it becomes problems.

    Parameters
    ----------
    file : ProductFile
        The IMG file, on disk or in an archive.
    name : FileName
        Its parsed name.
    leader : Leader or None
        Gives PRF and sampling rate at level 1.1.
    fallback : RasterShape or None
        Size by the summary, taken where the descriptor cannot be read.

    Returns
    -------
    image : Image or None
        None where neither the descriptor nor the summary gives a size.
    problems : list of Problem
    """
    if name.polarization is None or name.product is None:
        raise BadName(f"{file.name} is not the name of an image")
    slc = name.product.level == "1.1"
    base = Image(
        file=file,
        polarization=name.polarization,
        beam=name.beam,
        shape=fallback or RasterShape(0, 0),
        dtype="complex64" if slc else "uint16",
    )
    spare = base if fallback else None
    if not file.size_bytes:
        return spare, [Problem("empty_image", f"{file.name} is empty (0 bytes)", file.name)]
    head = b""
    try:
        head = file.member.read_head(_HEAD_BYTES)
        header = read_image_header(head, name=file.name)
    except BadProduct as error:
        code: ProblemCode = "empty_image" if _says_no_lines(head, file.name) else "bad_image"
        return spare, [Problem(code, error.message, file.name)]
    image = replace(
        base,
        shape=header.shape,
        prefix_bytes=header.prefix_bytes,
        header_bytes=header.descriptor_bytes,
        record_bytes=header.record_bytes,
    )
    problems = _size_problems(image)
    if (header.family == "signal") != slc:
        message = f"{file.name} holds {header.family} data, which is not level {name.product.level}"
        problems.append(Problem("contradiction", message, file.name))
    elif slc and header.first_prefix is not None:
        image, more = _with_timing(image, name, header, leader)
        problems += more
    return image, problems


def _says_no_lines(head: bytes, name: str) -> bool:
    """Tell an image without lines from one whose descriptor is damaged."""
    try:
        descriptor = read_image_descriptor(head, name=name)
    except BadProduct:
        return False
    return not (descriptor["lines"] or descriptor["record_count"])


def _size_problems(image: Image) -> list[Problem]:
    """Compare the file's size with its descriptor."""
    name, size = image.file.name, image.file.size_bytes
    expected = image.header_bytes + image.shape.lines * image.record_bytes
    found = max(size - image.header_bytes, 0) // image.record_bytes
    if size < expected:
        message = (
            f"{name} has {found} of the {image.shape.lines} lines that its descriptor says "
            f"({size} of {expected} bytes)"
        )
        return [Problem("short_image", message, name)]
    if size > expected:
        message = f"{name} is {size - expected} bytes longer than its descriptor says ({expected})"
        return [Problem("bad_image", message, name, blocks_ingest=False)]
    return []


def line_time(prefix: Mapping[str, Any], *, where: str) -> datetime:
    """UTC of a line: year, day of year, microseconds of the day (or milliseconds).

    Raises
    ------
    BadRecord
        The numbers are no time.
    """
    year, day = prefix["year"], prefix["day_of_year"]
    micro = prefix.get("us_of_day") or prefix["ms_of_day"] * 1000
    # 86,401 s: a day with a leap second; its last second rolls over.
    if not (2014 <= year <= 2099 and 1 <= day <= 366 and 0 <= micro < 86_401_000_000):
        raise BadRecord(
            f"{where}: the line's time is year {year}, day {day}, {micro} us, which cannot be"
        )
    start = datetime(year, 1, 1, tzinfo=timezone.utc)
    return start + timedelta(days=day - 1, microseconds=micro)


def _with_timing(
    image: Image, name: FileName, header: ImageHeader, leader: Leader | None
) -> tuple[Image, list[Problem]]:
    prefix, where = header.first_prefix, f"{image.file.name}, line 0"
    if prefix is None or leader is None or name.product is None:
        return image, []
    try:
        prf_hz = _prf_hz(leader, prefix, scansar=name.product.is_scansar, where=where)
        timing = _timing(leader, prefix, prf_hz, where=where)
    except BadRecord as error:
        return image, [Problem("bad_image", error.message, image.file.name)]
    timing, problems = _checked_by_last_line(image, timing)
    return replace(image, timing=timing, prf_hz=prf_hz), problems


def _timing(
    leader: Leader, prefix: Mapping[str, Any], prf_hz: float, *, where: str
) -> SlantRangeTiming:
    sampling_mhz = leader.data_set_summary["sampling_rate_mhz"] or 0.0
    if not sampling_mhz > 0.0:
        raise BadRecord(f"{leader.name}: the data set summary gives no sampling rate")
    near_m = prefix["slant_range_first_m"]
    if not _RANGE_M[0] <= near_m <= _RANGE_M[1]:
        raise BadRecord(f"{where}: slant range of the first pixel is {near_m} m")
    return SlantRangeTiming(
        first_line_time=line_time(prefix, where=where),
        line_interval_s=1.0 / prf_hz,
        near_range_m=float(near_m),
        range_spacing_m=SPEED_OF_LIGHT_M_S / (2.0e6 * sampling_mhz),
    )


def _prf_hz(leader: Leader, prefix: Mapping[str, Any], *, scansar: bool, where: str) -> float:
    by_leader = (leader.data_set_summary["prf_mhz"] or 0.0) / 1000.0
    by_line = prefix["prf_mhz"] / 1000.0
    for prf_hz in (by_line, by_leader) if scansar else (by_leader, by_line):
        if 100.0 <= prf_hz <= 20_000.0:
            return float(prf_hz)
    raise BadRecord(
        f"{where}: no PRF: the leader says {by_leader:g} Hz, the line's prefix {by_line:g} Hz"
    )


def _checked_by_last_line(
    image: Image, timing: SlantRangeTiming
) -> tuple[SlantRangeTiming, list[Problem]]:
    """Compare the last line's time with the PRF; burst images take their interval from it.

    Lines of a burst (SPECAN) image are not pulses, so that 1/PRF is not their spacing.
    """
    lines, file = image.shape.lines, image.file
    burst = image.beam is not None and image.beam.method == "B"
    offset = image.header_bytes + (lines - 1) * image.record_bytes
    if (
        lines < 2
        or not is_seekable_cheaply(file.member)
        or file.size_bytes < offset + image.record_bytes
    ):
        return timing, []
    where = f"{file.name}, line {lines - 1}"
    try:
        with file.member.open() as opened:
            opened.seek(offset, os.SEEK_SET)
            last = line_time(
                decode_prefix(opened.read(image.prefix_bytes), where=where), where=where
            )
    except BadProduct as error:
        # Readers live with garbage in late headers (the pixels may be good): a remark, no more.
        return timing, [Problem("bad_image", error.message, file.name, blocks_ingest=False)]
    span_s = (last - timing.first_line_time).total_seconds()
    if burst and span_s > 0.0:
        return replace(timing, line_interval_s=span_s / (lines - 1)), []
    expected_s = (lines - 1) * timing.line_interval_s
    if abs(span_s - expected_s) > _LAST_LINE_TOLERANCE_S:
        message = (
            f"{file.name}: its lines span {span_s:.3f} s by their own times and "
            f"{expected_s:.3f} s by the PRF ({image.shape.lines} lines)"
        )
        return timing, [Problem("contradiction", message, file.name, blocks_ingest=False)]
    return timing, []
