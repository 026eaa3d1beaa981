"""Exchange build numbers: four integers, in every spelling that logs, headers and tools use.
 Parts are integers, so `15.01.2507.039` is 15.1.2507.39, and are never compared as text or decimals.
Spellings: https://learn.microsoft.com/exchange/new-features/build-numbers-and-release-dates (short and long
form), https://learn.microsoft.com/powershell/module/exchange/get-exchangeserver (AdminDisplayVersion).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Spelling = Literal[
    "number",  # 15.1.2507.39, 15.01.2507.039
    "three parts",  # 15.1.2507: the CU line, as in OWA paths
    "admin display version",  # Version 15.1 (Build 2507.39)
    "server version",  # MajorVersion 15, MinorVersion 2, MajorBuildNumber 2562, MinorBuildNumber 46
    "received header",  # with Microsoft SMTP Server ... id 15.1.2507.61
    "log header",  # #Version: 15.01.2375.007
]


@dataclass(frozen=True, order=True, slots=True)
class BuildLine:
    """The first three numbers of a build: one cumulative update of 2013 and later, one rollup before."""

    major: int
    minor: int
    build: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}"


@dataclass(frozen=True, order=True, slots=True)
class Build:
    """A build number; ordered by its four numbers."""

    major: int
    minor: int
    build: int
    revision: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.build}.{self.revision}"

    @property
    def line(self) -> BuildLine:
        """The first three numbers."""
        return BuildLine(self.major, self.minor, self.build)

    @property
    def padded(self) -> str:
        """The long form of ExSetup.exe and of tracking logs, 15.01.2507.039."""
        return f"{self.major:02d}.{self.minor:02d}.{self.build:04d}.{self.revision:03d}"

    @property
    def key(self) -> int:
        """See `build_key`."""
        return build_key(self)

    @property
    def is_constant(self) -> bool:
        """8.0.0.0, 14.0.0.0 and 15.0.0.0 in `#Version` are constants of a generation, not builds."""
        return (self.minor, self.build, self.revision) == (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Version:
    """What a text says of a version.

    `build` is None where only the CU line stands (three parts). `only_cu` is True where the spelling shows
    the cumulative update but never the security update on top (AdminDisplayVersion, the directory's
    serialNumber, three parts), so that the true build is this one or a later one of the same line.
    """

    line: BuildLine
    build: Build | None
    spelling: Spelling
    only_cu: bool = False


MAJORS = frozenset({6, 8, 14, 15})
"""First numbers of Exchange 2003 to SE: 6.5 is 2003, 8 is 2007, 14 is 2010, 15 is 2013 and later."""

DIRECTORY_OFFSET = 30000
"""The directory's serialNumber adds this to the third number: Version 15.1 (Build 32507.6)."""

_N = r"[0-9]{1,5}"
_FOUR = rf"({_N})\.({_N})\.({_N})\.({_N})"
_NUMBER = re.compile(rf"v?{_FOUR}", re.ASCII | re.IGNORECASE)
_NUMBER_AND_OTHER = re.compile(
    rf"(?:v[0-9]+:\s*)?{_FOUR}(?:/[0-9]+|\s*\(v[0-9]+:[^()]*\))", re.ASCII | re.IGNORECASE
)
_THREE = re.compile(rf"v?({_N})\.({_N})\.({_N})", re.ASCII | re.IGNORECASE)
_ADMIN_DISPLAY = re.compile(
    rf"Version\s+({_N})\.({_N})\s*\(\s*Build\s+({_N})\.({_N})\s*\)", re.ASCII | re.IGNORECASE
)
_SERVER_VERSION = re.compile(
    r"Major\s*Version\W{1,6}(?P<major>[0-9]{1,5})\W{1,6}Minor\s*Version\W{1,6}(?P<minor>[0-9]{1,5})"
    r"\W{1,6}Major\s*Build\s*Number\W{1,6}(?P<build>[0-9]{1,5})"
    r"\W{1,6}Minor\s*Build\s*Number\W{1,6}(?P<revision>[0-9]{1,5})",
    re.ASCII | re.IGNORECASE,
)
_RECEIVED = re.compile(
    rf"\bwith\s+(?:Microsoft\s+SMTP\s+Server|mapi)\b[^;]{{0,300}}?\bid\s+{_FOUR}(?![0-9.]?[0-9])",
    re.ASCII | re.IGNORECASE,
)
_RECEIVED_BY = re.compile(r"\bby\s+([A-Za-z0-9][A-Za-z0-9._-]*)", re.ASCII)
_LOG_HEADER = re.compile(rf"#?\s*(?:Version|schema-version)\s*:\s*{_FOUR}", re.ASCII | re.IGNORECASE)
_LABELLED = re.compile(
    rf"\b(?:AdminDisplayVersion|serialNumber|build|version|ExSetup(?:\.exe)?|FileVersion)\s*[:=]?\s*{_FOUR}(?![0-9.]?[0-9])",
    re.ASCII | re.IGNORECASE,
)


def build_key(build: Build) -> int:
    """One integer that orders builds as their four numbers do; fits 64 bits."""
    return ((build.major * 1000 + build.minor) * 100000 + build.build) * 100000 + build.revision


def parse_build(text: str) -> Build | None:
    """The build that `text` spells, or None; never raises.

    Accepts short and zero-padded numbers, `Version 15.1 (Build 2507.39)` and the directory's `Version 15.1
    (Build 32507.6)`, the four numbers of an EWS ServerVersionInfo, a `#Version:` line, a labelled number,
    and a `Received:` header line. None for three parts (see `parse_version`), for product names (see
    `pipeline.reference.product_names`) and for numbers that no Exchange version begins with.
    """
    version = parse_version(text)
    return version.build if version else None


def parse_version(text: str) -> Version | None:
    """What `text` says of a version, with the spelling it was written in; None if nothing; never raises."""
    bare = text.strip().strip("\"'").strip()
    if match := _NUMBER.fullmatch(bare) or _NUMBER_AND_OTHER.fullmatch(bare):
        return _version(match.groups(), "number")
    if match := _THREE.fullmatch(bare):
        return _version((*match.groups(), None), "three parts", only_cu=True)
    if match := _ADMIN_DISPLAY.search(bare):
        return _version(match.groups(), "admin display version", only_cu=True)
    if match := _SERVER_VERSION.search(bare):
        return _version(match.group("major", "minor", "build", "revision"), "server version")
    if match := _RECEIVED.search(_unfold(bare)):
        return _version(match.groups(), "received header")
    if match := _LOG_HEADER.match(bare):
        return _version(match.groups(), "log header")
    if match := _LABELLED.search(bare):
        return _version(match.groups(), "number")
    return None


def received_by(text: str) -> str | None:
    """The host after `by` in a Received line: the server whose build the line's id is."""
    match = _RECEIVED_BY.search(_unfold(text))
    return match.group(1) if match else None


def _unfold(header: str) -> str:
    """One line of a header that was folded, or soft-wrapped by quoted-printable."""
    return re.sub(r"=?\s*\r?\n\s*", " ", header).replace("=3D", "=")


def _version(parts: tuple[str | None, ...], spelling: Spelling, *, only_cu: bool = False) -> Version | None:
    major, minor, third = (int(part or 0) for part in parts[:3])
    if third >= DIRECTORY_OFFSET:
        third -= DIRECTORY_OFFSET
    if major not in MAJORS or minor > 99:
        return None
    line = BuildLine(major, minor, third)
    revision = parts[3]
    build = None if revision is None else Build(major, minor, third, int(revision))
    return Version(line, build, spelling, only_cu)
