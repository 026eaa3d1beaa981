"""Whose log a file is: organisation and server, from folders, from the rows, or from what the user says.

`<root>/<organisation>/<server>/<Exchange's own folders>` is recognised by itself. Only folders below the path
that was asked for count, so that a run on the server itself makes no organisation of `Program Files`. Where
folders and rows disagree, the rows win for the server; where it is in doubt, the organisation stays
unassigned, and the assignment says why.
Exchange's folders: https://learn.microsoft.com/en-us/exchange/mail-flow/transport-logs/transport-logs
"""

from __future__ import annotations

import csv
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import lru_cache

from pipeline.logs.kinds import Kind
from pipeline.logs.message_tracking import WRITER_IS_CLIENT

UNASSIGNED = "unassigned"

_EXCHANGE_FOLDERS = {
    "transportroles",
    "messagetracking",
    "protocollog",
    "smtpsend",
    "smtpreceive",
    "frontend",
    "hub",
    "edge",
    "mailbox",
    "connectivity",
    "agentlog",
    "delivery",
    "submission",
    "v14",
    "v15",
    "exchange server",
}
_LEADS_TO_EXCHANGE = {"program files", "microsoft", "exchange server", "exchsrvr", "programme"}
_NO_NAME = {
    "logs",
    "log",
    "logging",
    "archive",
    "archives",
    "backup",
    "backups",
    "export",
    "exports",
    "exchange",
    "data",
    "old",
    "copy",
    "copies",
    "incoming",
    "upload",
    "uploads",
    "share",
    "temp",
    "tmp",
    "mnt",
    "home",
    "users",
    "desktop",
    "downloads",
    "documents",
    "customers",
    "kunden",
    "transport",
    "exchangelogs",
    "exchange logs",
}
# EX2019 and MBX-2016-01 are servers: behind other words than these only a whole day is a date.
_DATED = re.compile(
    r"(?:\D{0,12}[-_. ])?(?:19|20)\d\d([-_.]?)[01]\d\1[0-3]\d(?:\d{2,})?(?:[-_T. ]\d{2,})*"
    r"|(?:logs?|backups?|exports?|copy|archiv\w*|week|kw|from|since|vom)?[-_. ]?(?:19|20)\d\d(?:[01]\d){0,2}(?:[-_T. ]\d{1,6})*"
    r"|\d{1,2}|[A-Z]:?",
    re.IGNORECASE,
)
_SHARE = re.compile(r"^[a-z]\$\Z", re.IGNORECASE)
_HOST = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}\Z")


@dataclass(frozen=True, slots=True)
class Organisation:
    """What the user says of an organisation, in organisations.toml or by options."""

    id: str
    name: str
    domains: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How files are assigned where the user has said something.

    `organisation` and `server` hold for all files; `layout` is a folder pattern such as
    `{organisation}/{server}`, matched from the path that was asked for.
    """

    organisation: Organisation | None = None
    layout: tuple[str, ...] = ()
    known: tuple[Organisation, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """The result: ids, how each was found, and a doubt in words if there is one."""

    organisation: str
    organisation_name: str
    organisation_basis: str
    server: str | None
    server_basis: str | None
    service: str | None
    doubt: str | None = None

    @property
    def text(self) -> str:
        """For the summary and the `sources` report."""
        server = f"server {self.server} by {self.server_basis}" if self.server else "server by each row"
        return f"organisation {self.organisation} by {self.organisation_basis}; {server}"


@dataclass(frozen=True, slots=True)
class _Folders:
    names: list[str] = field(default_factory=list)
    exchange: bool = False
    share_host: str | None = None


def assign(
    path: str, folders: Sequence[str], file_name: str, kind: Kind, row_server: str | None, rules: Rules
) -> Assignment:
    """Assign one file. `row_server` is the server that its own first rows name, if they do."""
    service = service_of(folders, file_name, kind)
    found = _names(folders, path)
    server, server_basis, doubt = row_server, "rows" if row_server else None, None
    layout = _by_layout(folders, rules.layout)
    names, at_server = found.names, None
    if layout.get("server"):
        server, server_basis = short_name(layout["server"]) or layout["server"], "layout"
    elif found.share_host and (not row_server or same_host(found.share_host, row_server)):
        server, server_basis = found.share_host, "path"
        at_server = len(names) - 1 if names and same_host(names[-1], server) else None
    elif row_server:
        at_server = next((i for i in reversed(range(len(names))) if same_host(names[i], row_server)), None)
        if at_server is not None:
            server, server_basis = short_name(names[at_server]), "path"
        elif found.exchange and names and _HOST.match(names[-1]):
            doubt = f"the folder says {names[-1]}, the rows say {row_server}: the rows were believed"
            at_server = len(names) - 1 if len(names) > 1 else None
    elif names and _HOST.match(names[-1].split(".")[0]) and (found.exchange or len(names) > 1):
        at_server = len(names) - 1
        server, server_basis = short_name(names[-1]), "path"
        if len(names) == 1:
            doubt = f"nothing but the folder says that {names[-1]} is the server"
    organisation = rules.organisation
    if organisation:
        return Assignment(organisation.id, organisation.name, "option", server, server_basis, service, doubt)
    if layout.get("organisation"):
        folder = layout["organisation"]
        return _known_or_new(folder, "layout", rules, server, server_basis, service, doubt)
    known = _known(path, names, rules)
    owner = None if known else _owner(server, rules)
    if owner and at_server:
        doubt = f"the folder says {names[at_server - 1]}, organisations.toml gives {server} to {owner.id}"
        return Assignment(UNASSIGNED, "(unassigned)", "none", server, server_basis, service, doubt)
    if known := known or owner:
        return Assignment(known.id, known.name, "organisations.toml", server, server_basis, service, doubt)
    if at_server:
        return _known_or_new(names[at_server - 1], "path", rules, server, server_basis, service, doubt)
    if names and at_server is None:
        doubt = doubt or f"it is not clear what the folder {names[-1]} names"
    return Assignment(UNASSIGNED, "(unassigned)", "none", server, server_basis, service, doubt)


@lru_cache(maxsize=4096)
def slug(name: str) -> str:
    """A safe id of a free name: `[a-z0-9-]{1,40}`; names that lose all their letters get one of their hash.

    'Müller & Söhne GmbH' -> 'mueller-soehne-gmbh'.
    """
    # A Mac hands names over in parts, "u" and its dots apart: they are the same names.
    name = unicodedata.normalize("NFC", name)
    folded = name.casefold().translate({ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"})
    plain = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    text = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    letters = sum(letter.isalnum() for letter in name)
    if not text or text == UNASSIGNED or letters > 2 * sum(letter.isalnum() for letter in text):
        return f"org-{hashlib.sha256(name.encode('utf-8', 'backslashreplace')).hexdigest()[:8]}"
    return text


def apart(assignment: Assignment, holder: str) -> Assignment:
    """The same, or with an id of its own if the id is held by an organisation of another name.

    'A&B' and 'A+B' fold to one id and are two customers; 'Contoso_GmbH' and 'contoso gmbh' are one.
    """
    name = assignment.organisation_name
    # An id that was not made of its holder's name was given by the user: a folder may be named by it.
    names = {_folded(holder)} | (
        {assignment.organisation} if slug(holder) != assignment.organisation else set()
    )
    if assignment.organisation == UNASSIGNED or _folded(name) in names:
        return assignment
    of_name = hashlib.sha256(_folded(name).encode("utf-8", "backslashreplace")).hexdigest()
    own = f"{assignment.organisation[:31].rstrip('-')}-{of_name[:8]}"
    doubt = f"{name} and {holder} would have the same id"
    return replace(assignment, organisation=own, doubt="; ".join(filter(None, (assignment.doubt, doubt))))


def shares_id(name: str, identifier: str, holder: str) -> bool:
    """Whether a name that the user gives would fall together with an organisation of another name.

    The id itself, exactly as it is written, always means its holder.
    """
    given = Assignment(identifier, name, "option", None, None, None)
    return name != identifier and apart(given, holder) != given


@lru_cache(maxsize=4096)
def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "-", unicodedata.normalize("NFKC", name).casefold()).strip("-")


@lru_cache(maxsize=4096)
def short_name(host: str) -> str | None:
    """`EX01` of `ex01.contoso.com`, in capitals as Exchange shows it; None if it is no host name."""
    first = host.strip().split(".")[0]
    if not _HOST.match(first) or re.fullmatch(r"[0-9.]+", host):
        return None
    return first.upper()


def same_host(one: str, other: str) -> bool:
    """Whether two host names, short or full and in any case, can be the same host."""
    return one.split(".")[0].casefold() == other.split(".")[0].casefold()


def service_of(folders: Sequence[str], file_name: str, kind: Kind) -> str | None:
    """The transport service that wrote a log, by Exchange's folder or, for tracking, file name."""
    lower = [folder.lower() for folder in folders]
    if kind.name == "message-tracking":
        prefix = re.match(r"MSGTRK(MA|MD|MS|M)?(?=[0-9])", file_name.upper())
        services = {
            "MA": "moderation",
            "MD": "mailbox-delivery",
            "MS": "mailbox-submission",
            "M": "mailbox",
            None: "hub",
        }
        return services[prefix[1]] if prefix else None
    if "mailbox" in lower:
        return "mailbox-submission" if "submission" in lower else "mailbox-delivery"
    return next((folder for folder in lower if folder in ("frontend", "hub", "edge")), None)


def server_in_rows(kind: Kind, lines: Sequence[str]) -> str | None:
    """The server that the first rows of a log name as their writer; None if they do not agree.

    Tracking rows name it as client or as server, by the event; a Receive connector begins with it; a Send
    log never names it.
    """
    if kind.name == "smtp-send":
        return None
    position = {name.lower(): i for i, name in enumerate(kind.header.fields)}
    wanted = (
        ("connector-id",)
        if kind.name == "smtp-receive"
        else ("event-id", "client-hostname", "server-hostname")
    )
    if not position.keys() >= set(wanted):
        return None
    votes: Counter[str] = Counter()
    for line in lines:
        try:
            cells = next(csv.reader([line], strict=True), []) if '"' in line else line.split(",")
        except csv.Error:
            continue
        if len(cells) != len(kind.header.fields):
            continue
        if kind.name == "smtp-receive":
            host, slash, _ = cells[position["connector-id"]].partition("\\")
            name = host if slash else ""
        else:
            is_client = cells[position["event-id"]].upper() in WRITER_IS_CLIENT
            name = cells[position["client-hostname" if is_client else "server-hostname"]]
        if name and (short := short_name(name)):
            votes[short] += 1
    if not votes:
        return None
    (name, count), total = votes.most_common(1)[0], votes.total()
    return name if count * 10 >= total * 9 else None


def _names(folders: Sequence[str], path: str) -> _Folders:
    """The folder names that can name an organisation or a server, in order."""
    names: list[str] = []
    exchange, share_host = False, None
    for folder in folders:
        lower = folder.lower()
        if lower in _EXCHANGE_FOLDERS or lower in _LEADS_TO_EXCHANGE:
            exchange = exchange or lower in _EXCHANGE_FOLDERS
            if exchange:
                break
            continue
        if _SHARE.match(folder):
            share_host = short_name(names[-1]) if names else None
            continue
        if lower in _NO_NAME or _DATED.fullmatch(folder):
            continue
        names.append(folder)
    unc = re.match(r"^[\\/]{2}([^\\/]+)[\\/][a-z]\$[\\/]", path, re.IGNORECASE)
    if unc and not share_host:
        share_host = short_name(unc[1])
    return _Folders(names, exchange, share_host)


def _by_layout(folders: Sequence[str], layout: Sequence[str]) -> dict[str, str]:
    """Values of `{organisation}` and `{server}`; other layout parts are patterns or `*`."""
    if not layout or len(folders) < len(layout):
        return {}
    values: dict[str, str] = {}
    for part, folder in zip(layout, folders, strict=False):
        pattern = (
            re.escape(part)
            .replace(r"\{organisation\}", "(?P<organisation>.+)")
            .replace(r"\{server\}", "(?P<server>.+)")
            .replace(r"\*", ".*")
        )
        found = re.fullmatch(pattern, folder, re.IGNORECASE)
        if not found:
            return {}
        if any(
            name.lower() in _EXCHANGE_FOLDERS or _SHARE.match(name) for name in found.groupdict().values()
        ):
            # Exchange's own folders end the prefix: they name nobody.
            return {}
        values.update(found.groupdict())
    return values


def _known(path: str, names: Sequence[str], rules: Rules) -> Organisation | None:
    normal = path.replace("\\", "/").casefold()
    for known in rules.known:
        if any(fnmatch(normal, pattern.replace("\\", "/").casefold()) for pattern in known.paths):
            return known
    for known in rules.known:
        if any(known.id == slug(name) or known.name.casefold() == name.casefold() for name in names):
            return known
    return None


def _owner(server: str | None, rules: Rules) -> Organisation | None:
    """Whose server it is; many organisations own an EX01."""
    owners = [k for k in rules.known if server and any(same_host(server, own) for own in k.servers)]
    return owners[0] if len(owners) == 1 else None


def _known_or_new(
    folder: str,
    basis: str,
    rules: Rules,
    server: str | None,
    server_basis: str | None,
    service: str | None,
    doubt: str | None,
) -> Assignment:
    for known in rules.known:
        if known.id == slug(folder) or known.name.casefold() == folder.casefold():
            return Assignment(
                known.id, known.name, "organisations.toml", server, server_basis, service, doubt
            )
    return Assignment(slug(folder), folder, basis, server, server_basis, service, doubt)
