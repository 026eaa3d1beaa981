"""A report to hand on: names replaced by labels, the same label all over the document; dates, builds and counts kept.

`organisation-1`, `server-1`, `connector-1`, `domain-1`, `tenant-1`, `host-1`, `ip-1`, `address-1`, `message-1`,
`file-1`: numbered as they first appear. A column says what it holds; in sentences and replies the names that the
store knows are found whole, the longest first, and addresses, hosts, IP addresses, GUIDs and paths by their shape.
A name that is also a word (`exchange`, `MAIL`) is found where it is a whole cell, in the places of sentences where names
stand, and servers in capitals, as sentences write them.
Writers see a document like any other, whose session answers with labels too.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from pipeline.i18n.columns import TERMS, is_prose
from pipeline.reports.document import Document, Sheet
from pipeline.reports.own_words import may_be_a_word
from pipeline.sql import Result, Session

WITHHELD = "withheld"
_KEPT = (TERMS - {"action"}) | {
    "baseline_build",
    "build",
    "build_name",
    "enhanced_code",
    "event",
    "generation",
    "kind",
    "log_kind",
    "log_kinds",
    "log_service",
    "newest_build",
    "product",
    "source_url",
    "table_name",
    "third_party_dates",
    "tls_versions",
}
_LABELLED = {
    "connector": "connector",
    "file": "file",
    "network_message_id": "id",
    "path": "file",
    "refusal_key": "refusal",
    "session_id": "session",
    "source_file": "file",
    "source_id": "source",
}
_ORGANISATIONS = frozenset({"organisation", "display_name"})
_SERVERS = frozenset({"server", "clock_server", "handed_over_by"})
_HOSTS = frozenset(
    {
        "addresses",
        "destination",
        "domain",
        "ehlo_names",
        "exchange_online_host",
        "peer",
        "sending_organisation",
        "tenant",
    }
)
_ADDRESSES = frozenset({"sender", "recipients"})
_MESSAGES = frozenset({"message_id", "message_key"})
_WITHHELD = frozenset({"raw_line", "acknowledged_reason"})

# Microsoft's own: they name no customer.
_MICROSOFT = re.compile(
    r"(?:.*\.)?(?:prod\.outlook\.com|prod\.protection\.outlook\.com|prod\.exchangelabs\.com|microsoft\.com|aka\.ms|"
    r"office\.com|office365\.com|office\.net)|outlook\.com|mail\.protection\.outlook\.com|organisations\.toml",
    re.IGNORECASE,
)
# ... and here the first label does.
_TENANT = re.compile(
    r"([a-z0-9-]+)((?:\.mail)?\.(?:protection\.outlook\.com|onmicrosoft\.com|mx\.microsoft))", re.IGNORECASE
)
_SHAPES = (
    r"(?P<url>https?://(?:aka\.ms|(?:[a-z0-9-]+\.)*microsoft\.com)/[^\s;,)\]}\"']*)"
    r"|(?P<address>(?:\"[^\"\s]*\"|[^\s<>;,:\"'()\[\]=|]+)@[^\s<>;,:\"'()\[\]|]+)"
    r"|(?P<path>(?:\b[A-Za-z]:\\|\\\\[\w.-]+\\)[^\s\"'<>|]+|(?<![\w/:.])/(?:[^\s/:;,\"'<>|]+/)+[^\s:;,\"'<>|]*)"
    r"|(?P<guid>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)"
    r"|(?P<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)"
    r"|(?<![\w:.])(?=[0-9a-f:]*::|(?:[0-9a-f]{1,4}:){7})[0-9a-f:]{3,39}(?![\w:]))"
    r"|(?P<session>\b08[0-9A-F]{14}\b)"
    r"|(?P<host>(?<![\w.-])(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9](?![\w-]))"
)

# Where sentences name an organisation, a server or a connector; any of them may be a word.
_PLACES = (
    re.compile(r"\borganisation (?P<organisation>\S+) by (?:\S+; server|option|path|layout|none)"),
    re.compile(r"; server (?P<server>\S+) by "),
    re.compile(r"--organisation[ =](?P<organisation>[^\s;]+)"),
    re.compile(r"--server[ =](?P<server>[^\s;]+)"),
    re.compile(r"\bConnector: (?P<connector>.+)\.$"),
    # doubts of an ingest: also folders that became nobody's name
    re.compile(r"\bthe folder says (?P<folder>.+?), the rows say (?P<server>[^;:]+)"),
    re.compile(
        r"\bthe folder says (?P<folder>.+?), organisations\.toml gives (?P<server>.+?) to (?P<organisation>[^;]+)"
    ),
    re.compile(r"\bnothing but the folder says that (?P<folder>.+?) is the server"),
    re.compile(r"\bit is not clear what the folder (?P<folder>.+?) names(?=$|;)"),
    re.compile(r"(?:^|; )(?P<organisation>[^;]+?) and (?P<other>[^;]+?) would have the same id"),
)


def anonymised(document: Document) -> Document:
    """The document with labels for names. Writers need nothing else; `session` answers with labels as well."""
    labels = Labels(document.session)
    return replace(
        document,
        sheets=[_sheet(sheet, labels) for sheet in document.sheets],
        session=LabelledSession(document.session, labels),
        organisation=labels.organisation(document.organisation) if document.organisation else None,
    )


def _sheet(sheet: Sheet, labels: Labels) -> Sheet:
    return replace(sheet, result=labels.result(sheet.result, sheet.name))


class LabelledSession(Session):
    """The session of an anonymised document: what it answers holds labels for names."""

    def __init__(self, session: Session, labels: Labels) -> None:
        # No session of its own: it must not open a connection.
        self._of, self._labels = session, labels
        self.parameters, self.catalogue = session.parameters, session.catalogue
        self.snapshots, self.organisations, self.imported = session.snapshots, (), ()
        self.unsafe = False

    def report(self, name: str) -> Result:
        """The rows of a report."""
        return self._labels.result(self._of.report(name), name)

    def query(self, sql: str) -> Result:
        """A SELECT; names in its conditions are the real ones."""
        return self._labels.result(self._of.query(sql))

    def close(self) -> None:
        """The session behind it stays its owner's."""


class Labels:
    """Labels for what a store names, in the order in which they are first asked for."""

    def __init__(self, session: Session) -> None:
        self._numbers: dict[str, dict[str, int]] = {}
        self._ids: dict[str, str] = {}
        self._kinds: dict[str, str] = {}
        self._builds = {
            str(row[0]) for row in session.query("select distinct build_number from ref_builds").rows
        }
        spelled: dict[str, str] = {}
        for known, name in _names(session):
            self._kinds.setdefault(name.casefold(), known)
            spelled.setdefault(name.casefold(), name)
        for identity, name in session.query(
            "select distinct organisation, organisation_name from source_ranges"
        ).rows:
            self._ids[name or identity] = self._ids[identity] = identity
        for organisation in session.organisations:
            self._ids[organisation.name] = organisation.id
            self._kinds.setdefault(organisation.name.casefold(), "organisation")
        # Names of organisations are looked for only as they are spelled.
        exact = {name for name in self._ids if not may_be_a_word(name)}
        files, folded = set(), set()
        for folded_name, name in spelled.items():
            known = self._kinds[folded_name]
            if known == "file":
                files.add(name)
            elif known == "server" and may_be_a_word(name):
                exact.add(name.upper())
            elif not may_be_a_word(name):
                folded.add(name)
        names = sorted(
            [*((name, f"(?-i:{re.escape(name)})") for name in exact), *((n, re.escape(n)) for n in folded)],
            key=lambda name: (-len(name[0]), name),
        )
        known_names = rf"|(?<![\w-])(?P<name>{'|'.join(name for _, name in names)})(?![\w-])" if names else ""
        # Before all shapes: a blank in a path is the end of the shape, but not of the path.
        whole = sorted(map(re.escape, files), key=lambda name: (-len(name), name))
        known_files = rf"(?<![\w-])(?P<known>{'|'.join(whole)})(?![\w-])|" if whole else ""
        self._pattern = re.compile(known_files + _SHAPES + known_names, re.IGNORECASE)

    def result(self, result: Result, report: str = "") -> Result:
        """Rows with labels in them."""
        hiding = [self._of_column(name, report) for name in result.columns]
        rows = [
            tuple(hide(cell) if hide else cell for hide, cell in zip(hiding, row, strict=True))
            for row in result.rows
        ]
        return Result(result.columns, result.types, rows)

    def _of_column(self, column: str, report: str) -> Callable[[Any], Any] | None:
        if column in _KEPT and not (report and is_prose(report, column)):
            return None
        hide: Callable[[str], str] = self.text
        if column in _WITHHELD:
            hide = _withheld
        elif column in _ORGANISATIONS:
            hide = self.organisation
        elif column in _SERVERS:
            hide = self._server
        elif column in _HOSTS:
            hide = self._hosts
        elif column in _ADDRESSES:
            hide = self._addresses
        elif column in _MESSAGES:
            hide = self._message
        elif column == "finding_key":
            hide = self._finding_key
        elif column in _LABELLED:
            kind = _LABELLED[column]

            def hide(cell: str) -> str:
                return self._label(kind, cell)

        return lambda cell: _each(cell, hide)

    def organisation(self, name: str) -> str:
        """The label of an organisation, by its id or its name."""
        return self._label("organisation", self._ids.get(name, name))

    def text(self, value: str) -> str:
        """A sentence, reply or command with labels in it; one that is nothing but a name is a name."""
        if value in self._ids:
            return self.organisation(value)
        if (kind := self._kinds.get(value.casefold())) and kind != "organisation":
            return self._named(kind, value)
        return self._sentence(value)

    def _sentence(self, value: str) -> str:
        # The places of names first; what is around them is searched as all text is.
        spans: list[tuple[int, int, str]] = []
        for place in _PLACES:
            for found in place.finditer(value):
                for group, name in found.groupdict().items():
                    if name is not None and not any(
                        begin < found.end(group) and found.start(group) < end for begin, end, _ in spans
                    ):
                        spans.append((*found.span(group), self._in_place(group, name)))
        pieces, at = [], 0
        for begin, end, label in sorted(spans):
            pieces += [self._pattern.sub(self._found, value[at:begin]), label]
            at = end
        return "".join([*pieces, self._pattern.sub(self._found, value[at:])])

    def _in_place(self, group: str, name: str) -> str:
        if name in self._ids:
            return self.organisation(name)
        known = self._kinds.get(name.casefold())
        if group == "other":
            group = "organisation"
        if group == "folder":
            return self._named(known or "folder", name)
        return self._named(group, name)

    def _named(self, kind: str, name: str) -> str:
        return self._server(name) if kind == "server" else self._label(kind, name)

    def _found(self, found: re.Match[str]) -> str:
        kind, text = found.lastgroup or "", found[0]
        if kind == "url":
            return text
        if kind == "name":
            if text in self._ids:
                return self.organisation(text)
            return self._named(self._kinds.get(text.casefold(), "organisation"), text)
        if kind == "known":
            return self._label("file", text)
        if kind == "ip":
            return self._ip(text)
        if kind == "host":
            return self._host(text)
        if kind == "address":
            is_message = text.strip("<>").casefold() in self._numbers.get("message", {})
            return self._label("message" if is_message else "address", text)
        return self._label({"path": "file", "guid": "id"}.get(kind, kind), text)

    def _label(self, kind: str, value: str) -> str:
        if not value:
            return value
        numbers = self._numbers.setdefault(kind, {})
        return f"{kind}-{numbers.setdefault(value.strip('<> ').casefold(), len(numbers) + 1)}"

    def _server(self, name: str) -> str:
        # Reports name a server by the first label of its host name.
        return self._label("server", name.partition(".")[0])

    def _addresses(self, cell: str) -> str:
        parts = cell.split(";")
        return ";".join(
            part if part.strip() in ("", "<>") else self._label("address", part) for part in parts
        )

    def _message(self, cell: str) -> str:
        label = self._label("message", cell)
        return f"<{label}>" if cell.startswith("<") else label

    def _finding_key(self, key: str) -> str:
        organisation, _, rest = key.partition("/")
        server, _, about = rest.partition("/")
        named = server if server in ("", "*") else self._server(server)
        return f"{self.organisation(organisation)}/{named}/{self._sentence(about)}"

    def _hosts(self, cell: str) -> str:
        return ", ".join(self._host(part) for part in cell.split(", "))

    def _host(self, name: str) -> str:
        if not name or _MICROSOFT.fullmatch(name):
            return name
        if name in self._ids:
            return self.organisation(name)
        if found := _TENANT.fullmatch(name):
            return f"{self._label('tenant', found[1])}{found[2]}"
        if _is_ip(name):
            return self._ip(name)
        known = self._kinds.get(name.casefold())
        if known in ("domain", "tenant"):
            return self._label(known, name)
        first, dot, rest = name.partition(".")
        if self._kinds.get(first.casefold()) == "server":
            return f"{self._server(first)}{dot}{self._label('domain', rest)}"
        return self._label("host", name)

    def _ip(self, text: str) -> str:
        if text in self._builds or not _is_ip(text):
            return text
        address = ipaddress.ip_address(text)
        return text if address.is_loopback or address.is_unspecified else self._label("ip", str(address))


def _names(session: Session) -> Iterable[tuple[str, str]]:
    """(kind, name) of everything that the store names."""
    rows = session.query(
        "select distinct 'file' as kind, path as name from source_ranges "
        "union select distinct 'server', split_part(server, '.', 1) from source_ranges "
        "union select distinct 'server', split_part(server, '.', 1) from message_tracking "
        "union select distinct 'server', split_part(server, '.', 1) from smtp_protocol "
        "union select distinct 'server', split_part(server, '.', 1) from imported_reports "
        "union select distinct 'connector', connector_id from message_tracking "
        "union select distinct 'connector', connector_id from smtp_protocol "
        "union select distinct 'tenant', tenant from hand_overs "
        "union select distinct 'domain', peer_domain from message_tracking "
        "union select distinct 'domain', peer_domain from smtp_protocol"
    ).rows
    return sorted((kind, name) for kind, name in rows if name)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _withheld(_: str) -> str:
    return WITHHELD


def _each(cell: Any, hide: Callable[[str], str]) -> Any:
    if isinstance(cell, str):
        return hide(cell)
    if isinstance(cell, list | tuple):
        return type(cell)(_each(item, hide) for item in cell)
    if isinstance(cell, dict):
        return {_each(key, hide): _each(value, hide) for key, value in cell.items()}
    return cell
