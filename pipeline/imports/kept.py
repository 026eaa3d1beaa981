"""Imported reports as the store keeps them: `imported_reports.json`, and the SQL relation made of it."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import TbesError

if TYPE_CHECKING:
    from pipeline.imports.report import ImportedServer

FILE = "imported_reports.json"
SCHEMA_VERSION = 1
COLUMNS: tuple[tuple[str, str], ...] = (
    ("organisation", "VARCHAR"),
    ("server", "VARCHAR"),
    ("server_fqdn", "VARCHAR"),
    ("build", "VARCHAR"),
    ("build_key", "BIGINT"),
    ("exchange_server", "VARCHAR"),
    ("first_detected", "TIMESTAMPTZ"),
    ("throttle_enabled", "TIMESTAMPTZ"),
    ("blocking_enabled", "TIMESTAMPTZ"),
    ("next_stage_throttle", "INTEGER"),
    ("next_stage_block", "INTEGER"),
    ("next_stage_start", "TIMESTAMPTZ"),
    ("recommended_builds", "VARCHAR"),
    ("imported_at", "TIMESTAMPTZ"),
    ("as_of", "TIMESTAMPTZ"),
    ("file", "VARCHAR"),
    ("date_reading", "VARCHAR"),
)
"""Relation `imported_reports`, a row a server and import. `server` is the first label of the name in
capitals, `recommended_builds` are ascending and joined with `, `, `as_of` is when the cmdlet was run, or the
time of the import where nobody said so."""
_TIMES = ("first_detected", "throttle_enabled", "blocking_enabled", "next_stage_start")


@dataclass(frozen=True, slots=True)
class KeptImport:
    """One imported file. `content` is the SHA-256 of its bytes; `zone` is the zone that dates without an
    offset were read in, `zone_told` whether a person said so."""

    organisation: str
    file: str
    content: str
    imported_at: datetime
    as_of: datetime
    as_of_told: bool
    zone: str
    zone_told: bool
    date_reading: str
    date_reason: str
    servers: tuple[ImportedServer, ...]

    def same_reading(self, other: KeptImport) -> bool:
        """Whether the same file was read alike before, so that importing it again changes nothing."""
        told_again = not other.as_of_told or (self.as_of_told and self.as_of == other.as_of)
        return told_again and (self.zone, self.date_reading, self.servers) == (
            other.zone,
            other.date_reading,
            other.servers,
        )


def load(root: Path) -> tuple[KeptImport, ...]:
    """What a store keeps; empty if it has no such file. Raises TbesError for a damaged or newer file."""
    path = root / FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise TbesError(
            f"{path} cannot be read ({error}). Delete it and import the reports again."
        ) from error
    try:
        if document["version"] > SCHEMA_VERSION:
            raise TbesError(f"{path} is of a newer version of tbes: update tbes")
        return tuple(_import(item) for item in document["imports"])
    except (KeyError, TypeError, ValueError) as error:
        raise TbesError(f"{path} is damaged ({error}). Delete it and import the reports again.") from error


def save(root: Path, imports: Sequence[KeptImport]) -> None:
    """Replace the file as a whole: a reader sees the old or the new one. Raises TbesError if that fails."""
    path = root / FILE
    document = {"version": SCHEMA_VERSION, "imports": [_as_json(kept) for kept in imports]}
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as handle:
            json.dump(document, handle, ensure_ascii=False, indent=1)
            handle.write("\n")
            handle.flush()
            os.fsync(handle.fileno())
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise TbesError(f"{path} cannot be written: {error.strerror}") from error


def added(imports: Sequence[KeptImport], new: KeptImport) -> tuple[tuple[KeptImport, ...], KeptImport, bool]:
    """The imports with a new one, the one now kept, and whether anything changed.

    The same content of the same organisation is kept once; read another way, it replaces the earlier reading.
    """
    before = find(imports, new.organisation, new.content)
    if before is not None and before.same_reading(new):
        return tuple(imports), before, False
    return (*(kept for kept in imports if kept is not before), new), new, True


def find(imports: Iterable[KeptImport], organisation: str, content: str) -> KeptImport | None:
    """The import of this content by this organisation."""
    return next(
        (kept for kept in imports if (kept.organisation, kept.content) == (organisation, content)), None
    )


def relation_rows(imports: Iterable[KeptImport], organisation: str | None = None) -> list[tuple[Any, ...]]:
    """Rows of the relation, of all organisations or one, in the order of `COLUMNS`."""
    from pipeline.reference.builds import parse_build

    return [
        (
            kept.organisation,
            server.server_fqdn.split(".")[0].upper(),
            server.server_fqdn,
            server.build,
            key.key if server.build and (key := parse_build(server.build)) else None,
            server.exchange_server,
            server.first_detected,
            server.throttle_enabled,
            server.blocking_enabled,
            server.next_stage_throttle,
            server.next_stage_block,
            server.next_stage_start,
            ", ".join(server.recommended_builds) or None,
            kept.imported_at,
            kept.as_of,
            kept.file,
            kept.date_reading,
        )
        for kept in imports
        if organisation is None or kept.organisation == organisation
        for server in kept.servers
    ]


def _as_json(kept: KeptImport) -> dict[str, Any]:
    values = {field.name: getattr(kept, field.name) for field in fields(kept)}
    values["servers"] = [asdict(server) for server in kept.servers]
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value


def _import(item: dict[str, Any]) -> KeptImport:
    values = dict(item)
    for name in ("imported_at", "as_of"):
        values[name] = datetime.fromisoformat(values[name])
    values["servers"] = tuple(_server(server) for server in values["servers"])
    return KeptImport(**values)


def _server(item: dict[str, Any]) -> ImportedServer:
    from pipeline.imports.report import ImportedServer

    values = dict(item)
    for name in _TIMES:
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    values["recommended_builds"] = tuple(values["recommended_builds"])
    return ImportedServer(**values)
