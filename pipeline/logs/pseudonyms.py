"""Persons behind a keyed hash: local parts of addresses, user names and subjects, wherever a text holds them.

A pseudonym is the start of HMAC-SHA256 under a key that only the user has. It is stable, so that counts and joins
still work: the same address has the same pseudonym in every column, spelling and run. Domains, servers, connectors
and IP addresses stay, because the verdict rests on them.

What a text says is found by its shape, and what could be a person is hidden when in doubt: RFC 5321 addresses
(quoted local parts, source routes, SMTPUTF8), RFC 3461 xtext, legacyExchangeDN, `DOMAIN\\user`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Callable

KEPT_LOCAL_PARTS = frozenset(
    {"postmaster", "mailer-daemon", "inboundproxy", "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e"}
)
"""Mailboxes of the software itself: the role that RFC 5321 requires, bounces, Exchange's probes and system sender."""
_KEPT_PATTERN = re.compile(r"healthmailbox[0-9a-f]{32}")
"""Monitoring mailboxes: https://learn.microsoft.com/exchange/high-availability/managed-availability."""

_CHARACTERS = 16
"""Of base32, five bits each: among a hundred million addresses two share a pseudonym with a chance of 1 in 240."""
_REMEMBERED = 1 << 18

# A run of characters that can stand in an unquoted address with what surrounds it; separators are those of RFC 5322
# and of Exchange's lists. Each character is looked at a bounded number of times, also in a hostile text: a run is
# tried at its start only.
_SEPARATORS = r"\s<>()\[\],;:\""
_BRACKETED = (
    r"<(?!(?:led|msg|fqdn|ip|lrt|lri)[-=]|[245][0-9][0-9][ -])([^<>]{1,998}@[^<>]{0,255})>"
    rf'|"(?:[^"\\]|\\.){{0,256}}+"@(?:\[[^\]\s]*+\]|[^{_SEPARATORS}]*+)'
)
_LITERAL = r"(?:(?<=@)\[[^\]\s]*+\])?"
_WITH_AT = re.compile(
    rf"{_BRACKETED}|(?<![^{_SEPARATORS}])[^{_SEPARATORS}@]*+@[^{_SEPARATORS}]*+{_LITERAL}",
    re.DOTALL | re.IGNORECASE,
)
_WITH_ENCODED_AT = re.compile(rf"{_BRACKETED}|[^{_SEPARATORS}]++{_LITERAL}", re.DOTALL | re.IGNORECASE)
_DOMAIN = re.compile(r"\[[^\]]*\]|[\w.-]*")
# Words before `=` that are never the start of a local part.
_KEY = re.compile(
    r"(?:.*[|{])?(?:led|msg|reason|auth|orcpt|rcpt|recipient|user|sender|from|to|mailfrom|smtp\.mailfrom|header\.from|"
    r"header\.d|envelope-from|p1from|p2from|originalfromaddress|r)=",
    re.IGNORECASE,
)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNICODE_XTEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_ENCODED_AT = re.compile(r"%40|\\x\{40\}", re.IGNORECASE)
_LEGACY_DN = re.compile(r"(/cn=recipients/cn=)([^;,'\"<>|}\]]*)", re.IGNORECASE)
# Exchange 2010 writes <led-...>;<FQDN-...> in places.
_ANGLED = re.compile(r"<(?!(?:led|msg|fqdn|ip|lrt|lri)[-=])([^\s<>@\[\]]++)>", re.IGNORECASE)
_DISPLAY_NAME = re.compile(r'"([^"<>@]+)"(?=\s*<[^<>]*@)')
_NO_NAME = r"(?!(?:is|was|has|does|did|not|unknown|over|quota|in|on|of|for|to|the|and|or|by|with|name)\b)"
_NAMED = re.compile(
    rf"\b((?:user|mailbox|recipient|account|alias)\s+['\"]?)({_NO_NAME}[^\s'\";:,<>@]++)"
    r"(?=['\"]?\s+(?:is|was|has|not|unknown|over|does|doesn't|disabled|unavailable|full|exceeded|invalid|inactive)\b)",
    re.IGNORECASE,
)
_NAMING = ("user", "mailbox", "recipient", "account", "alias")
_USER_NAME = re.compile(
    r"(\buser ?name: ?|\bSession for ?)([^\r\n]+?)(?= will now be proxied|[\r\n]|\Z)", re.IGNORECASE
)
_ACCOUNT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\\([^\\\s]+)")
_AUTH_COMMAND = re.compile(r"(\s*(?:auth|x-exps)\s+\S+\s+)([^\s<]+)\s*", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{4,}={0,2}")
_SECURITY_ID = re.compile(r"\b(secid=)(\S+)", re.IGNORECASE)
_MAILBOX = re.compile(r"(\bMailbox:|\bS:(?:Mailboxes|StoreObjectIds|ItemEntryId)=)([^;,\s]+)")
_SUBJECT = re.compile(
    r"(?P<element>(?:^|(?<=;))'S:[\w.-]*subject=)(?P<quoted>(?:[^']|'')*+)"
    r"|(?P<key>(?:^|(?<=[;|,\s:{]))[\w.-]*subject(?:=|: ?))(?!\s*(?:;|$))(?P<value>'(?:[^']|'')*+'|[^;]*+)",
    re.IGNORECASE,
)
HINTS = (
    r"(?i)@|%40|\\x\{40\}|/cn=recipients|<[^\s<>@\[\]]+>|\b(?:user(?:name)?|mailbox|recipient|account|alias)\b|"
    r"mailboxes=|"
    r"storeobjectids=|itementryid=|session for|subject[=:]|\\|^\s*(?:auth|x-exps)\s|secid=|^[a-z0-9+/]{4,}={0,2}$"
)
"""Pattern of texts that `Pseudonyms.text` may change: others need not be looked at."""


class Pseudonyms:
    """Pseudonyms under one key. Thread-safe: what is remembered only saves work."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._local_parts: dict[tuple[str, str], str] = {}

    @property
    def key_id(self) -> str:
        """Tells keys apart without giving them away: 16 hexadecimal digits."""
        return hmac.digest(self._key, b"tbes key check", hashlib.sha256).hex()[:16]

    def local_part(self, local: str, domain: str) -> str:
        """The pseudonym of a local part at a domain; case, quoting and normal form make no difference.

        It depends on the domain: info@a.example and info@b.example are strangers to one another.
        """
        known = self._local_parts.get((local, domain))
        if known is None:
            known = self._fresh_local_part(local, domain)
            if len(self._local_parts) >= _REMEMBERED:
                self._local_parts.clear()
            self._local_parts[local, domain] = known
        return known

    def _fresh_local_part(self, local: str, domain: str) -> str:
        plain = unquoted(local)
        folded = plain if plain.isascii() else unicodedata.normalize("NFC", plain)
        folded = folded.casefold()
        if folded in KEPT_LOCAL_PARTS or _KEPT_PATTERN.fullmatch(folded):
            return local
        return self._hash("p", "address", f"{folded}@{_folded_domain(domain)}")

    def subject(self, text: str) -> str:
        """The pseudonym of a message subject; spaces at its ends make no difference."""
        return self._hash("s", "subject", unicodedata.normalize("NFC", text.strip()))

    def name(self, text: str) -> str:
        """The pseudonym of a user name, display name or mailbox id; case makes no difference."""
        return self._hash("n", "name", unicodedata.normalize("NFC", text.strip()).casefold())

    def line(self, text: str) -> str:
        """What stands for a whole line that is withheld."""
        return f"withheld: {len(text)} characters, {self._hash('q', 'line', text)}"

    def _hash(self, mark: str, what: str, text: str) -> str:
        # Lone surrogates stand for bytes that were no UTF-8.
        message = f"{what}\x00{text}".encode("utf-8", "surrogatepass")
        digest = hmac.digest(self._key, message, hashlib.sha256)
        return f"{mark}-{base64.b32encode(digest[:10]).decode().lower()[:_CHARACTERS]}"

    def addresses(self, cell: str) -> str:
        """A cell that holds nothing but addresses, joined with `;`; what is no address is hidden whole."""
        if ";" in cell:
            return ";".join(self._element(element) for element in cell.split(";"))
        return self._element(cell)

    def _element(self, element: str) -> str:
        bare = element.strip()
        if bare in ("", "<>"):
            return element
        if bare.endswith(">") and (at := bare.rfind("<")) >= 0:
            before = f"{self.name(bare[:at])} " if bare[:at].strip() else ""
            return f"{before}<{self._address(bare[at + 1 : -1])}>"
        return self._address(bare)

    def _address(self, text: str) -> str:
        local, at, domain = text.rpartition("@")
        if not at:
            hidden = _LEGACY_DN.sub(lambda found: found[1] + self.name(found[2]), text)
            return hidden if hidden != text else self.local_part(text, "")
        route = ""
        if local.startswith("@") and ":" in local:
            route, colon, local = local.rpartition(":")
            route += colon
        return f"{route}{self.local_part(local, domain)}@{domain}" if local else text

    def text(self, cell: str) -> str:
        """Any other cell: what is a person in it is hidden, the rest stays as it stands."""
        if (found := _AUTH_COMMAND.fullmatch(cell)) and found[2] != "=":
            return found[1] + self._credential(found[2])
        if (found := _BASE64.fullmatch(cell)) and (decoded := _decoded(cell)):
            return self.account(decoded)
        if found := _ACCOUNT.fullmatch(cell):
            return self.account(cell)
        lowered = cell.lower()
        if "name" not in lowered and "session for" not in lowered:
            return self._shapes(cell, lowered)
        pieces, at = [], 0
        for found in _USER_NAME.finditer(cell):
            before = cell[at : found.end(1)]
            pieces += [self._shapes(before, before.lower()), self.account(found[2])]
            at = found.end()
        pieces.append(self._shapes(cell[at:], cell[at:].lower()))
        return "".join(pieces)

    def _shapes(self, cell: str, lowered: str) -> str:
        if "subject" in lowered:
            cell = with_subjects(cell, self.subject)
        if "/cn=recipients" in lowered:
            cell = self._names(_LEGACY_DN, cell)
        if "mailbox" in lowered or "objectids=" in lowered or "entryid=" in lowered:
            cell = self._names(_MAILBOX, cell)
        if "secid=" in lowered:
            cell = self._names(_SECURITY_ID, cell)
        if '"' in cell and "<" in cell:
            cell = _DISPLAY_NAME.sub(lambda found: f'"{self.name(found[1])}"', cell)
        if "%40" in cell or "x{40}" in cell:
            cell = _WITH_ENCODED_AT.sub(self._run, cell)
        elif "@" in cell:
            cell = _WITH_AT.sub(self._run, cell)
        if "<" in cell:
            cell = _ANGLED.sub(lambda found: f"<{self.local_part(found[1], '')}>", cell)
        return self._names(_NAMED, cell) if any(word in lowered for word in _NAMING) else cell

    def account(self, text: str) -> str:
        """A user as a session says it: `DOMAIN\\user`, an address, or a bare name."""
        if "@" in text:
            return self._address(text)
        domain, slash, user = text.rpartition("\\")
        return f"{domain}{slash}{self.name(text)}" if user else text

    def status(self, cell: str) -> str:
        """A recipient-status: `To`, replies and error records are read as text; else it is a mailbox's folder."""
        if re.search(r"\b[245][0-9][0-9]\b|[{@]", cell) or not cell.strip("; "):
            return self.text(cell)
        kept = all(element.strip() in ("To", "Cc", "Bcc", "Unknown", "") for element in cell.split(";"))
        return cell if kept else self.name(cell)

    def _names(self, pattern: re.Pattern[str], cell: str) -> str:
        return pattern.sub(lambda found: found[1] + self.name(found[2]), cell)

    def _credential(self, token: str) -> str:
        return self.account(_decoded(token) or token)

    def _run(self, found: re.Match[str]) -> str:
        if found[1] is not None:
            return f"<{self._address(found[1])}>"
        run = found[0]
        before = found.string[max(0, found.start() - 7) : found.start()].lower()
        is_xtext = before.endswith(("rfc822;", "utf-8;"))
        start = 0
        if not run.startswith('"'):
            if before.endswith("s:") and (key := re.match(r"[A-Za-z][\w.-]*=", run)):
                start = key.end()
            elif key := _KEY.match(run):
                start = key.end()
                is_xtext = is_xtext or key[0].lower().endswith("auth=")
            while start < len(run) and run[start] in "'{":
                start += 1
        address = _from_xtext(run[start:]) if is_xtext else run[start:]
        at = address.rfind("@")
        sign = "@"
        if at < 0:
            encoded = list(_ENCODED_AT.finditer(address))
            if not encoded:
                return run
            at, sign = encoded[-1].start(), encoded[-1][0]
        local, rest = address[:at], address[at + len(sign) :]
        domain = _DOMAIN.match(rest)
        assert domain is not None
        if not local:
            return run
        # A list element in single quotes has those inside it doubled.
        hidden = self.local_part(local.replace("''", "'"), domain[0])
        return f"{run[:start]}{hidden}{sign}{rest}"


def with_subjects(cell: str, replace: Callable[[str], str]) -> str:
    """A cell whose `Subject=` and `Subject:` values, as custom-data and replies hold them, are replaced."""

    def replaced(found: re.Match[str]) -> str:
        if found["element"]:
            return found["element"] + replace(found["quoted"].replace("''", "'"))
        return found["key"] + replace(found["value"])

    return _SUBJECT.sub(replaced, cell)


def mapped(function: Callable[[str], str], values: list[str | None]) -> list[str | None]:
    """The function's answer for each value, null for null."""
    return [None if value is None else function(value) for value in values]


def unquoted(local: str) -> str:
    """A local part without quotes and backslashes: "john"@x is john@x (RFC 5321, 4.1.2)."""
    if len(local) > 1 and local[0] == local[-1] == '"':
        return re.sub(r"\\(.)", r"\1", local[1:-1], flags=re.DOTALL)
    return _UNICODE_XTEXT.sub(lambda found: _letter(found[1]), local) if "\\x{" in local else local


def _folded_domain(domain: str) -> str:
    domain = domain.rstrip(".").lower()
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _from_xtext(text: str) -> str:
    """RFC 3461 xtext, and RFC 6533's embedded characters `\\x{HEX}`."""
    octets = _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
    return _UNICODE_XTEXT.sub(lambda found: _letter(found[1]), octets)


def _letter(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x110000 else "?"


def _decoded(token: str) -> str | None:
    """The readable text behind base64, as AUTH LOGIN sends a user name; None if it is none."""
    if len(token) % 4:
        return None
    try:
        text = base64.b64decode(token, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    text = text.strip("\x00").replace("\x00", "\\")
    return text if len(text) > 2 and text.isprintable() else None
