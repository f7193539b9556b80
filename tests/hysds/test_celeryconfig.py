"""celeryconfig.py is read and never run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alos2.catalogue import Rest
from alos2.errors import UsageError
from alos2.hysds.celeryconfig import Settings
from alos2.hysds.cluster import connect, find_cluster

AS_HYSDS_WRITES_IT = """
import ssl
broker_use_ssl = {"ca_certs": "/x.pem", "cert_reqs": ssl.CERT_NONE}
broker_url = "amqps://guest:hunter2@10.0.0.1:5671/"
imports = [
    "hysds.task_worker",
]
ADMINS = (
    ('Some One', 'ops@example.org'),
)
HYSDS_HANDLE_SIGNALS = False
BACKOFF_MAX_VALUE = 64
MOZART_URL = "https://10.0.0.1/mozart/"
MOZART_REST_URL = "https://10.0.0.1:8888/api/v0.1"
JOBS_ES_ENGINE = "elasticsearch"
JOBS_ES_URL = [
    "https://10.0.0.2:9200",
    "https://10.0.0.3:9200",
]
GRQ_ES_URL = "https://10.0.0.4:9200"
WEBDAV_URL = None
WEBDAV_PORT = 8085
"""


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "celeryconfig.py"
    file.write_text(text, encoding="utf-8")
    return Settings(file)


def test_hysdss_own_file(tmp_path: Path) -> None:
    found = settings(tmp_path, AS_HYSDS_WRITES_IT)
    assert found.urls("MOZART_REST_URL") == ("https://10.0.0.1:8888/api/v0.1",)
    assert found.urls("JOBS_ES_URL") == ("https://10.0.0.2:9200", "https://10.0.0.3:9200")
    assert found.urls("GRQ_ES_URL") == ("https://10.0.0.4:9200",)
    assert found.urls("WEBDAV_URL") == ()
    assert found.urls("NOT_THERE") == ()
    assert "broker_use_ssl" in found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('HOST = "10.0.0.1"\nU = "https://" + HOST + ":8888"', "https://10.0.0.1:8888"),
        ('H, P = "h", 1\nH = "h"\nP = 8888\nU = f"https://{H}:{P}/x"', "https://h:8888/x"),
        ('H = "h"\nU = "https://{}:{}".format(H, 9200)', "https://h:9200"),
        ('H = "h"\nU = "https://{1}:{0}".format(9200, H)', "https://h:9200"),
        ('U = "https://{host}:{port}".format(host="h", port=9200)', "https://h:9200"),
        ('H = "h"\nU = "https://%s:%d" % (H, 9200)', "https://h:9200"),
        ('U = "https://%s" % "h"', "https://h"),
        ('U = ("https://"\n     "h")', "https://h"),
        ('U: str = "https://h"', "https://h"),
        ('U = V = "https://h"', "https://h"),
        ('U = "http://old"\nU = "https://h"', "https://h"),
        ('U = open("x")\nU = "https://h"', "https://h"),
        ('A = {"x": 1}\nU = "https://h/{{x}}".format()', "https://h/{x}"),
        ('from site_settings import *\nU = "https://h"', "https://h"),
        ('U = "https://h"\nLOG.setLevel(U)', "https://h"),
        ("\ufeff# -*- coding: utf-8 -*-\r\nU = 'https://h'\r\n", "https://h"),
    ],
)
def test_text_put_together(tmp_path: Path, text: str, value: str) -> None:
    assert settings(tmp_path, text).urls("U") == (value,)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('import os\nU = os.environ["U"]', "Subscript"),
        ('U = get("x")', "calls a function"),
        ('import os\nU = os.environ.get("X", "https://h")', "calls a function"),
        ("U = HOST", "uses the name HOST"),
        ('U = "a" if True else "b"', "IfExp"),
        ('U = "x" * 1000000000', "BinOp"),
        ('A = "x" * 3\nU = A', "uses the name A"),
        ('if True:\n    U = "https://h"', "no plain assignment|not set by a plain"),
        ('U = "http://a"\nif True:\n    U = "https://h"', "not set by a plain"),
        ('for U in ["https://h"]:\n    pass', "not set by a plain"),
        ('U = "http://a"\nU += "b"', "not set by a plain"),
        ('(U, V) = ("http://a", "b")', "not set by a plain"),
        ('U = "https://h"\ndel U', "not set by a plain"),
        ("from secrets import token as U", "not set by a plain"),
        ("from site_settings import *", "not set by a plain"),
        ('U = "https://h"\nfrom site_settings import *', "not set by a plain"),
        ('U = ["https://h"]\nU.append("https://i")', "not set by a plain"),
        ('U = ["https://h"]\nU[0] = "https://i"', "not set by a plain"),
        ('print(U := "https://h")', "not set by a plain"),
        ('U = "{0.__class__}".format("x")', "no value for a name"),
        ('U = "{0!r}".format("x")', "format other than"),
        ('U = "{:>99999999}".format("x")', "format other than"),
        ('U = "{x}".format(y="h")', "no value for a name"),
        ('U = "{".format("x")', "no value for a name"),
        ('D = "h"\nU = f"{D!r}"', "format other than"),
        ('D = "h"\nU = f"{D:>99999999}"', "format other than"),
        ('U = "%(x)s" % {"x": "h"}', "format other than|Dict"),
        ('U = "%999999999s" % "h"', "format other than"),
        ('U = "%s%s" % "h"', "format other than"),
        ('U = b"https://h"', "bytes"),
        ('K = {"host": "h"}\nU = "{host}".format(**K)', r"\*\*"),
        ("A = 'x' + 'y'\n" + "A = A + A\n" * 40 + "U = A", "too long|uses the name A"),
    ],
)
def test_what_cannot_be_known_is_said(tmp_path: Path, text: str, why: str) -> None:
    found = settings(tmp_path, text)
    with pytest.raises(UsageError, match=why) as caught:
        found.urls("U")
    assert "line" in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("parts", [900, 3000, 90000])
def test_endless_sums_end(tmp_path: Path, parts: int) -> None:
    """How many parts Python's own parser bears differs between its versions."""
    with pytest.raises(UsageError, match=r"too many parts|too long|no Python"):
        settings(tmp_path, "U = " + " + ".join(['"12345"'] * parts)).urls("U")


def test_no_line_of_it_is_run(tmp_path: Path) -> None:
    """A file whose every line would leave a trace, if it were run."""
    trace = tmp_path / "trace"
    lines = [
        f"open({str(trace)!r}, 'w').write('run')",
        f"import os; os.system('touch {trace}')",
        f"X = __import__('pathlib').Path({str(trace)!r}).touch()",
        f"def f(x=open({str(trace)!r}, 'w')): pass",
        f"class C:\n    open({str(trace)!r}, 'w')",
        f"@(lambda f: open({str(trace)!r}, 'w'))\ndef g(): pass",
        f"Y = f\"{{open({str(trace)!r}, 'w')}}\"",
        f"Z = [open({str(trace)!r}, 'w') for _ in range(1)]",
        "import sys; sys.exit(3)",
        "raise SystemExit",
        'MOZART_REST_URL = "https://10.0.0.1:8888/api/v0.1"',
    ]
    before = set(sys.modules)
    found = settings(tmp_path, "\n".join(lines))
    assert found.urls("MOZART_REST_URL") == ("https://10.0.0.1:8888/api/v0.1",)
    for name in ("X", "Y", "Z"):
        with pytest.raises(UsageError):
            found.urls(name)
    assert not trace.exists()
    assert "celeryconfig" not in set(sys.modules) - before


@pytest.mark.parametrize(
    "content",
    [
        b"MOZART_REST_URL = \x00",
        b"PASSWORD = 'hunter2\nMOZART_REST_URL =",
        b"\xff\xfe\x00",
        b"x = " + b"(" * 5000 + b")" * 5000,
        b"#" * (2 << 20),
    ],
)
def test_what_is_no_configuration(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "celeryconfig.py"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        Settings(file)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_passwords_of_the_file_are_never_shown(tmp_path: Path) -> None:
    text = 'P = "hunter2"\nU = [f("amqps://x:" + P)]\nG = 5\nH = ["", "x"]\n'
    found = settings(tmp_path, text)
    for name in ("U", "G", "H"):
        with pytest.raises(UsageError) as caught:
            found.urls(name)
        assert "hunter2" not in repr(caught.value) + str(caught.value)
    assert "hunter2" not in repr(found)


def test_a_warning_of_python_does_not_show_the_line(tmp_path: Path) -> None:
    r"""``\d`` is no escape: Python warns, and prints the line from the file of that name."""
    (tmp_path / "celeryconfig.py").write_text('P = "hunter2\\d"\nU = "https://h"\n')
    script = (
        "from pathlib import Path\n"
        "from alos2.hysds.celeryconfig import Settings\n"
        "print(Settings(Path('celeryconfig.py')).urls('U'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "('https://h',)")
    assert "hunter2" not in done.stderr


def test_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text(AS_HYSDS_WRITES_IT)
    environment = {"ALOS2_MOZART_URL": "https://u:hunter2@m:8888", "ALOS2_GRQ_URL": " "}
    found = find_cluster(tmp_path, environment)
    assert found.addresses["MOZART"] == ("https://u:hunter2@m:8888/api/v0.1",)
    assert found.addresses["GRQ"] == ("https://10.0.0.4:9200",)
    assert len(found.addresses["JOBS"]) == 2
    assert "hunter2" not in repr(found)
    with connect(found, "MOZART", environment=environment) as rest:
        assert rest.url == "https://m:8888/api/v0.1"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("https://h:8888/api/v0.1", "https://h:8888/api/v0.1"),
        ("https://h:8888/api/v0.2/", "https://h:8888/api/v0.2/"),
        ("https://h/mozart/", "https://h/mozart/api/v0.1"),
        ("https://h:8888", "https://h:8888/api/v0.1"),
    ],
)
def test_the_version_of_mozarts_api_may_be_left_out(tmp_path: Path, given: str, taken: str) -> None:
    found = find_cluster(tmp_path, {"ALOS2_MOZART_URL": given})
    assert found.addresses["MOZART"] == (taken,)


def test_only_what_is_needed_has_to_be_known(tmp_path: Path) -> None:
    (tmp_path / "celeryconfig.py").write_text('MOZART_REST_URL = "https://m"\nGRQ_ES_URL = f()\n')
    found = find_cluster(tmp_path, {})
    assert isinstance(connect(found, "MOZART", environment={}), Rest)
    assert not found.knows("GRQ")
    with pytest.raises(UsageError, match=r"GRQ_ES_URL .* line 2.*calls a function"):
        connect(found, "GRQ", environment={})
    with pytest.raises(UsageError, match="ALOS2_JOBS_URL"):
        connect(found, "JOBS", environment={})
    with pytest.raises(UsageError, match="ALOS2_MOZART_URL"):
        connect(find_cluster(tmp_path / "none", {}), "MOZART", environment={})
