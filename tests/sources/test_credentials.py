"""Accounts: where they are found, in which order, and what of them is ever seen."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sys
import types
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset.hidden import hide, without_hidden
from alos2.dataset.scrub import scrub
from alos2.errors import Alos2Error, LoginFailed, UsageError
from alos2.sources.credentials import Credential, Secret, hide_cookies, require, resolve

WORD = "planted s&cret/ü\"%2026'<x>"


@pytest.fixture(autouse=True)
def _nothing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("ALOS2_KEYRING", "off")
    (tmp_path / "home").mkdir()


def private(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def revealed(found: Credential | None) -> tuple[str, str | None] | None:
    if found is None:
        return None
    return found.username, None if found.password is None else found.password.reveal()


class TestSecret:
    def test_it_prints_as_stars_everywhere(self) -> None:
        secret = Secret(WORD)
        credential = Credential("me", secret, origin="test")
        shown = [
            str(secret),
            repr(secret),
            f"{secret}",
            f"{secret!r:>9}",
            "%s" % secret,  # noqa: UP031
            "{:5}".format(secret),  # noqa: UP032
            repr([secret]),
            repr(credential),
            str(asdict(credential)),
            str(copy.deepcopy(credential)),
            repr({"password": secret}),
            str(ValueError(secret)),
            str(vars(type(secret))),
        ]
        assert all("planted" not in text for text in shown)
        assert all("***" in text for text in shown[:-1])
        assert secret.reveal() == WORD

    @pytest.mark.parametrize("dump", [pickle.dumps, json.dumps])
    def test_it_cannot_be_dumped(self, dump: Any) -> None:
        with pytest.raises(TypeError) as caught:
            dump({"password": Secret(WORD)})
        assert "planted" not in str(caught.value)

    def test_it_compares_and_does_not_change(self) -> None:
        secret = Secret(WORD)
        assert secret == Secret(WORD)
        assert secret != Secret(WORD + "x")
        assert secret != WORD
        assert len({secret, Secret(WORD)}) == 1
        assert not Secret("")
        with pytest.raises(AttributeError):
            secret._Secret__value = "x"  # type: ignore[attr-defined]
        with pytest.raises(AttributeError):
            secret.other = "x"  # type: ignore[attr-defined]

    def test_its_value_leaves_every_text(self) -> None:
        from base64 import b64encode  # noqa: PLC0415
        from html import escape  # noqa: PLC0415
        from urllib.parse import quote, quote_plus, urlencode  # noqa: PLC0415

        credential = Credential("me", Secret(WORD))
        assert credential.password is not None
        spelled = [
            WORD,
            quote(WORD),
            quote(WORD, safe=""),
            quote(WORD, safe="").lower(),
            quote_plus(WORD),
            quote(quote(WORD, safe=""), safe=""),
            urlencode({"IDToken2": WORD}),
            json.dumps({"p": WORD}),
            json.dumps({"p": json.dumps({"q": WORD})}),
            json.dumps({"p": WORD}, ensure_ascii=False),
            repr(WORD),
            repr(WORD.encode()),
            escape(WORD),
            "Basic " + b64encode(f"me:{WORD}".encode()).decode(),
            "Basic " + b64encode(f"me:{WORD}".encode("latin-1")).decode(),
        ]
        for text in spelled:
            for cleaned in (scrub(f"before {text} behind"), without_hidden(text)):
                assert "***" in cleaned, text
                for word in ("planted", "cret", "2026", "bWU6cGxhbnRlZ"):
                    assert word.lower() not in cleaned.lower(), text

    def test_short_ones_hide_nothing_and_longer_ones_go_first(self) -> None:
        hide("abc", "")
        assert scrub("abc alphabet") == "abc alphabet"
        hide("overlapping", "overlapping-longer")
        assert scrub("overlapping-longer overlapping") == "*** ***"

    def test_cookies(self) -> None:
        hide_cookies([None, "", "1", "en_US", "session-5f3a9c01d2"])
        assert scrub("en_US session-5f3a9c01d2") == "en_US ***"

    def test_a_text_without_secrets_stays_as_it_was(self) -> None:
        text = "IMG-HH-ALOS2015976960-140909 at https://auig2.jaxa.jp/x?itemname=0000006003"
        assert scrub(text) == text


class TestOrder:
    def test_nothing_anywhere(self) -> None:
        assert resolve("auig2", host="auig2.jaxa.jp") is None
        with pytest.raises(LoginFailed) as caught:
            require("auig2", host="auig2.jaxa.jp")
        assert caught.value.exit_code == 4
        said = str(caught.value)
        for place in (
            "ALOS2_CREDENTIALS",
            "credentials.toml",
            "/run/secrets/alos2",
            "ALOS2_AUIG2_PASSWORD",
            "keyring",
            ".netrc",
            ".netrc-os",
        ):
            assert place in said

    def test_each_place_wins_over_the_next(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host = "auig2.jaxa.jp"
        private(tmp_path / "home/.netrc-os", f"machine {host} login os password word-of-os")
        assert revealed(resolve("auig2", host=host)) == ("os", "word-of-os")
        private(tmp_path / "home/.netrc", f"machine {host} login rc password word-of-rc")
        assert revealed(resolve("auig2", host=host)) == ("rc", "word-of-rc")
        ring(monkeypatch, {("alos2:auig2", "ring"): "word-of-ring"})
        assert revealed(resolve("auig2", host=host)) == ("ring", "word-of-ring")
        monkeypatch.setenv("ALOS2_AUIG2_USERNAME", "env")
        monkeypatch.setenv("ALOS2_AUIG2_PASSWORD", "word-of-env")
        assert revealed(resolve("auig2", host=host)) == ("env", "word-of-env")
        folder = tmp_path / "mounted"
        private(folder / "auig2.json", '{"username": "dir", "password": "word-of-dir"}')
        monkeypatch.setenv("ALOS2_CREDENTIALS_DIR", str(folder))
        assert revealed(resolve("auig2", host=host)) == ("dir", "word-of-dir")
        own = tmp_path / "config/alos2/credentials.toml"
        private(own, '[auig2]\nusername = "own"\npassword = "word-of-own"\n')
        assert revealed(resolve("auig2", host=host)) == ("own", "word-of-own")
        named = private(tmp_path / "c.toml", '[auig2]\nusername="file"\npassword="word-of-file"\n')
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(named))
        found = resolve("auig2", host=host)
        assert revealed(found) == ("file", "word-of-file")
        assert found is not None
        assert found.origin == "profile auig2"
        assert scrub(
            "word-of-os word-of-rc word-of-ring word-of-env word-of-dir word-of-own word-of-file"
        ) == " ".join(["***"] * 7)

    def test_a_credential_is_itself(self) -> None:
        given = Credential("me", Secret("word-given"))
        assert require("auig2", host="h", profile=given) is given

    def test_another_service_or_host_gets_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = (
            '[auig2]\nusername="a"\npassword="word-a"\nhost="auig2.jaxa.jp"\n'
            '[mine]\nusername="b"\npassword="word-b"\nservice="gportal"\n'
            '[files]\nusername="c"\npassword="word-c"\nhost="files.example.org"\n'
        )
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(private(tmp_path / "c.toml", text)))
        assert revealed(resolve("auig2", host="auig2.jaxa.jp:443")) == ("a", "word-a")
        assert resolve("auig2", host="auig2.example.org") is None
        assert resolve("sentinel-asia", host="auig2.example.org") is None
        assert revealed(resolve("gportal", host="gportal.jaxa.jp")) == ("b", "word-b")
        assert revealed(resolve("files.example.org", host="files.example.org")) == ("c", "word-c")
        assert resolve("other.example.org", host="other.example.org") is None
        with pytest.raises(UsageError, match="gportal"):
            resolve("auig2", host="auig2.jaxa.jp", profile="mine")

    def test_two_profiles_that_would_do_are_not_guessed_between(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = "".join(
            f'[{name}]\nusername="{name}"\npassword="word-{name}"\nservice="auig2"\n'
            for name in ("one", "two")
        )
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(private(tmp_path / "c.toml", text)))
        with pytest.raises(UsageError, match="one, two"):
            resolve("auig2", host="h")
        assert revealed(resolve("auig2", host="h", profile="two")) == ("two", "word-two")

    def test_a_named_profile_is_never_replaced_by_another_account(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        private(tmp_path / "home/.netrc", "machine h login other password word-other")
        monkeypatch.setenv("ALOS2_AUIG2_USERNAME", "another")
        monkeypatch.setenv("ALOS2_AUIG2_PASSWORD", "word-another")
        ring(monkeypatch, {("alos2:auig2", "third"): "word-third"})
        assert resolve("auig2", host="h", profile="mine") is None
        with pytest.raises(LoginFailed, match="'mine'"):
            require("auig2", host="h", profile="mine")
        # By the name of the account the other places count.
        assert revealed(resolve("auig2", host="h", profile="other")) == ("other", "word-other")
        assert revealed(resolve("auig2", host="h", profile="another")) == (
            "another",
            "word-another",
        )
        assert revealed(resolve("auig2", host="h", profile="third")) == ("third", "word-third")

    @pytest.mark.parametrize("name", ["../etc/passwd", "/etc/x", "a b", ".hidden", "", "x" * 200])
    def test_names_that_are_no_names(self, name: str) -> None:
        with pytest.raises(UsageError) as caught:
            resolve("auig2", host="h", profile=name)
        assert not name or name not in str(caught.value)


class TestFiles:
    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o620])
    def test_open_files_are_refused_with_the_remedy(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
    ) -> None:
        text = '[auig2]\nusername="a"\npassword="word-in-file"\n'
        named = private(tmp_path / "c.toml", text, mode)
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(named))
        with pytest.raises(UsageError) as caught:
            resolve("auig2", host="h")
        assert f"chmod 600 {named}" in str(caught.value)
        assert "word-in-file" not in str(caught.value)
        named.chmod(0o400)
        assert revealed(resolve("auig2", host="h")) == ("a", "word-in-file")

    def test_an_open_netrc_is_refused_only_where_it_would_be_used(self, tmp_path: Path) -> None:
        file = private(tmp_path / "home/.netrc", "machine h login me password word-rc", 0o644)
        with pytest.raises(UsageError, match=f"chmod 600 {file}"):
            resolve("h", host="h")
        assert resolve("other", host="other") is None

    def test_netrc_by_port_and_without_default(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        text = (
            "machine h:8443 login eight password word-8443\nmachine h login me password word-h\n"
            "default login anybody password word-default\n"
        )
        monkeypatch.setenv("NETRC", str(private(tmp_path / "rc", text)))
        assert revealed(resolve("h", host="h:8443")) == ("eight", "word-8443")
        assert revealed(resolve("h", host="h:1")) == ("me", "word-h")
        assert resolve("other", host="other") is None

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("c.toml", 'username = "a\npassword = "word-bad"'),
            ("c.toml", "[auig2]\npassword = word-bad"),
            ("c.toml", '[auig2]\nusername="a"\npasword="word-bad"'),
            ("c.toml", '[auig2]\npassword="word-bad"'),
            ("c.toml", '[auig2]\nusername="a"\npassword=["word-bad"]'),
            ("c.toml", '[auig2]\nusername="a"\npassword="word-bad"\npassword_file="x"'),
            ("c.toml", 'auig2 = "word-bad"'),
            ("c.json", '{"auig2": {"username": "a", "password": "word-bad"'),
            ("c.json", '["word-bad"]'),
            ("c.json", '{"auig2": "word-bad"}'),
            ("c.toml", '[auig2]\nusername="a"\npassword_file="word-bad"'),
        ],
    )
    def test_damaged_files_are_told_by_place_not_by_content(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
    ) -> None:
        file = private(tmp_path / name, text)
        private(tmp_path / "x", "x")
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(file))
        with pytest.raises(UsageError) as caught:
            resolve("auig2", host="h")
        error: Alos2Error = caught.value
        assert str(tmp_path) in error.message
        if "password_file" not in text:
            assert "word-bad" not in str(error)
        assert error.__cause__ is None

    def test_a_damaged_netrc_does_not_quote_itself(self, tmp_path: Path) -> None:
        private(tmp_path / "home/.netrc", "machine h login me\nword-bad password")
        with pytest.raises(UsageError) as caught:
            resolve("h", host="h")
        assert "word-bad" not in str(caught.value)
        assert "line" in str(caught.value)

    def test_what_is_named_must_be_there(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(tmp_path / "none.toml"))
        with pytest.raises(UsageError, match=r"none\.toml"):
            resolve("auig2", host="h")
        monkeypatch.delenv("ALOS2_CREDENTIALS")
        monkeypatch.setenv("ALOS2_CREDENTIALS_DIR", str(tmp_path / "none"))
        with pytest.raises(UsageError, match="none"):
            resolve("auig2", host="h")

    def test_secrets_mounted_one_by_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "mounted"
        private(folder / "auig2/username", "me\n", 0o400)
        private(folder / "auig2/password", "word in file\r\n", 0o400)
        monkeypatch.setenv("ALOS2_CREDENTIALS_DIR", str(folder))
        assert revealed(resolve("auig2", host="h")) == ("me", "word in file")
        private(folder / "auig2/password", "two\nlines\n")
        with pytest.raises(UsageError, match="one line"):
            resolve("auig2", host="h")

    def test_the_other_proofs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        text = (
            '[gportal]\nusername="me"\nkey_file="key"\nhost_key="SHA256:abc"\n'
            'ca_file="/etc/ca.pem"\npassphrase_file="phrase"\ntoken="word-token"\n'
        )
        private(tmp_path / "phrase", "word-phrase\n")
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(private(tmp_path / "c.toml", text)))
        found = require("gportal", host="sftp.gportal.jaxa.jp")
        assert found.password is None
        assert found.key_file == tmp_path / "key"
        assert found.host_key == "SHA256:abc"
        assert found.ca_file == Path("/etc/ca.pem")
        assert found.passphrase == Secret("word-phrase")
        assert found.token == Secret("word-token")


class TestEnvironment:
    def test_a_file_of_its_own(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALOS2_SENTINEL_ASIA_USERNAME", "me")
        file = private(tmp_path / "word", "word-in-file\n", 0o644)
        monkeypatch.setenv("ALOS2_SENTINEL_ASIA_PASSWORD_FILE", str(file))
        with pytest.raises(UsageError, match="chmod 600"):
            resolve("sentinel-asia", host="h")
        file.chmod(0o600)
        assert revealed(resolve("sentinel-asia", host="h")) == ("me", "word-in-file")

    def test_half_of_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALOS2_AUIG2_PASSWORD", "word-half")
        with pytest.raises(UsageError) as caught:
            resolve("auig2", host="h")
        assert "ALOS2_AUIG2_USERNAME" in str(caught.value)
        assert "word-half" not in str(caught.value)

    def test_a_name_alone_chooses_in_keyring_and_netrc(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALOS2_AUIG2_USERNAME", "me")
        private(tmp_path / "home/.netrc", "machine h login other password word-other")
        assert resolve("auig2", host="h") is None
        ring(monkeypatch, {("alos2:auig2", "me"): "word-ring", ("alos2:auig2", "x"): "word-x"})
        assert revealed(resolve("auig2", host="h")) == ("me", "word-ring")


class TestKeyring:
    def test_plain_hosts_do_not_open_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = ring(monkeypatch, {("alos2:h", "me"): "word-ring"})
        assert resolve("h", host="h") is None
        assert asked == []

    def test_it_may_not_be_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ALOS2_KEYRING", "on")
        monkeypatch.setitem(sys.modules, "keyring", None)
        with pytest.raises(LoginFailed, match="not installed"):
            require("auig2", host="h")

    def test_one_that_is_broken_is_passed_over(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ring(monkeypatch, {}, broken=True)
        with pytest.raises(LoginFailed) as caught:
            require("auig2", host="h")
        assert "none that can be asked" in str(caught.value)
        assert "word-of-backend" not in str(caught.value)


def ring(
    monkeypatch: pytest.MonkeyPatch, entries: dict[tuple[str, str], str], *, broken: bool = False
) -> list[str]:
    """Put a keyring in place of the installed one; returns who was asked for."""
    asked: list[str] = []

    class KeyringError(Exception):
        pass

    def get_credential(service: str, username: str | None) -> types.SimpleNamespace | None:
        asked.append(service)
        if broken:
            raise KeyringError("word-of-backend")
        for (name, user), password in entries.items():
            if name == service and username in (None, user):
                return types.SimpleNamespace(username=user, password=password)
        return None

    package, errors = types.ModuleType("keyring"), types.ModuleType("keyring.errors")
    package.get_credential = get_credential  # type: ignore[attr-defined]
    errors.KeyringError = KeyringError  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", package)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    monkeypatch.setenv("ALOS2_KEYRING", "on")
    return asked


def test_the_real_keyring_package_is_spoken_to_rightly(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = pytest.importorskip("keyring")
    backend = pytest.importorskip("keyring.backend")

    class Memory(backend.KeyringBackend):  # type: ignore[misc,name-defined]
        priority = 1

        def get_password(self, service: str, username: str) -> str | None:
            return "word-of-memory" if (service, username) == ("alos2:auig2", "me") else None

        def set_password(self, service: str, username: str, password: str) -> None:
            raise NotImplementedError

        def delete_password(self, service: str, username: str) -> None:
            raise NotImplementedError

    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        monkeypatch.setenv("ALOS2_KEYRING", "on")
        assert revealed(resolve("auig2", host="h", profile="me")) == ("me", "word-of-memory")
    finally:
        keyring.set_keyring(before)


def test_nothing_of_it_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    text = '[auig2]\nusername="a"\npassword="word-logged"\n'
    monkeypatch.setenv("ALOS2_CREDENTIALS", str(private(tmp_path / "c.toml", text)))
    assert resolve("auig2", host="h") is not None
    assert "word-logged" not in caplog.text
