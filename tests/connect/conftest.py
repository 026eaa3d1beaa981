"""A store of the sample logs in a folder whose name has all that trips a script, with an organisations.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.organisations import load_organisations
from pipeline.reference.catalogue import Catalogue
from pipeline.relations import Parameters
from pipeline.sql import Session
from pipeline.store.store import Store
from tests.samples import AS_OF, ingest_samples

ROOT = Path(__file__).resolve().parents[2]
# Windows takes no quotation mark, asterisk or question mark in a name.
FOLDER = "Kunden & Söhne; d'Arc [1] -- x" if os.name == "nt" else 'Kunden & Söhne; d\'Arc [1] "*?" -- x'
ORGANISATIONS = """
[[organisation]]
id = "cedarholt"
name = "Cedarholt; O'Brien\\n.quit \\\\ \\"Ü\\""
domains = ["cedarholt.example"]
servers = ["CHMAIL1"]
networks = ["10.30.0.0/16"]
connectors_in_scope = ["Outbound; to 'cloud'"]
pauses = [{ from = 2026-10-01, to = 2026-10-03 }]
first_detected = [{ server = "CHMAIL1", at = 2026-09-09T00:15:08Z }]
"""
Tbes = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="package")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("connect") / FOLDER
    made = ingest_samples(folder / "store")
    made.organisations_file.write_text(ORGANISATIONS, encoding="utf-8")
    return made


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    known = load_organisations(store.organisations_file)
    with Session(store.snapshot(), Catalogue(), known, Parameters(as_of=AS_OF)) as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment whose user folders are empty."""
    places = {
        name: str(tmp_path / name)
        for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "APPDATA", "LOCALAPPDATA", "HOME")
    }
    return {**os.environ, **places, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


@pytest.fixture
def tbes(store: Store, home: dict[str, str], tmp_path: Path) -> Tbes:
    """Runs a command on the store, in a folder that is no checkout."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**home, "TBES_STORE": str(store.root)},
            timeout=120,
            check=False,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
        )

    return run
