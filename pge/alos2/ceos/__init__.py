"""CEOS bytes to records and back, by one table of declared layouts."""

from alos2.ceos.image import (
    CeosImage,
    ImageHeader,
    LevelFamily,
    decode_prefix,
    read_image_header,
)
from alos2.ceos.reader import (
    Leader,
    Trailer,
    Volume,
    read_image_descriptor,
    read_leader,
    read_trailer,
    read_volume,
)

__all__ = [
    "CeosImage",
    "ImageHeader",
    "Leader",
    "LevelFamily",
    "Trailer",
    "Volume",
    "decode_prefix",
    "read_image_descriptor",
    "read_image_header",
    "read_leader",
    "read_trailer",
    "read_volume",
]
