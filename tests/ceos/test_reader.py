from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest

from alos2.ceos import read_image_descriptor, read_leader, read_trailer, read_volume
from alos2.ceos.leader import LEADER_DESCRIPTOR
from alos2.ceos.trailer import TRAILER_DESCRIPTOR
from alos2.ceos.volume import VOLUME_DESCRIPTOR
from alos2.errors import BadRecord

BuildLeader = Callable[..., bytes]


class CountingFile(io.BytesIO):
    """Counts what is read."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data


def test_reads_every_record_and_skips_the_facilities(build_leader: BuildLeader) -> None:
    data = build_leader()
    file = CountingFile(data)
    leader = read_leader(file, name="LED")
    assert leader.data_set_summary["scene_id"] == "ALOS2015976960-140909"
    assert leader.map_projection is not None
    assert leader.map_projection["pixel_count"] == 7
    assert leader.facility_5 is not None
    assert leader.facility_5["pixel_line_to_lat"][24] == 24.0
    assert file.count == len(data) - sum((100, 70, 66, 90)) + 4 * 16


@pytest.mark.parametrize("points", [0, 4, 28])
def test_state_vectors_are_counted_by_the_data(points: int, build_leader: BuildLeader) -> None:
    position = read_leader(build_leader(points=points), name="LED").platform_position
    assert position is not None
    assert position["point_count"] == len(position["points"]) == points


def test_absent_records_are_none(build_leader: BuildLeader) -> None:
    leader = read_leader(build_leader(map_projection=None, attitude=None), name="LED")
    assert leader.map_projection is None
    assert leader.attitude is None
    assert leader.facility_5 is not None


def test_a_file_that_begins_elsewhere(build_leader: BuildLeader) -> None:
    file = io.BytesIO(b"junk" + build_leader())
    file.seek(4)
    assert read_leader(file, name="LED").facility_5 is not None


def test_reads_from_within_a_zip(build_leader: BuildLeader) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("LED", build_leader())
    with zipfile.ZipFile(packed) as archive, archive.open("LED") as file:
        assert read_leader(file, name="LED").facility_5 is not None


def test_records_in_another_order_and_lengths_of_their_own(build_leader: BuildLeader) -> None:
    data = build_leader()
    summary, rest = data[720 : 720 + 4096], data[720 + 4096 :]
    longer = summary[:8] + (5000).to_bytes(4, "big") + summary[12:] + b" " * (5000 - 4096)
    leader = read_leader(data[:720] + rest + longer, name="LED")
    assert leader.data_set_summary["record_length"] == 5000
    assert leader.facility_5 is not None


def test_facility_without_number_goes_by_its_place(build_leader: BuildLeader) -> None:
    data = bytearray(build_leader())
    start = len(data) - 5000
    data[start + 12 : start + 16] = b"    "
    facility = read_leader(bytes(data), name="LED").facility_5
    assert facility is not None
    assert facility["facility_number"] is None
    assert facility["origin_pixel"] == 3.0


def test_descriptor_without_counts_walks_to_the_end(build_leader: BuildLeader) -> None:
    descriptor = LEADER_DESCRIPTOR.encode({}, sequence=1)
    assert read_leader(descriptor + build_leader()[720:], name="LED").facility_5 is not None


@pytest.mark.parametrize("length", [0, 11, 2**31, 2**32 - 1])
def test_absurd_record_length(length: int, build_leader: BuildLeader) -> None:
    data = bytearray(build_leader())
    data[720 + 8 : 720 + 12] = length.to_bytes(4, "big")
    with pytest.raises(BadRecord, match=f"LED-x, offset 720: .* it is {length} bytes long, expec"):
        read_leader(bytes(data), name="LED-x")


def test_length_beyond_the_file(build_leader: BuildLeader) -> None:
    data = bytearray(build_leader())
    data[-5000 + 8 : -5000 + 12] = (5001).to_bytes(4, "big")
    with pytest.raises(BadRecord, match=r"ends after 5000 bytes .* expected the 5001"):
        read_leader(bytes(data), name="LED")


@pytest.mark.parametrize(
    ("cut", "message"),
    [
        (0, "offset 0: the file ends here, expected its leader file descriptor"),
        (5, "offset 0: the file ends after 5 bytes of a record header, expected 12"),
        (700, "offset 0: the file ends after 700 bytes of the record, expected the 720"),
        (720, "ends after 0 records behind its descriptor, which announces 11"),
        (-5000, "ends after 10 records"),
    ],
)
def test_truncated_leader(cut: int, message: str, build_leader: BuildLeader) -> None:
    with pytest.raises(BadRecord, match=message):
        read_leader(build_leader()[:cut], name="LED")


def test_no_data_set_summary(build_leader: BuildLeader) -> None:
    with pytest.raises(BadRecord, match="no data set summary"):
        read_leader(build_leader(data_set_summary=None), name="LED")


def test_announced_record_of_another_type(build_leader: BuildLeader) -> None:
    data = bytearray(build_leader())
    assert data[4816 + 5] == 20
    data[4816 + 5] = 21
    with pytest.raises(BadRecord, match="announces 1 map projection records, and none"):
        read_leader(bytes(data), name="LED")


def test_not_a_leader_at_all(small_volume: bytes) -> None:
    with pytest.raises(BadRecord, match="type is 192,192,18,18, expected 11,192,18,18"):
        read_leader(small_volume * 3, name="LED")
    with pytest.raises(BadRecord):
        read_image_descriptor(b"<!DOCTYPE html><html><body>Please log in</body></html>", name="IMG")


def test_volume(small_volume: bytes) -> None:
    volume = read_volume(small_volume, name="VOL")
    assert [pointer["file_number"] for pointer in volume.pointers] == [1, 2, 3]
    assert volume.text is not None
    assert volume.text["product"] == "PRODUCT:FBDR1.5GUA"


def test_volume_without_text_and_with_nonsense() -> None:
    data = VOLUME_DESCRIPTOR.encode({"text_count": None}, sequence=1)
    assert read_volume(data, name="VOL").text is None
    data = VOLUME_DESCRIPTOR.encode({"pointer_count": -1}, sequence=1)
    with pytest.raises(BadRecord, match="announces -1 file pointers"):
        read_volume(data, name="VOL")


def test_volume_with_fewer_pointers_than_it_says(small_volume: bytes) -> None:
    with pytest.raises(BadRecord, match="expected its text record"):
        read_volume(small_volume[: 4 * 360], name="VOL")


def test_trailer(small_trailer: bytes) -> None:
    picture = read_trailer(small_trailer, name="TRL").low_resolution()
    assert picture is not None
    assert picture.dtype == np.uint16
    np.testing.assert_array_equal(picture, np.arange(12).reshape(3, 4))


def test_trailer_with_two_images_of_one_byte_and_two() -> None:
    sizes = [
        {"record_bytes": 2, "pixels": 2, "lines": 1, "bytes_per_sample": 1},
        {"record_bytes": 4, "pixels": 1, "lines": 2, "bytes_per_sample": 2},
    ]
    data = TRAILER_DESCRIPTOR.encode({"low_resolution": sizes}, sequence=1)
    trailer = read_trailer(data + b"\xff\x01\xff\xfe\x00\x02", name="TRL")
    for index, expected in enumerate(([[255, 1]], [[65534], [2]])):
        np.testing.assert_array_equal(trailer.low_resolution(index), expected)  # type: ignore[arg-type]
    assert trailer.low_resolution(2) is None


def test_trailer_whose_image_is_cut_or_wrong(small_trailer: bytes) -> None:
    cut = read_trailer(small_trailer[:-1], name="TRL")
    with pytest.raises(BadRecord, match="ends after 23 bytes of low-resolution image 1"):
        cut.low_resolution()
    sizes = [{"record_bytes": 24, "pixels": 4, "lines": 3, "bytes_per_sample": 4}]
    wrong = TRAILER_DESCRIPTOR.encode({"low_resolution": sizes}, sequence=1) + bytes(24)
    with pytest.raises(BadRecord, match="3 lines x 4 pixels x 4 bytes in 24 bytes"):
        read_trailer(wrong, name="TRL").low_resolution()
    sizes = [{"record_bytes": 0, "pixels": 4, "lines": 3}]
    sizes[0]["record_bytes"] = 99_999_999
    big = read_trailer(TRAILER_DESCRIPTOR.encode({"low_resolution": sizes}, sequence=1), name="T")
    with pytest.raises(BadRecord):
        big.low_resolution()
    sizes[0]["record_bytes"] = -5
    with pytest.raises(BadRecord, match="says it has -5 bytes"):
        read_trailer(TRAILER_DESCRIPTOR.encode({"low_resolution": sizes}, sequence=1), name="T")
