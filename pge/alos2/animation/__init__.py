"""Stacks as animations and pictures.

`animate` makes a GIF or MP4 of all dates, `before_after` a pair of two, `metric_quicklooks` a
picture of each metric of a timescan.
"""

from __future__ import annotations

from alos2.animation.films import animate, before_after
from alos2.animation.limits import FIXED_DB
from alos2.animation.metricpictures import metric_quicklooks
from alos2.animation.metrics import LOOKS
from alos2.animation.model import AnimationOptions, Frame
from alos2.animation.movie import find_ffmpeg

__all__ = [
    "FIXED_DB",
    "LOOKS",
    "AnimationOptions",
    "Frame",
    "animate",
    "before_after",
    "find_ffmpeg",
    "metric_quicklooks",
]
