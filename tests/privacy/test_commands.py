"""Keys and options at the command line: clear sentences, exit codes, and no key in any output."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.cli.test_commands import tbes
from tests.privacy.conftest import everything
from tests.samples import SAMPLES

LOGS = SAMPLES / "elmsford" / "ELM-MBX1" / "TransportRoles" / "Logs" / "MessageTracking"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "tbes.key"
    assert tbes("new-key", path).returncode == 0
    return path


def test_a_new_key_is_random_and_its_owners(key: Path, tmp_path: Path) -> None:
    assert len(key.read_bytes().strip()) == 64
    if os.name == "posix":
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    other = tmp_path / "other.key"
    result = tbes("new-key", other)
    assert other.read_bytes() != key.read_bytes()
    assert other.read_text().strip() not in result.stdout + result.stderr


def test_a_key_is_never_replaced(key: Path) -> None:
    before = key.read_bytes()
    result = tbes("new-key", key)
    assert (result.returncode, key.read_bytes()) == (2, before)
    assert "is not replaced" in result.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no key file"),
        (b"", "is empty"),
        (b" \r\n\n", "is empty"),
        (b"0123456789abcdef0123456789abcde\n", "has 31 bytes, fewer than 32"),
        (b"x" * 5000, "is no key file"),
    ],
)
def test_a_key_that_cannot_serve(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "a.key"
    if content is not None:
        path.write_bytes(content)
    result = tbes("ingest", LOGS, "--pseudonymise", path, store=tmp_path / "store")
    assert result.returncode == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "store").exists()


def test_a_key_in_the_store_is_refused(key: Path, tmp_path: Path) -> None:
    result = tbes("ingest", LOGS, "--pseudonymise", key, store=tmp_path)
    assert result.returncode == 2
    assert "lies in the store" in result.stderr


@pytest.mark.skipif(os.name != "posix", reason="on Windows permissions of the folder decide")
def test_a_key_that_others_can_read_is_pointed_out(key: Path, tmp_path: Path) -> None:
    key.chmod(0o644)
    result = tbes(
        "ingest", LOGS, "--pseudonymise", key, "--organisation", "elmsford", store=tmp_path / "store"
    )
    assert result.returncode == 0
    assert f"chmod 600 {key}" in result.stderr


def test_the_key_is_neither_stored_nor_printed_and_the_store_keeps_to_it(key: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    asked = ("ingest", LOGS, "--organisation", "elmsford")
    result = tbes(*asked, "--pseudonymise", key, "--drop-subjects", "--json", store=store)
    assert result.returncode == 0
    secret = key.read_text().strip()
    assert secret.encode() not in everything(store)
    assert secret not in result.stdout + result.stderr
    refused = tbes(*asked, store=store)
    assert refused.returncode == 2
    assert "give its key with --pseudonymise" in refused.stderr
    assert secret not in refused.stderr
    # Dropping subjects is remembered by the store itself.
    again = tbes(*asked, "--pseudonymise", key, store=store)
    assert again.returncode == 0
    read = tbes(
        "sql",
        "select count(message_subject) as subjects, count(*) > 0 as rows from message_tracking",
        store=store,
    )
    assert read.stdout.splitlines() == ["subjects,rows", "0,true"]
