from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alos2.errors import UsageError
from alos2.speckle import SpeckleFilter
from alos2.stack.config.model import StackConfig, load_config
from alos2.stack.config.options import (
    animation_options,
    ard_options,
    mosaic_options,
    series_options,
    speckle_filter,
    timescan_options,
)
from alos2.stack.config.read import area_of, checked, config_of, merged, toml_of
from alos2.stack.config.text import (
    config_text,
    parameters,
    put_text,
    reference_table,
    toml_value,
    write_config,
)
from alos2.stack.planning.model import Track
from alos2.timeseries.options import SeriesOptions

DOCS = Path(__file__).parents[2] / "docs" / "stacks.md"


def write(tmp_path: Path, text: str, name: str = "stack.toml") -> Path:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def refusal(tmp_path: Path, text: str, name: str = "stack.toml") -> str:
    with pytest.raises(UsageError) as caught:
        load_config(write(tmp_path, text, name))
    assert name in caught.value.message
    assert caught.value.exit_code == 2
    return caught.value.message


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, ""))
    assert config.single_ard.resolution == 25.0
    assert config.time_scan_ard.metrics == ("avg", "max", "min", "std", "cov")
    assert config.stack.work_dir == tmp_path / "stack"
    assert config.source == tmp_path / "stack.toml"
    assert load_config(write(tmp_path, "", "stack.yaml")).to_json() == config.to_json()


def test_toml_and_yaml_say_the_same(tmp_path: Path) -> None:
    toml = load_config(write(tmp_path, """
        [stack]
        area = [138, 34.5, 139.0, 35]
        folders = ["in", "/elsewhere"]
        leaders = { "ALOS2015976960-140909" = "LED" }
        [search]
        date = "2018-01-01/.."
        pass = "A"
        off_nadir = [28, 30]
        [single_ARD]
        polarisation = "HH, HV"
        [single_ARD.dem]
        path = "dem.tif"
        [time-series_ARD]
        dtype_output = "uint8"
        [time-series_ARD.mt_speckle_filter]
        filter = "Lee Sigma"
        window_size = 9
    """))  # fmt: skip
    yaml = load_config(write(tmp_path, """
stack:
  area: [138, 34.5, 139.0, 35]
  folders: [in, /elsewhere]
  leaders: {ALOS2015976960-140909: LED}
search: {date: 2018-01-01/.., pass: A, off_nadir: [28, 30]}
single_ARD: {polarisation: "HH, HV", dem: {path: dem.tif}}
time-series_ARD: {dtype_output: uint8, mt_speckle_filter: {filter: Lee Sigma, window_size: 9}}
""", "stack.yml"))  # fmt: skip
    assert toml.to_json() == yaml.to_json()
    assert toml.stack.folders == (tmp_path / "in", Path("/elsewhere"))
    assert toml.stack.leaders == {"ALOS2015976960-140909": tmp_path / "LED"}
    assert toml.dem.path == tmp_path / "dem.tif"
    assert toml.single_ard.polarisation == ("HH", "HV")
    assert toml.time_series_ard.mt_speckle_filter.window_size == "9x9"
    # A day alone is no date to YAML's taste here.
    assert load_config(write(tmp_path, "search: {date: 2018-01-01}", "d.yaml")).search.date == (
        "2018-01-01"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[stack]\nwork_dri = 'x'", "[stack] work_dri: there is no work_dri; work_dir is meant?"),
        ("[single_ard]\nresolution = 10", "single_ard; single_ARD is meant?"),
        ("[single_ARD]\nresolution = '10'", '[single_ARD] resolution = "10": a number is allowed'),
        ("[single_ARD]\nresolution = -1", "resolution = -1: more than 0 is allowed"),
        ("[single_ARD]\ncreate_ls_mask = 'yes'", "true or false is allowed"),
        ("[single_ARD]\nproduct_type = 'RTC'", "allowed are 'GTC-sigma0', 'GTC-gamma0'"),
        ("[single_ARD]\npolarisation = 'HH, XX'", 'polarisation[1] = "HH, XX": allowed are'),
        ("[single_ARD]\nborder_px = 2.5", "border_px = 2.5: a whole number is allowed"),
        ("[single_ARD.speckle_filter]\nfilter = 'IDAN'", "[single_ARD.speckle_filter] filter"),
        ("[single_ARD.speckle_filter]\nfilter_x_size = 4", "odd numbers"),
        ("[single_ARD.speckle_filter]\nfilter_x_size = 5", "windows are square"),
        ("[single_ARD.speckle_filter]\nwindow_size = '7x9'", "odd squares"),
        ("[single_ARD]\ncreate_ls_mask = false\napply_ls_mask = true", "needs create_ls_mask"),
        ("[time-scan_ARD]\nmetrics = ['avg', 'mode']", "'mode' is not one of avg, max"),
        ("[time-scan_ARD]\nmetrics = []", "at least one metric"),
        ("[time-scan_ARD]\nmetrics = 'avg'", 'metrics = "avg": a list is allowed'),
        ("[time-series_ARD]\ndtype_output = 'uint8'\nto_db = false", "needs to_db"),
        ("[mosaic]\nweighting = 'area'\n[single_ARD]\nlayers = ['lia']", 'needs "area" among'),
        ("[stack]\nlevels = ['2.1', '4']", "'4' is not one of"),
        ("[stack]\narea = 'nowhere.geojson'", "[stack] area"),
        ("[stack]\narea = [1, 2, 3]", "[stack] area = [1, 2, 3]"),
        ("[stack]\narea = [1, 5, 3, 2]", "is no box"),
        ("[search]\noff_nadir = [3]", "[search] off_nadir"),
        ("[cluster]\nlines_per_job = 600", "multiples of 512 are allowed"),
        ("stack = 3", "[stack] = 3: a section with keys is allowed"),
        ("[stack", "is not TOML"),
    ],
)
def test_each_fault_is_told_with_what_is_allowed(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, "[stack]\nfoo = 1\nthreads = 0\n[single_ARD]\nresolution = 0\n")
    assert said.count("\n") == 3
    for part in ("foo", "threads = 0: at least 1", "resolution = 0"):
        assert part in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("outResolution", "[single_ARD] resolution"),
        ("lsMask", "create_ls_mask"),
        ("spkFlt", "remove_speckle"),
        ("outPrdType", "product_type"),
        ("mtSpkFlt", "remove_mt_speckle"),
        ("toDB", "to_db"),
        ("dType", "dtype_output"),
        ("outRem", "remove_outliers"),
        ("remove_border_noise", "border_px"),
        ("dem_file", "[single_ARD.dem] path"),
        ("production", "leave it out"),
    ],
)
def test_opensartoolkits_names_are_refused_with_ours(tmp_path: Path, old: str, new: str) -> None:
    for place in ("", "[single_ARD]\n", "[time-series_ARD]\n"):
        said = refusal(tmp_path, f"{place}{old} = true")
        assert old in said
        assert new in said


def test_the_files_themselves(tmp_path: Path) -> None:
    assert "twice" in refusal(tmp_path, "stack: {}\nstack: {}\n", "a.yaml")
    assert "is no name" in refusal(tmp_path, "1: {}\n", "a.yaml")
    assert "it is a list" in refusal(tmp_path, "- 1\n", "a.yaml")
    assert "not YAML" in refusal(tmp_path, "stack: [\n", "a.yaml")
    assert "not YAML" in refusal(tmp_path, "stack: !!python/object:os.system {}\n", "a.yaml")
    assert "too large" in refusal(tmp_path, "#" * 1_000_001)
    assert "by its name" in refusal(tmp_path, "", "a.json")
    with pytest.raises(UsageError, match="there is no configuration"):
        load_config(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is not TOML"):
        load_config(tmp_path / "b.toml")


def test_the_area_in_all_its_forms(tmp_path: Path) -> None:
    (tmp_path / "area.geojson").write_text(
        '{"type": "Polygon", "coordinates": [[[1,2],[3,2],[3,4],[1,4],[1,2]]]}', "utf-8"
    )
    for text in ('"area.geojson"', "[1, 2, 3, 4]", '"POLYGON ((1 2, 3 2, 3 4, 1 4, 1 2))"'):
        area = area_of(load_config(write(tmp_path, f"[stack]\narea = {text}")))
        assert area is not None
        assert {tuple(place) for place in area["coordinates"][0]} == {
            (1, 2),
            (3, 2),
            (3, 4),
            (1, 4),
        }
    across = area_of(load_config(write(tmp_path, "[stack]\narea = [179, -17, -179, -16]")))
    assert across is not None
    assert across["type"] == "MultiPolygon"
    assert area_of(load_config(write(tmp_path, ""))) is None


@pytest.mark.parametrize("name", ["stack.toml", "stack.yaml"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    said: dict[str, Any] = {
        "stack": {
            "area": "POLYGON ((1 2, 3 2, 3 4, 1 2))",
            "leaders": {"ALOS2015976960-140909": "a\"\\ü"},
        },
        "search": {"frame": ["0680"], "text": "Überflutung: #1", "off_nadir": [28.0, 30.5]},
        "single_ARD": {"resolution": 12.5, "polarisation": ["HH"]},
        "time-scan_ARD": {"metrics": ["percentiles"]},
    }  # fmt: skip
    config = checked(said, "here")
    path = tmp_path / name
    write_config(config, path)
    again = load_config(path)
    assert again.to_json() == config_of(said, "here", tmp_path).to_json()
    text = path.read_text("utf-8")
    # Each parameter has its words, and those that are not set stand there too.
    for row in parameters():
        assert row.name in text
        assert row.meaning.split()[0] in text
    assert "crs" in text
    with pytest.raises(UsageError, match="is there already"):
        write_config(config, path)
    assert path.read_text("utf-8") == text
    write_config(checked({}, "here"), path, force=True)
    assert load_config(path).search.text is None
    assert [p.name for p in tmp_path.iterdir()] == [name]
    with pytest.raises(UsageError):
        write_config(config, tmp_path / "stack.ini")


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("")
    with pytest.raises(Exception, match="cannot be written"):
        put_text(folder / "x.toml", "x")
    assert folder.read_text() == ""


def test_toml_values() -> None:
    for value in (True, 3, 2.5, "a\"b\n\u007f'ü", ["x", 1], {"k y": {"a": [1]}}, []):
        assert toml_of(toml_value(value)) == value
    assert toml_of("bare word") == "bare word"


def test_changes_go_before_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[single_ARD]\nresolution = 10.0\nborder_px = 3")
    config = load_config(path, {"single_ARD": {"resolution": 50.0}, "stack": {"threads": 1}})
    assert (config.single_ard.resolution, config.single_ard.border_px) == (50.0, 3)
    assert config.stack.threads == 1
    assert merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}) == {"a": {"b": 3, "c": 2}}


def test_the_reference_is_that_of_the_model() -> None:
    text = DOCS.read_text("utf-8")
    begin, end = "<!-- parameters -->\n", "<!-- end of parameters -->\n"
    assert text.count(begin) == text.count(end) == 1
    table = text.partition(begin)[2].partition(end)[0]
    assert table.strip() == reference_table().strip(), (
        "docs/stacks.md: the table is alos2.stack.config.text.reference_table()"
    )
    assert all(row.meaning for row in parameters())
    # OpenSarToolkit's 2019 names are beside ours.
    for old in ("outResolution", "lsMask", "spkFlt", "outPrdType", "mtSpkFlt", "toDB", "dType",
                "metrics", "outRem"):  # fmt: skip
        assert f"`{old}`" in table


# What the steps get.


def track_of(*pols: str) -> Track:
    return Track("t", 1, ("0680",), "FBD", "R", "A", (), 28.6, pols, ())  # type: ignore[arg-type]


def test_options_of_the_steps() -> None:
    config = checked(
        {
            "stack": {"extent": "intersection"},
            "single_ARD": {
                "resolution": 50.0, "product_type": "GTC-sigma0", "polarisation": ["HV", "VV"],
                "border_px": 2, "layers": ["lia"], "dem": {"height_m": 100.0},
            },
            "time-series_ARD": {
                "dtype_output": "uint16", "apply_ls_mask": True, "ls_mask": "union",
            },
            "time-scan_ARD": {"metrics": ["harmonics"], "remove_outliers": False},
            "mosaic": {"harmonization": False, "weighting": "none", "feather_px": 20.0},
            "animation": {
                "max_px": 300, "stretch": "fixed", "polarization": "HV", "title": "Here",
                "limits_db": {"HV": [-25, -5.5], "ratio": [0, 12]},
            },
        },
        "here",
    )  # fmt: skip
    ard = ard_options(config, track_of("HH", "HV"))
    assert (ard.resolution_m, ard.product_type, ard.polarizations) == (50.0, "GTC-sigma0", ("HV",))
    assert (ard.border_px, ard.layers, ard.height_m) == (2, ("lia",), 100.0)
    series = series_options(config)
    assert (series.dtype_output, series.extent, series.ls_mask) == (
        "uint16",
        "intersection",
        "union",
    )
    assert series.apply_ls_mask
    assert series.mt_speckle_filter == SpeckleFilter("Boxcar", window_size=7)
    assert series.mt_speckle_filter == SeriesOptions().mt_speckle_filter
    scan = timescan_options(config)
    assert (scan.metrics, scan.remove_outliers, scan.dtype) == (("harmonics",), False, "uint16")
    area = {"type": "Polygon", "coordinates": [[[1, 2], [3, 2], [3, 4], [1, 2]]]}
    mosaic = mosaic_options(config, area)
    assert (mosaic.harmonization, mosaic.weighting, mosaic.feather_px) == (False, "none", 20.0)
    assert mosaic.cut_to_aoi == area
    assert mosaic_options(config, {"type": "Point", "coordinates": [1, 2]}).cut_to_aoi is None
    drawn = animation_options(config)
    assert (drawn.max_px, drawn.polarization, drawn.title) == (300, "HV", "Here")
    assert drawn.limits_db == {"HV": (-25.0, -5.5), "ratio": (0.0, 12.0)}
    assert config.mosaic.incomplete
    assert ard_options(StackConfig()).polarizations is None


def test_speckle_filters_have_the_window_and_looks_of_their_kind() -> None:
    def made(**said: Any) -> Any:
        return speckle_filter(
            checked({"single_ARD": {"speckle_filter": said}}, "here").single_ard.speckle_filter
        )

    assert made().window_size == 7
    assert made().looks is None
    assert made(filter="Lee", filter_x_size=5, filter_y_size=5).window_size == 5
    assert made(filter="Lee Sigma", window_size="9x9").window_size == 9
    fixed = made(filter="Lee Sigma", estimate_ENL=False, num_of_looks=4, target_window_size=5)
    assert (fixed.looks, fixed.target_window_size) == (4.0, 5)
    assert made(filter="Frost", estimate_ENL=False, ENL=2.5, damping=1.0).looks == 2.5


def test_the_text_is_the_same_each_time() -> None:
    assert config_text(StackConfig(), "toml") == config_text(StackConfig(), "toml")


def test_leaders_may_follow_what_init_wrote(tmp_path: Path) -> None:
    file = tmp_path / "stack.toml"
    write_config(checked({"stack": {"folders": [str(tmp_path)]}}, "here"), file)
    with file.open("a") as text:
        text.write('[stack.leaders]\n"ALOS2015976960-140909" = "LED-x"\n')
    assert load_config(file).stack.leaders == {"ALOS2015976960-140909": tmp_path / "LED-x"}
