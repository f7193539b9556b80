"""Archives made by Python's own zipfile, whole and damaged."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from alos2.archive.codec import ISAL, STDLIB, Codec

MakeZip = Callable[..., bytes]


@pytest.fixture(scope="session")
def make_zip() -> MakeZip:
    """Return a function: ``make({name: bytes}, deflate=True, stream=False) -> bytes``.

    ``stream`` writes as to a pipe: sizes stand behind the data, in descriptors.
    """

    def make(
        files: Mapping[str, bytes], *, deflate: bool = True, stream: bool = False, level: int = 6
    ) -> bytes:
        class Pipe(io.BytesIO):
            def seekable(self) -> bool:
                return not stream

            def seek(self, *arguments: int) -> int:
                if stream:
                    raise io.UnsupportedOperation
                return super().seek(*arguments)

            def tell(self) -> int:
                if stream:
                    raise io.UnsupportedOperation
                return super().tell()

        out = Pipe()
        method = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
        with zipfile.ZipFile(out, "w", method, compresslevel=level) as target:
            for name, data in files.items():
                target.writestr(name, data)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def speckle() -> Callable[[int], bytes]:
    """Return a function that makes so many bytes of detected SAR speckle."""

    def make(size: int) -> bytes:
        values = np.random.default_rng(7).rayleigh(2000.0, size // 2 + 1)
        return values.clip(0, 65535).astype(">u2").tobytes()[:size]

    return make


@pytest.fixture(params=[STDLIB, ISAL], ids=["zlib", "isal"])
def codec(request: pytest.FixtureRequest) -> Codec:
    if request.param is None:
        pytest.skip("isal is not installed")
    return request.param


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    """A folder of its own, so that anything left behind is seen."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "delivery"
