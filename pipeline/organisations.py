"""organisations.toml: what the user knows of his organisations.

```toml
[[organisation]]
id = "contoso"                      # [a-z0-9-], at most 40
name = "Contoso GmbH"               # free text for reports
domains = ["contoso.com"]
servers = ["EX01", "EX02"]
networks = ["10.1.0.0/16"]
paths = ["*/Contoso*/*"]            # patterns of log paths
connectors_in_scope = ["To cloud"]  # lead over an OnPremises inbound connector
connectors_out_of_scope = ["Internet"]
pauses = [{ from = 2026-10-01, to = 2026-10-14 }]              # enforcement pauses, whole days
first_detected = [{ server = "EX01", at = 2026-09-09T00:15:08Z }]
```
"""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import UsageError

_ID = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$")
_KEYS = {
    "id",
    "name",
    "domains",
    "servers",
    "networks",
    "paths",
    "connectors_in_scope",
    "connectors_out_of_scope",
    "pauses",
    "first_detected",
}


@dataclass(frozen=True, slots=True)
class KnownOrganisation:
    """One `[[organisation]]`. Pauses are inclusive days; first detections are (server, instant)."""

    id: str
    name: str
    domains: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    connectors_in_scope: tuple[str, ...] = ()
    connectors_out_of_scope: tuple[str, ...] = ()
    pauses: tuple[tuple[date, date], ...] = ()
    first_detected: tuple[tuple[str, datetime], ...] = field(default=())


def load_organisations(path: Path) -> tuple[KnownOrganisation, ...]:
    """Read the file. Raises UsageError that names the file, the organisation and what is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    tables = document.get("organisation", [])
    if set(document) - {"organisation"} or not isinstance(tables, list):
        raise UsageError(f"{path}: only [[organisation]] tables are expected")
    known = tuple(_organisation(path, number, table) for number, table in enumerate(tables, 1))
    ids = [organisation.id for organisation in known]
    if twice := {i for i in ids if ids.count(i) > 1}:
        raise UsageError(f"{path}: the id {sorted(twice)[0]!r} is given twice")
    return known


def _organisation(path: Path, number: int, table: dict[str, Any]) -> KnownOrganisation:
    where = f"{path}, organisation {table.get('id', number)}"
    if unknown := set(table) - _KEYS:
        raise UsageError(f"{where}: unknown key {sorted(unknown)[0]!r}; known are {', '.join(sorted(_KEYS))}")
    identity = table.get("id")
    if not isinstance(identity, str) or not _ID.match(identity):
        raise UsageError(f'{where}: id must be 1 to 40 of a-z, 0-9 and -, as in id = "contoso"')
    lists = {
        key: _texts(where, key, table.get(key, []))
        for key in sorted(_KEYS - {"id", "name", "pauses", "first_detected"})
    }
    for network in lists["networks"]:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError as error:
            raise UsageError(f'{where}: {network!r} is no network, as in "10.1.0.0/16"') from error
    return KnownOrganisation(
        id=identity,
        name=str(table.get("name", identity)),
        pauses=tuple(_pauses(where, table.get("pauses", []))),
        first_detected=tuple(_detections(where, table.get("first_detected", []))),
        **lists,
    )


def _texts(where: str, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where}: {key} must be a list of texts")
    return tuple(value)


def _pauses(where: str, value: Any) -> Iterator[tuple[date, date]]:
    for pause in value if isinstance(value, list) else [value]:
        try:
            first, last = pause["from"], pause["to"]
            if type(first) is not date or type(last) is not date or last < first:
                raise TypeError
        except (KeyError, TypeError) as error:
            raise UsageError(
                f"{where}: a pause is {{ from = 2026-10-01, to = 2026-10-14 }}, both days included"
            ) from error
        yield first, last


def _detections(where: str, value: Any) -> Iterator[tuple[str, datetime]]:
    for detection in value if isinstance(value, list) else [value]:
        try:
            server, at = detection["server"], detection["at"]
            if not isinstance(at, datetime) or not isinstance(server, str):
                raise TypeError
        except (KeyError, TypeError) as error:
            raise UsageError(
                f'{where}: a first detection is {{ server = "EX01", at = 2026-09-09T00:15:08Z }}'
            ) from error
        yield server, at if at.tzinfo else at.replace(tzinfo=UTC)
