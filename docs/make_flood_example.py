"""Make the pictures of docs/example-flood.md from what ``alos2 demo --stack`` has made.

``python docs/make_flood_example.py [DEMO [OUT]]``: DEMO is the folder of the demo (made, if it is
not there), OUT takes the pictures (docs/stacks).
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pyproj import Transformer

from alos2.animation import AnimationOptions, Frame, animate, before_after, metric_quicklooks
from alos2.cli.main import main as alos2
from alos2.raster.lean import RasterioWindow, rasterio
from alos2.simulate.ground import TangentPlane
from alos2.stack.picture.drawing import Area, Drawing, Stroke, Words
from alos2.timeseries.model import Series
from alos2.timeseries.series import load_series

INK, PALE, RULE = "#1f2933", "#5f6c7b", "#e1e7ed"
PLACES = (
    ("field, flooded on three dates", (-2150.0, -450.0), "#0072b2"),
    ("field, flooded on two", (225.0, 1250.0), "#009e73"),
    ("wood in the plain, flooded", (-320.0, -660.0), "#d55e00"),
    ("wood on a hill", (-1500.0, 2300.0), "#7a5a3a"),
)
"""What is plotted: metres east and north of the ground's centre."""
HALF = 3
"""Of the window that is averaged round a place, pixels."""


def frames_of(track: Path) -> list[Frame]:
    """Give the dates of a track, HH and HV."""
    both = {pol: load_series(track / "Timeseries", pol) for pol in ("HH", "HV")}
    return [
        Frame(hh.when, {"HH": hh.path, "HV": hv.path}, both["HH"].encoding.decode)
        for hh, hv in zip(both["HH"].layers, both["HV"].layers, strict=True)
    ]


def in_few(
    images: Sequence[Image.Image], colours: int, *, caption: bool = True
) -> list[Image.Image]:
    """Give images of one size in a few colours that all of them share."""
    width, height = images[0].size
    # Captions count several times: the colours of their legends are small.
    band = [images[0].crop((0, round(height * 0.85), width, height))] * (12 * len(images) * caption)
    parts = [*images, *band]
    whole = Image.new("RGB", (width, sum(part.height for part in parts)))
    top = 0
    for part in parts:
        whole.paste(part, (0, top))
        top += part.height
    palette = whole.quantize(colours, dither=Image.Dither.NONE)
    return [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """Give an image in RGB, at most `width` wide."""
    seen = image.convert("RGB")
    if width >= seen.width:
        return seen
    height = round(seen.height * width / seen.width)
    return seen.resize((width, height), Image.Resampling.LANCZOS)


def saved(
    image: Image.Image, path: Path, width: int, colours: int = 128, *, caption: bool = True
) -> None:
    """Write a PNG for a page."""
    in_few([narrowed(image, width)], colours, caption=caption)[0].save(path, optimize=True)


def saved_film(film: Image.Image, path: Path, width: int, colours: int) -> None:
    """Write a GIF for a page."""
    frames = []
    for number in range(film.n_frames):
        film.seek(number)
        frames.append(narrowed(film, width))
    first, *rest = in_few(frames, colours)
    first.save(path, save_all=True, append_images=rest, duration=1000, loop=0, optimize=False)


def sheet(paths: Sequence[Path], columns: int) -> Image.Image:
    """Put pictures of one size side by side."""
    pictures = [Image.open(path).convert("RGB") for path in paths]
    width = max(p.width for p in pictures) + 6
    height = max(p.height for p in pictures) + 6
    rows = -(-len(pictures) // columns)
    whole = Image.new("RGB", (columns * width - 6, rows * height - 6), "white")
    for number, picture in enumerate(pictures):
        whole.paste(picture, (number % columns * width, number // columns * height))
    return whole


def values_at(
    series: Series, place: tuple[float, float], center: tuple[float, float]
) -> list[float]:
    """Mean power round a place, dB, of each date."""
    lon, lat = TangentPlane(*center).lonlat(*place)
    to_map = Transformer.from_crs("EPSG:4326", series.grid.crs_wkt, always_xy=True)
    east, north = to_map.transform(float(lon), float(lat))
    a, _, c, _, e, f = series.grid.transform
    pixel, line = int((east - c) // a), int((north - f) // e)
    window = RasterioWindow(pixel - HALF, line - HALF, 2 * HALF + 1, 2 * HALF + 1)
    found = []
    for layer in series.layers:
        with rasterio.open(layer.path) as file:
            power = series.encoding.decode(file.read(layer.band, window=window))
        found.append(10.0 * float(np.log10(np.nanmean(power))))
    return found


def plot(series: Series, center: tuple[float, float], days: Sequence[str]) -> Drawing:
    """Draw what becomes of some places."""
    low, high = -26.0, -2.0
    left, right, top, bottom = 64.0, 620.0, 56.0, 330.0
    drawing = Drawing(900, 380, title="HH of four places before, during and after the flood")
    times = [layer.when.timestamp() for layer in series.layers]
    first, span = times[0] - 6 * 86400.0, times[-1] - times[0] + 12 * 86400.0

    def at(time: float, decibels: float) -> tuple[float, float]:
        return (
            left + (right - left) * (time - first) / span,
            bottom - (bottom - top) * (decibels - low) / (high - low),
        )

    drawing.add(Words((left, 24), "Gamma nought of HH, terrain-flattened, dB", 17, INK, bold=True))
    begin, end = (at(np.datetime64(day, "s").astype(int), low)[0] for day in days)
    drawing.add(Area((((begin, top), (end, top), (end, bottom), (begin, bottom)),), "#d9e8f5"))
    drawing.add(Words(((begin + end) / 2, top + 12), "flood", 12, "#3d6f9e", "middle"))
    for decibels in range(int(low) + 1, int(high) + 1, 5):
        y = at(times[0], decibels)[1]
        drawing.add(Stroke(((left, y), (right, y)), RULE, 1.0))
        drawing.add(Words((left - 10, y), f"{decibels}", 12, PALE, "end"))
    for layer, time in zip(series.layers, times, strict=True):
        x = at(time, low)[0]
        drawing.add(Stroke(((x, bottom), (x, bottom + 5)), PALE, 1.0))
        drawing.add(Words((x, bottom + 17), f"{layer.when:%d %b}", 11, PALE, "middle"))
    ends = []
    for name, place, colour in PLACES:
        seen = [at(*both) for both in zip(times, values_at(series, place, center), strict=True)]
        drawing.add(Stroke(tuple(seen), colour, 2.4))
        for x, y in seen:
            box = ((x - 3.5, y - 3.5), (x + 3.5, y - 3.5), (x + 3.5, y + 3.5), (x - 3.5, y + 3.5))
            drawing.add(Area((box,), colour))
        ends.append((seen[-1][1], name, colour))
    last = 0.0
    for y, name, colour in sorted(ends):
        last = max(y, last + 18)
        drawing.add(Words((right + 12, last), name, 13, colour))
    return drawing


def main() -> None:
    """Write the pictures."""
    demo = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo-stack")
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).parent / "stacks"
    if not (demo / "stack").is_dir() and alos2(["demo", "--stack", str(demo)]) != 0:
        raise SystemExit("the demo has failed")
    out.mkdir(parents=True, exist_ok=True)
    truth = json.loads((demo / "deliveries" / "stack.truth.json").read_text(encoding="utf-8"))
    track = sorted(path for path in (demo / "stack").iterdir() if path.name.startswith("P"))[0]
    frames = frames_of(track)
    film = animate(frames, out / "flood.gif", AnimationOptions(max_px=640))
    saved_film(Image.open(film), film, 390, 112)
    pair = before_after(
        frames[2], frames[3], out / "before-during.png", AnimationOptions(max_px=520)
    )
    saved(Image.open(pair), pair, 860, 192)
    with tempfile.TemporaryDirectory() as scratch:
        metrics = {m: track / "Timescan" / f"bs.HH.{m}.tif" for m in ("avg", "min", "cov")}
        looks = metric_quicklooks(metrics, Path(scratch), title="HH", max_px=400)
        saved(sheet(looks, 3), out / "metrics.png", 1000, 128)
        both = {"min": demo / "stack" / "Mosaic" / "Timescan" / "bs.HH.min.tif"}
        (mosaic,) = metric_quicklooks(both, Path(scratch), title="Mosaic HH", max_px=800)
        saved(Image.open(mosaic), out / "mosaic.png", 760, 128)
    saved(Image.open(demo / "stack" / "plan.png"), out / "plan.png", 1000, 256, caption=False)
    changes = sorted(day for day in truth["days_of_change"])
    series = load_series(track / "Timeseries", "HH")
    center = (truth["ground_center"][0], truth["ground_center"][1])
    drawn = plot(series, center, (changes[1], changes[-1]))
    saved(Image.open(io.BytesIO(drawn.png())), out / "series.png", 1100, 256, caption=False)
    for path in sorted(out.iterdir()):
        sys.stdout.write(f"{path}  {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    main()
