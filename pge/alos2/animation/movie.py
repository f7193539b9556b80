"""MP4 of a stack, by a separate program: ffmpeg, which frames are piped to.

ffmpeg is that of the package imageio-ffmpeg where it is installed (extra ``movie``), else the one
on the search path. H.264 in yuv420p with the index in front plays in every browser. No times, no
versions and one thread: the same frames make the same bytes by the same ffmpeg. The colours' matrix
(ITU-R BT.709) is written down, for players guess it by the size of the picture.
"""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Final

from PIL import Image

from alos2.animation.drawing import BAND
from alos2.errors import NoResource
from alos2.raster.files import refusal

FPS: Final = 10
"""Frames a second of the file; a date is repeated. Players are not at ease with one a second."""
_CODECS: Final = {
    "libx264": ("-preset", "fast", "-crf", "20", "-threads", "1"),
    "libopenh264": ("-b:v", "4M", "-threads", "1"),
    "mpeg4": ("-q:v", "3", "-threads", "1"),
}
"""Encoders, the best first, and how they are asked for quality."""
_PATIENCE_S: Final = 120
"""ffmpeg has this long to finish after the last frame."""


def find_ffmpeg() -> str | None:
    """Return the program, or None where there is none."""
    try:
        return str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # not installed; installed without a program
        return shutil.which("ffmpeg")


def write_mp4(frames: Iterable[Image.Image], out: Path, seconds_per_frame: float) -> None:
    """Write frames as a film.

    Parameters
    ----------
    frames
        Of one size, RGB; taken one by one. Odd sizes get a line or column of the caption's colour.
    out
        The file; it is there whole or not at all.
    seconds_per_frame
        To tenths.

    Raises
    ------
    NoResource
        There is no ffmpeg, it has no encoder that would do, or fails.
    NoSpace
        The disk is full.
    """
    program = find_ffmpeg()
    if program is None:
        raise NoResource(
            "there is no ffmpeg to make an MP4 with",
            hint="pip install 'alos2-ingest[movie]', or put ffmpeg on the PATH, or write a .gif",
        )
    encoder = _encoder(program)
    source = iter(frames)
    first = _even(next(source))
    repeats = max(1, round(seconds_per_frame * FPS))
    unfinished = out.with_name(f".{out.name}.part")
    command = [
        *(program, "-hide_banner", "-nostdin", "-loglevel", "error", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{first.width}x{first.height}"),
        *("-framerate", f"{FPS}/{repeats}", "-i", "pipe:0"),
        *("-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact"),
        *("-vf", f"fps={FPS},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        *("-color_range", "tv", "-c:v", encoder, *_CODECS[encoder]),
        *(
            "-pix_fmt",
            "yuv420p",
            "-movflags",
            "+faststart",
            "-f",
            "mp4",
            str(unfinished.absolute()),
        ),
    ]
    try:
        _run(command, _pixels(first, source))
        unfinished.replace(out)
    except OSError as error:
        raise refusal(out, error) from error
    finally:
        unfinished.unlink(missing_ok=True)


def _pixels(first: Image.Image, rest: Iterator[Image.Image]) -> Iterator[bytes]:
    yield first.tobytes()
    for frame in rest:
        yield _even(frame).tobytes()


def _even(frame: Image.Image) -> Image.Image:
    """Return a frame whose sides are even numbers, as yuv420p needs them."""
    size = (frame.width + frame.width % 2, frame.height + frame.height % 2)
    if size == frame.size:
        return frame
    larger = Image.new("RGB", size, BAND)
    larger.paste(frame, (0, 0))
    return larger


def _encoder(program: str) -> str:
    try:
        said = subprocess.run(  # noqa: S603  no shell; the user's own program
            [program, "-hide_banner", "-encoders"],
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise NoResource(f"ffmpeg ({program}) does not run: {error}") from error
    words = set(said.split())
    for name in _CODECS:
        if name in words:
            return name
    raise NoResource(
        f"ffmpeg ({program}) has none of the encoders {', '.join(_CODECS)}",
        hint="pip install 'alos2-ingest[movie]', which brings one that has",
    )


def _run(command: list[str], pixels: Iterator[bytes]) -> None:
    # Its complaints go to a file: a pipe that nobody reads while frames are written would fill.
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(  # noqa: S603  no shell; arguments are ours
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints
        ) as process:
            try:
                _feed(process.stdin, pixels)
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                raise NoResource(f"ffmpeg did not end within {_PATIENCE_S} s") from None
            finally:
                if process.poll() is None:
                    process.kill()
        if process.returncode != 0:
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines()
            said = lines[-1] if lines else f"exit code {process.returncode}"
            raise NoResource(f"ffmpeg could not make the film: {said}", hint="is the disk full?")


def _feed(pipe: IO[bytes] | None, pixels: Iterator[bytes]) -> None:
    if pipe is None:
        raise ValueError("ffmpeg was started without a pipe")
    try:
        with pipe:
            for frame in pixels:
                pipe.write(frame)
    except BrokenPipeError:
        return  # ffmpeg ended before its time: its exit code and its complaint say why
