"""A FAKE of ISCE2's ``alos2App.py``: it processes nothing.

It checks its input as the real one does, and writes files laid out as the real one's preprocessing
leaves them, with the numbers of the JSON file that $FAKE_ISCE2 names:
``{"vocabulary": ["reference", "secondary"], "swaths": [...], "vectors": [...], "sleep_s": 0}``.
"""

from __future__ import annotations

import json
import os
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def component(parent: ET.Element | None, name: str, properties: dict[str, Any]) -> ET.Element:
    element = ET.Element("component") if parent is None else ET.SubElement(parent, "component")
    element.set("name", name)
    for key, value in sorted(properties.items()):
        child = ET.SubElement(element, "property", name=key)
        ET.SubElement(child, "value").text = str(value)
    return element


def main() -> int:
    plan = json.loads(Path(os.environ["FAKE_ISCE2"]).read_text(encoding="utf-8"))
    say("This is the Open Source version of ISCE (a fake of it).")
    time.sleep(plan.get("sleep_s", 0))
    if sys.argv[1:] != ["alos2App.xml", "--steps", "--end=preprocess"]:
        say(f"unexpected arguments {sys.argv[1:]}")
        return 2
    root = ET.parse("alos2App.xml").getroot()
    given = {p.get("name"): (p.text or "").strip() for p in root.iter("property")}
    folders = []
    for word in plan.get("vocabulary", ["reference", "secondary"]):
        folder = given.get(f"{word} directory")
        if folder is None:
            say(f"AttributeError: {word} directory")
            return 1
        folders.append(folder)
    (leader,) = Path(folders[0]).glob("LED-ALOS2*-*-*")
    images = sorted(Path(folders[0]).glob(f"IMG-{given[word + ' polarization']}-ALOS2*-*-*"))
    if not images:
        say("IndexError: list index out of range")
        return 1
    frame, date = leader.name.split("-")[1][-4:], leader.name.split("-")[2]
    write(plan, frame, date, int(given.get("starting swath", 1)))
    return int(plan.get("code", 0))


def write(plan: dict[str, Any], frame: str, date: str, first_swath: int) -> None:
    folder = Path(f"f1_{frame}")
    folder.mkdir()
    unset = {"startingrange": None, "sensingstart": None, "prf": None, "numberoflines": None}
    tree = component(None, "frame", {"framenumber": frame, **unset})
    swaths = component(tree, "swaths", {})
    for number, swath in enumerate(plan["swaths"], start=first_swath):
        component(swaths, f"swath{number}", {"swathnumber": number, **swath})
    ET.ElementTree(tree).write(folder / f"{date}.frame.xml")
    track = component(None, "track", {"passdirection": "ascending", **unset})
    orbit = component(track, "orbit", {"orbit_quality": ""})
    vectors = component(orbit, "state_vectors", {})
    for number, vector in enumerate(plan["vectors"], start=1):
        component(vectors, f"statevector{number}", vector)
    ET.ElementTree(track).write(f"{date}.track.xml")


if __name__ == "__main__":
    sys.exit(main())
