"""Releases written as names: `Exchange Server 2019 CU14 Apr24HU`, `2010 SP3 UR32`, `Update Rollup 5 v2
for ... SP2`."""

from __future__ import annotations

import re
from dataclasses import dataclass

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class ReleaseName:
    """A release by its name, in the catalogue's terms.

    `product` is exchange-2016, exchange-se, ...; `cumulative_update` RTM, SP3, CU23, `SP3 RU32`, or None
    where none is named; `security_update` Oct25SU, Apr24HU, Nov24SUv2, or None; `unplaced` a counter such
    as HU13 that public sources number each in their own way, so that it names no build.
    """

    product: str
    cumulative_update: str | None
    security_update: str | None
    unplaced: str | None = None


_PRODUCT = re.compile(r"\b(20(?:03|07|10|13|16|19))\b|\b(SE|Subscription Edition)\b", re.IGNORECASE)
_BASE = re.compile(
    r"\b(?:(RTM)|(?:SP|Service Pack)\s*([1-4])|(?:CU|Cumulative Update)\s*([0-9]{1,2})(v[0-9])?)\b",
    re.IGNORECASE,
)
_ROLLUP = re.compile(r"\b(?:RU|UR|Update Rollup|Rollup)\s*([0-9]{1,2})(?:\s*[- ]?v([0-9]))?\b", re.IGNORECASE)
_UPDATE = re.compile(
    r"\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\.?\s*(?:20)?([0-9]{2})\s*"
    r"(SU|HU|Security Update|Hotfix Update)\s*(?:v([0-9]))?\b",
    re.IGNORECASE,
)
_COUNTER = re.compile(r"\b((?:SU|HU)\s?[0-9]{1,2})\b", re.IGNORECASE)


def parse_release_name(text: str) -> ReleaseName | None:
    """The release that `text` names, or None if it names no Exchange product with something more; never
    raises."""
    named = _PRODUCT.search(text)
    if not named or len(text) > 200:
        return None
    product = f"exchange-{named.group(1)}" if named.group(1) else "exchange-se"
    rest = text[: named.start()] + " " + text[named.end() :]
    base = _base(rest, product)
    rollup = _ROLLUP.search(rest)
    if rollup:
        version = f"v{rollup.group(2)}" if rollup.group(2) else ""
        base = f"{base or 'RTM'} RU{int(rollup.group(1))}{version}"
    update = _UPDATE.search(rest)
    security_update = None
    if update:
        month, year, kind, version = update.groups()
        version = f"v{version}" if version else ""
        security_update = f"{month.title()}{year}{'HU' if kind[0] in 'Hh' else 'SU'}{version}"
    counter = _COUNTER.search(rest) if not update else None
    unplaced = counter.group(1) if counter else None
    if not (base or security_update or unplaced or "exchange" in text.lower()):
        return None
    return ReleaseName(product, base, security_update, unplaced)


def _base(text: str, product: str) -> str | None:
    match = _BASE.search(text)
    if not match:
        return "RTM" if product == "exchange-se" else None
    rtm, service_pack, cumulative_update, version = match.groups()
    if rtm:
        return "RTM"
    if service_pack:
        return f"SP{service_pack}"
    # The public scripts of Microsoft call Exchange 2013 SP1 its CU4.
    if product == "exchange-2013" and int(cumulative_update) == 4:
        return "SP1"
    return f"CU{int(cumulative_update)}{(version or '').lower()}"
