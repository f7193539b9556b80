"""Speaking to a service: certificates, logins, faults, and what is told about them."""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from alos2.catalogue import GrqCatalogue, Rest, RestOptions, Trust, trust_for
from alos2.catalogue.rest import Answer, Silence
from alos2.errors import LoginFailed, PublishFailed, UsageError
from fakes.service import Asked, Said, Service

QUICK = RestOptions(backoff_s=0.01, silence_s=1.0, answer_s=1.0)
EMPTY = {"count": 0, "_shards": {"total": 1, "successful": 1, "failed": 0}}


@dataclass(frozen=True)
class Secret:
    text: str

    def reveal(self) -> str:
        return self.text


@dataclass(frozen=True)
class Account:
    username: str
    password: Secret | None


@dataclass
class Certified:
    """A server with a certificate of an authority of its own."""

    ca_file: Path
    fingerprint: str
    context: ssl.SSLContext


@pytest.fixture(scope="session")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Certified]:
    def make(name: str) -> Certified:
        folder = tmp_path_factory.mktemp("ca")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        certificate = authority.issue_cert(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        pem = certificate.cert_chain_pems[0].bytes().decode()
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
        return Certified(folder / "ca.pem", digest, context)

    return make


@pytest.fixture
def serve() -> Iterator[Callable[..., Service]]:
    with ExitStack() as stack:

        def make(*said: Said, tls: ssl.SSLContext | None = None) -> Service:
            left = list(said)

            def answer(asked: Asked) -> Said:
                return left.pop(0) if len(left) > 1 else left[0]

            return stack.enter_context(Service(answer, tls))

        yield make


def ask(url: str | list[str], options: RestOptions = QUICK) -> Answer:
    with Rest("GRQ", url, options) as rest:
        return rest.call("POST", "/grq/_count", body={"query": {}})


def test_an_authority_of_our_own(
    serve: Callable[..., Service], certified: Callable[[str], Certified]
) -> None:
    own, other = certified("127.0.0.1"), certified("127.0.0.1")
    service = serve(Said(content=EMPTY), tls=own.context)
    assert ask(service.url, RestOptions(Trust(own.ca_file))).content == EMPTY
    for trust in (Trust(), Trust(other.ca_file)):
        with pytest.raises(PublishFailed, match="certificate is not trusted"):
            ask(service.url, RestOptions(trust, backoff_s=0.01))
    assert len(service.asked) == 1


def test_a_pinned_certificate_for_another_name(
    serve: Callable[..., Service], certified: Callable[[str], Certified]
) -> None:
    """Its certificate is made out to a name, and it is spoken to at a bare address."""
    named = certified("grq.example.org")
    service = serve(Said(content=EMPTY), tls=named.context)
    with pytest.raises(PublishFailed, match="certificate is not trusted"):
        ask(service.url, RestOptions(Trust(named.ca_file), backoff_s=0.01))
    colons = ":".join(named.fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()
    for pin in (named.fingerprint, colons, f"sha256 Fingerprint={colons}", f"SHA256:{colons}"):
        assert ask(service.url, RestOptions(Trust(fingerprint=pin))).content == EMPTY
    wrong = "0" * 64
    with pytest.raises(PublishFailed, match="not the one whose fingerprint is given"):
        ask(service.url, RestOptions(Trust(fingerprint=wrong), backoff_s=0.01))


def test_the_pin_holds_whatever_the_environment_says(
    serve: Callable[..., Service],
    certified: Callable[[str], Certified],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = certified("127.0.0.1"), certified("127.0.0.1")
    service = serve(Said(content=EMPTY), tls=one.context)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other.ca_file))
    assert ask(service.url, RestOptions(Trust(fingerprint=one.fingerprint))).content == EMPTY
    assert ask(service.url, RestOptions(Trust(one.ca_file))).content == EMPTY
    with pytest.raises(PublishFailed):
        ask(service.url, RestOptions(Trust(fingerprint=other.fingerprint), backoff_s=0.01))
    # Both: the right certificate, of the wrong authority.
    both = Trust(other.ca_file, one.fingerprint)
    with pytest.raises(PublishFailed, match="not trusted"):
        ask(service.url, RestOptions(both, backoff_s=0.01))


def test_trust_comes_from_the_environment(
    certified: Callable[[str], Certified], tmp_path: Path
) -> None:
    one = certified("127.0.0.1")
    environment = {"ALOS2_GRQ_CA": str(one.ca_file), "ALOS2_MOZART_FINGERPRINT": one.fingerprint}
    assert trust_for("GRQ", environment) == Trust(one.ca_file)
    assert trust_for("MOZART", environment) == Trust(fingerprint=one.fingerprint)
    assert trust_for("JOBS", environment) == Trust()
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    for wrong in (tmp_path / "none.pem", empty, tmp_path):
        with pytest.raises(UsageError, match="no file of certificate authorities"):
            trust_for("GRQ", {"ALOS2_GRQ_CA": str(wrong)})
    for text in ("abc", "0" * 40, "g" * 64, "0" * 65, f"sha1={'0' * 64}"):
        with pytest.raises(UsageError, match="64 hexadecimal digits"):
            trust_for("GRQ", {"ALOS2_GRQ_FINGERPRINT": text})


def test_logins_are_sent_and_never_shown(
    serve: Callable[..., Service], certified: Callable[[str], Certified]
) -> None:
    service = serve(Said(401, {"error": {"type": "security_exception", "reason": "no"}}))
    account = Account("ops", Secret("pä:ss wörd"))
    hosts: list[str] = []

    def logins(host: str) -> Account:
        hosts.append(host)
        return account

    with pytest.raises(LoginFailed, match="security_exception: no") as caught:
        ask(service.url, RestOptions(logins=logins))
    assert caught.value.exit_code == 4
    assert hosts == [f"127.0.0.1:{service.port}"]
    sent = base64.b64decode(service.asked[0].headers["authorization"].removeprefix("Basic "))
    assert sent.decode() == "ops:pä:ss wörd"
    assert "wörd" not in repr(caught.value) + str(caught.value)


def test_a_login_in_the_address_is_used_and_hidden(serve: Callable[..., Service]) -> None:
    service = serve(Said(403, "<html>no</html>"))
    url = service.url.replace("//", "//ops:s%40cret@")
    with pytest.raises(LoginFailed) as caught:
        ask(url)
    assert base64.b64decode(service.asked[0].headers["authorization"][6:]) == b"ops:s@cret"
    with Rest("GRQ", url) as rest:
        assert rest.url == service.url
    assert "cret" not in str(caught.value)


def test_no_login_means_none(
    serve: Callable[..., Service], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login ops password never-sent\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    service = serve(Said(content=EMPTY))
    ask(service.url)
    assert "authorization" not in service.asked[0].headers


@pytest.mark.parametrize(
    ("url", "options", "what"),
    [
        ("http://grq.example.org:9200", {"logins": lambda h: Account("a", Secret("b"))}, "show it"),
        ("http://a:b@grq.example.org:9200", {}, "show it"),
        ("http://127.0.0.1:9200", {"trust": Trust(fingerprint="0" * 64)}, "nobody shows"),
        ("grq.example.org:9200", {}, "no http or https URL"),
        ("ftp://grq.example.org", {}, "no http or https URL"),
        ("https://", {}, "no http or https URL"),
        ("https://[::1", {}, "is no URL"),
        ("https://h:99999", {}, "is no URL"),
        ("https://h/?x=1", {}, "query"),
    ],
)
def test_addresses_that_are_refused(url: str, options: dict[str, object], what: str) -> None:
    with pytest.raises(UsageError, match=what) as caught:
        Rest("GRQ", url, RestOptions(**options))  # type: ignore[arg-type]
    assert "a:b" not in str(caught.value)


def test_passing_faults_pass(serve: Callable[..., Service]) -> None:
    service = serve(
        Said(503, "<html>busy</html>"), Said(reset=True), Said(429), Said(content=EMPTY)
    )
    assert ask(service.url).content == EMPTY
    assert len(service.asked) == 4


def test_lasting_faults_are_told(serve: Callable[..., Service]) -> None:
    with pytest.raises(PublishFailed, match=r"HTTP 503.*busy"):
        ask(serve(Said(503, "<html>busy</html>")).url)
    with pytest.raises(PublishFailed, match="does not answer: connection reset by peer"):
        ask(serve(Said(reset=True)).url)
    once = RestOptions(retries=0, silence_s=0.2)
    with pytest.raises(PublishFailed, match="it took too long"):
        ask(serve(Said(stall_s=2)).url, once)
    drip = RestOptions(retries=0, silence_s=0.5, answer_s=0.3)
    with pytest.raises(PublishFailed, match="its answer takes too long"):
        ask(serve(Said(content=EMPTY, drip_s=0.05)).url, drip)


def test_an_index_closed_to_writing_is_no_matter_of_logins(serve: Callable[..., Service]) -> None:
    error = {"type": "cluster_block_exception", "reason": "index [x] blocked: read-only"}
    with pytest.raises(PublishFailed, match=r"cluster_block_exception: .*read-only"):
        ask(serve(Said(403, {"error": error})).url)
    with pytest.raises(LoginFailed):
        ask(serve(Said(403, {"error": {"type": "security_exception", "reason": "no"}})).url)


def test_nobody_there() -> None:
    with pytest.raises(PublishFailed, match="connection refused"):
        ask("http://127.0.0.1:9", RestOptions(retries=1, backoff_s=0.01))


def test_the_next_address_is_tried(serve: Callable[..., Service]) -> None:
    service = serve(Said(content=EMPTY))
    with Rest("GRQ", ["http://127.0.0.1:9", service.url], QUICK) as rest:
        for _ in range(3):
            assert rest.call("GET", "/").status == 200
        assert rest.url == service.url
    assert len(service.asked) == 3


def test_what_was_sent_is_not_sent_to_another_address(serve: Callable[..., Service]) -> None:
    first, second = serve(Said(reset=True)), serve(Said())
    with Rest("Mozart", [first.url, second.url], QUICK) as rest:
        answer = rest.once("POST", "/job/submit", form={"type": "x"})
    assert isinstance(answer, Silence)
    assert not answer.unsent
    assert (len(first.asked), len(second.asked)) == (1, 0)


def test_no_redirect_is_followed(serve: Callable[..., Service]) -> None:
    goal = serve(Said(content=EMPTY))
    service = serve(Said(307, {}, {"Location": f"{goal.url}/grq/_count"}))
    with pytest.raises(PublishFailed, match="HTTP 307"):
        ask(service.url)
    assert goal.asked == []


def test_half_an_answer_is_none(serve: Callable[..., Service]) -> None:
    """A dataset must not look absent because a part of the index is."""
    for content in (
        {**EMPTY, "_shards": {"total": 2, "successful": 1, "failed": 1}},
        {"timed_out": True, "hits": {"hits": []}, "_shards": {"failed": 0}},
    ):
        with Rest("GRQ", serve(Said(content=content)).url, QUICK) as rest:
            with pytest.raises(PublishFailed, match="a part of GRQ's index"):
                GrqCatalogue(rest).exists("x")
            with pytest.raises(PublishFailed, match="a part of GRQ's index"):
                GrqCatalogue(rest).holds("x")


def test_only_a_missing_index_is_an_empty_catalogue(serve: Callable[..., Service]) -> None:
    error = {"error": {"type": "index_not_found_exception", "reason": "no such index [grq]"}}
    with Rest("GRQ", serve(Said(404, error)).url, QUICK) as rest:
        assert not GrqCatalogue(rest).exists("x")
        assert GrqCatalogue(rest).holds("x") is None
    for wrong in (Said(404, "<html>not here</html>"), Said(200, "<html>hello</html>"), Said()):
        with (
            Rest("GRQ", serve(wrong).url, QUICK) as rest,
            pytest.raises(PublishFailed, match="ALOS2_GRQ_URL"),
        ):
            GrqCatalogue(rest).exists("x")


def test_numbers_that_json_does_not_know_are_refused(serve: Callable[..., Service]) -> None:
    service = serve(Said())
    with Rest("GRQ", service.url, QUICK) as rest, pytest.raises(PublishFailed, match="JSON"):
        rest.call("PUT", "/x", body={"a": float("nan")})
    assert service.asked == []
