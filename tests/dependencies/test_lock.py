"""The lock has every dependency that pyproject.toml asks for, in a version it allows, with hashes."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements"
LOCKS = sorted(path for path in REQUIREMENTS.glob("*.txt"))


def asked() -> list[Requirement]:
    """All requirements of the project, its extras and its build."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        found += extra
    return [Requirement(text) for text in found if not text.startswith("tbes")]


def pins(lock: Path) -> dict[str, list[tuple[str, list[str]]]]:
    """Name -> (version, hashes) of each pin: one name can have several, for different Pythons."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for block in re.split(r"\n(?=[a-z0-9])", lock.read_text("utf-8")):
        if named := re.match(r"([a-z0-9-]+)==(\S+)", block):
            found.setdefault(named[1], []).append(
                (named[2], re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
            )
    return found


@pytest.mark.parametrize("requirement", asked(), ids=str)
def test_the_lock_satisfies_pyproject(requirement: Requirement) -> None:
    name = re.sub(r"[-_.]+", "-", requirement.name).lower()
    locked = pins(REQUIREMENTS / "locked.txt").get(name, [])
    assert locked, f"{name} is not locked: lock again, as CONTRIBUTING.md says"
    assert all(requirement.specifier.contains(version, prereleases=True) for version, _ in locked)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pin_has_hashes_and_no_host_is_named(lock: Path) -> None:
    pinned = pins(lock)
    assert len(pinned) > 10
    assert all(hashes for entries in pinned.values() for _, hashes in entries)
    assert "://" not in lock.read_text("utf-8")
    assert "index" not in lock.read_text("utf-8")


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", REQUIREMENTS / "audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(**packages: list[str] | None) -> dict[str, Any]:
    """As pip-audit writes it: a package that it could not ask about has a reason instead of flaws."""
    return {
        "dependencies": [
            {"name": name, "skip_reason": "not found"}
            if flaws is None
            else {
                "name": name,
                "version": "1.0",
                "vulns": [{"id": flaw, "fix_versions": ["1.1"]} for flaw in flaws],
            }
            for name, flaws in packages.items()
        ]
    }


def test_a_finding_fails_and_silence_is_no_clean_bill(audit: ModuleType) -> None:
    code, sentence = audit.verdict([answer(click=[], rich=["PYSEC-1"]), None])
    assert (code, "rich 1.0: PYSEC-1, mended in 1.1" in sentence) == (1, True)
    assert audit.verdict([None, None])[0] == 0
    assert audit.verdict([answer(click=None, rich=None), None])[1].startswith("NOT AUDITED")
    assert audit.verdict([answer(click=None), answer(click=[], rich=None)]) == (
        0,
        "No known flaw in 1 locked dependencies; not audited: rich.",
    )
