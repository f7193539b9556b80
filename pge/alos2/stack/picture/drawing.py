"""A drawing of lines, areas and words, written as SVG or painted as PNG: both look the same.

Positions are pixels of the SVG, y downwards. Nothing outside of the file is needed to show it.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from PIL import Image, ImageColor, ImageDraw, ImageFont
from shapely.geometry.base import BaseGeometry

Point: TypeAlias = tuple[float, float]
Anchor: TypeAlias = Literal["start", "middle", "end"]

FONT: Final = "Aileron, Helvetica, Arial, sans-serif"
_PNG_SCALE: Final = 2
"""PNGs have twice the pixels, for sharp screens; they are painted with twice as many again."""
_SMOOTH: Final = 2
_ASCENT: Final = 0.36
"""From the middle of a line of small letters to its base line, of the font's size."""


class Area(NamedTuple):
    """Filled rings."""

    rings: tuple[tuple[Point, ...], ...]
    """Outlines and holes: what an even number of them encloses is not filled."""
    fill: str
    opacity: float = 1.0


class Stroke(NamedTuple):
    """A line."""

    points: tuple[Point, ...]
    stroke: str
    width: float = 1.0
    opacity: float = 1.0
    dash: tuple[float, float] | None = None


class Words(NamedTuple):
    """A line of text; `at` is the middle of its height."""

    at: Point
    text: str
    size: float = 13.0
    fill: str = "#1f2933"
    anchor: Anchor = "start"
    bold: bool = False
    halo: str | None = None
    """Colour behind the letters, so that they can be read on lines."""


Shape: TypeAlias = Area | Stroke | Words


@dataclass
class Drawing:
    """Shapes, the later ones above."""

    width: int
    height: int
    background: str = "#ffffff"
    title: str = ""
    """For those who hear it."""
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        """Draw something above all else."""
        self.shapes.extend(shapes)

    def fill(self, geometry: BaseGeometry, colour: str, opacity: float = 1.0) -> None:
        """Fill a shapely geometry."""
        for polygon in polygons(geometry):
            rings = (polygon.exterior, *polygon.interiors)
            self.add(Area(tuple(_points(ring) for ring in rings), colour, opacity))

    def outline(
        self,
        geometry: BaseGeometry,
        colour: str,
        width: float = 1.0,
        opacity: float = 1.0,
        dash: tuple[float, float] | None = None,
    ) -> None:
        """Draw the lines of a shapely geometry."""
        for line in lines(geometry):
            self.add(Stroke(_points(line), colour, width, opacity, dash))

    def rectangle(self, x: float, y: float, w: float, h: float, colour: str) -> None:
        """Fill a rectangle."""
        self.add(Area((((x, y), (x + w, y), (x + w, y + h), (x, y + h)),), colour))

    def svg(self) -> str:
        """Return it as SVG."""
        inside = "\n".join(_svg(shape) for shape in self.shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" '
            f'height="{self.height}" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'font-family="{FONT}">\n<title>{escape(self.title)}</title>\n'
            f'<rect width="100%" height="100%" fill="{self.background}"/>\n{inside}\n</svg>\n'
        )

    def png(self) -> bytes:
        """Return it as PNG."""
        scale = _PNG_SCALE * _SMOOTH
        size = (self.width * scale, self.height * scale)
        image = Image.new("RGB", size, self.background)
        words = [shape for shape in self.shapes if isinstance(shape, Words)]
        for shape in self.shapes:
            if isinstance(shape, Area):
                _paint_area(image, shape, scale)
            elif isinstance(shape, Stroke):
                _paint_path(image, shape, scale)
        small = image.resize(
            (self.width * _PNG_SCALE, self.height * _PNG_SCALE), Image.Resampling.BOX
        )
        pen = ImageDraw.Draw(small)
        for shape in words:
            _paint_words(pen, shape, _PNG_SCALE)
        out = io.BytesIO()
        small.save(out, "PNG", compress_level=5)
        return out.getvalue()


def text_width(text: str, size: float) -> float:
    """Return how wide a line of text is, pixels."""
    return float(_font(100).getlength(text)) * size / 100.0


def polygons(geometry: Any) -> list[Any]:
    """Return the polygons of a shapely geometry."""
    if geometry.geom_type == "Polygon":
        return [] if geometry.is_empty else [geometry]
    return [one for part in getattr(geometry, "geoms", ()) for one in polygons(part)]


def lines(geometry: Any) -> list[Any]:
    """Return the lines of a shapely geometry; of areas the outlines."""
    if geometry.is_empty:
        return []
    if geometry.geom_type in ("LineString", "LinearRing"):
        return [geometry]
    if geometry.geom_type == "Polygon":
        return [geometry.exterior, *geometry.interiors]
    return [one for part in getattr(geometry, "geoms", ()) for one in lines(part)]


def _points(line: Any) -> tuple[Point, ...]:
    return tuple((float(x), float(y)) for x, y in line.coords)


def _svg(shape: Shape) -> str:
    if isinstance(shape, Words):
        x, y = shape.at
        more = ' font-weight="600"' if shape.bold else ""
        if shape.halo:
            more += f' stroke="{shape.halo}" stroke-width="3" paint-order="stroke"'
        return (
            f'<text x="{x:.1f}" y="{y + _ASCENT * shape.size:.1f}" font-size="{shape.size:g}" '
            f'fill="{shape.fill}" text-anchor="{shape.anchor}"{more}>{escape(shape.text)}</text>'
        )
    if isinstance(shape, Area):
        d = " ".join(f"M{_svg_points(ring)}Z" for ring in shape.rings)
        return (
            f'<path d="{d}" fill={quoteattr(shape.fill)} fill-rule="evenodd"'
            f"{_svg_opacity(shape.opacity)}/>"
        )
    dash = f' stroke-dasharray="{shape.dash[0]:g} {shape.dash[1]:g}"' if shape.dash else ""
    return (
        f'<path d="M{_svg_points(shape.points)}" fill="none" stroke={quoteattr(shape.stroke)} '
        f'stroke-width="{shape.width:g}" stroke-linejoin="round"'
        f"{_svg_opacity(shape.opacity)}{dash}/>"
    )


def _svg_points(points: Iterable[Point]) -> str:
    return "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _svg_opacity(opacity: float) -> str:
    return "" if opacity >= 1.0 else f' opacity="{opacity:.3g}"'


@lru_cache(maxsize=32)
def _font(size: int) -> Any:
    return ImageFont.load_default(size)


def _paint_area(image: Any, area: Area, scale: int) -> None:
    rings = [[(x * scale, y * scale) for x, y in ring] for ring in area.rings]
    mask, corner = _mask(image, [point for ring in rings for point in ring], 1.0)
    if mask is None:
        return
    # Even-odd: a ring within a ring is cut out again.
    pen = ImageDraw.Draw(mask)
    for number, ring in enumerate(rings):
        if len(ring) >= 3:
            pen.polygon(_moved(ring, corner), fill=0 if number else round(255 * area.opacity))
    image.paste(ImageColor.getrgb(area.fill), corner, mask)


def _paint_path(image: Any, path: Stroke, scale: int) -> None:
    points = [(x * scale, y * scale) for x, y in path.points]
    width = max(1, round(path.width * scale))
    mask, corner = _mask(image, points, width)
    if mask is None:
        return
    pen = ImageDraw.Draw(mask)
    dash = None if path.dash is None else (path.dash[0] * scale, path.dash[1] * scale)
    for piece in [points] if dash is None else _dashes(points, dash):
        pen.line(_moved(piece, corner), fill=round(255 * path.opacity), width=width, joint="curve")
    image.paste(ImageColor.getrgb(path.stroke), corner, mask)


def _mask(image: Any, points: Sequence[Point], edge: float) -> tuple[Any, tuple[int, int]]:
    """Return an empty mask that holds some points, and where in the image it begins."""
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    left, top = max(0, int(min(xs) - edge)), max(0, int(min(ys) - edge))
    right = min(image.width, int(max(xs) + edge) + 2)
    bottom = min(image.height, int(max(ys) + edge) + 2)
    if right <= left or bottom <= top:
        return None, (0, 0)
    return Image.new("L", (right - left, bottom - top), 0), (left, top)


def _moved(points: Iterable[Point], corner: tuple[int, int]) -> list[Point]:
    return [(x - corner[0], y - corner[1]) for x, y in points]


def _dashes(points: Sequence[Point], dash: tuple[float, float]) -> list[list[Point]]:
    """Cut a line into dashes."""
    on, off = dash
    pieces: list[list[Point]] = []
    piece: list[Point] = [points[0]]
    drawn, left = True, on
    for (x0, y0), (x1, y1) in pairwise(points):
        length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
        done = 0.0
        while length - done > left:
            done += left
            at = (x0 + (x1 - x0) * done / length, y0 + (y1 - y0) * done / length)
            if drawn:
                pieces.append([*piece, at])
            drawn, left, piece = not drawn, off if drawn else on, [at]
        left -= length - done
        if drawn:
            piece.append((x1, y1))
    if drawn and len(piece) > 1:
        pieces.append(piece)
    return pieces


def _paint_words(pen: Any, words: Words, scale: int) -> None:
    anchor = {"start": "l", "middle": "m", "end": "r"}[words.anchor] + "s"
    x, y = words.at[0] * scale, (words.at[1] + _ASCENT * words.size) * scale
    options: dict[str, Any] = {"font": _font(round(words.size * scale)), "anchor": anchor}
    if words.halo:
        options |= {"stroke_width": round(1.5 * scale), "stroke_fill": words.halo}
        pen.text((x, y), words.text, fill=words.fill, **options)
    elif words.bold:
        options |= {"stroke_width": 0.25 * scale, "stroke_fill": words.fill}
        pen.text((x, y), words.text, fill=words.fill, **options)
    else:
        pen.text((x, y), words.text, fill=words.fill, **options)
