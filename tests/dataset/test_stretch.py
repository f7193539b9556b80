"""Grey levels of another dataset."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from alos2.dataset.content import Content
from alos2.dataset.documents import make_documents
from alos2.dataset.stretch import read_stretch
from alos2.errors import UsageError


def test_from_a_dataset_its_met_json_and_plain_json(
    content_of: Callable[[str], Content], tmp_path: Path
) -> None:
    documents = make_documents(content_of("slc"))
    folder = tmp_path / documents.id
    folder.mkdir()
    for name, data in documents.files.items():
        (folder / name).write_bytes(data)
    expected = {"HH": (-24.5, 1.25), "HV": (-24.5, 1.25), "ratio": (3.5, 12.25)}
    assert read_stretch(folder) == expected
    assert read_stretch(folder / f"{documents.id}.met.json") == expected
    plain = tmp_path / "levels.json"
    plain.write_text(json.dumps({"HH": [-20, 0]}))
    assert read_stretch(plain) == {"HH": (-20.0, 0.0)}


@pytest.mark.parametrize(
    "text",
    ["", "[1, 2]", "{}", '{"HH": 3}', '{"HH": [1]}', '{"HH": [1, true]}', '{"HH": [1, NaN]}',
     '{"stretch_db": {}}', '{"stretch_db": {"HH": ["a", "b"]}}'],
)  # fmt: skip
def test_what_holds_no_levels_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "levels.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"levels\.json"):
        read_stretch(path)
    with pytest.raises(UsageError):
        read_stretch(tmp_path)
