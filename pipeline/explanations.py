"""What a decoded text is, in words: the result type, and the explanation of builds in any spelling."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pipeline.reference.builds import Build, Version, received_by
from pipeline.reference.catalogue import EXCHANGE_ONLINE, Catalogue
from pipeline.reference.product_names import ReleaseName
from pipeline.reference.rows import BaselineRow, BuildRow
from pipeline.reference.standing import Floor, OpenCve, Support

Kind = Literal["reply", "build", "header", "log line", "unknown"]


@dataclass(slots=True)
class Explanation:
    """What a text is: `facts` are sentences, `what_to_do` advice, `sources` addresses of the facts' texts."""

    kind: Kind
    title: str
    facts: list[str] = field(default_factory=list)
    what_to_do: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)

    def add(self, other: Explanation) -> None:
        """Takes over the facts of a part."""
        self.facts += [f"{other.title}:", *(f"  {fact}" for fact in other.facts)]
        self.what_to_do += [line for line in other.what_to_do if line not in self.what_to_do]
        self.sources += [url for url in other.sources if url not in self.sources]


def explain_version(version: Version, text: str, catalogue: Catalogue, today: date) -> Explanation:
    """A version as `text` spells it: a build, a CU line, or the build in a Received line."""
    kind: Kind = "header" if version.spelling == "received header" else "build"
    host = received_by(text) if kind == "header" else None
    if host and (of := catalogue.host_of(host)) and of.host_class == EXCHANGE_ONLINE:
        return Explanation(
            kind,
            f"{version.build}: Exchange Online ({host})",
            ["A build of the service, not of an on-premises server; until 2017 it had 15.0 and 15.1 too."],
            sources=[of.source_url] if of.source_url.startswith("http") else [],
        )
    if version.build is None:
        return _line_only(version, catalogue)
    row = catalogue.find(version.build)
    if version.only_cu and row and row.security_update is None:
        return _without_security_update(row, catalogue, today)
    explanation = explain_build(version.build, catalogue, today)
    explanation.kind = kind
    if host:
        explanation.facts.insert(0, f"The build of the server behind `by`: {host}.")
    return explanation


def _without_security_update(row: BuildRow, catalogue: Catalogue, today: date) -> Explanation:
    """The build of a cumulative update where the security update on top is not shown."""
    name = f"{catalogue.full_product(row.product)} {row.cumulative_update}"
    explanation = Explanation("build", f"{row.build}: {name}, security update not shown")
    explanation.facts.append(
        "This spelling shows the cumulative update only; "
        "the security update on top stands in the file version of ExSetup.exe."
    )
    builds = [other for other in catalogue.builds if other.build.line == row.build.line]
    explanation.facts.append(_span(builds))
    floors = [catalogue.floor_of(other.build, today) for other in builds]
    floor = floors[-1]
    if len({other.verdict for other in floors}) == 1:
        explanation.facts += _floor_facts(floor, today)
    else:
        explanation.facts.append(
            f"Floor of Exchange Online since {floor.since}: {floor.minimum}; "
            "with a lower security update it is refused."
        )
    explanation.facts.append(_support_fact(catalogue.support(row.build, today), today))
    most, least = len(catalogue.open_cves(row.build)), len(catalogue.open_cves(builds[-1].build))
    explanation.facts.append(
        f"Known flaws open: {most} without a security update, {least} with the newest listed."
    )
    explanation.facts.append(_as_of(catalogue, today))
    explanation.what_to_do.append("Look up the file version of ExSetup.exe on the server and decode that.")
    explanation.sources += [of.source_url for of in (floor.row,) if of]
    return explanation


def _span(builds: list[BuildRow]) -> str:
    first, last = builds[0], builds[-1]
    return f"Builds of it: {first.build} ({first.release_date}) to {last.build} ({last.release_date})."


def _line_only(version: Version, catalogue: Catalogue) -> Explanation:
    product, line = catalogue.product_of(version.line), catalogue.cu_line(version.line)
    if product is None:
        return Explanation("build", f"{version.line}: no version of Exchange that the catalogue knows")
    name = " ".join(filter(None, (catalogue.full_product(product), line)))
    explanation = Explanation("build", f"{version.line}: {name}")
    explanation.facts.append(
        "Three numbers name the cumulative update only; floor and flaws need the fourth."
    )
    builds = [row for row in catalogue.builds if row.build.line == version.line]
    if builds:
        explanation.facts.append(_span(builds))
    return explanation


def explain_release(name: ReleaseName, catalogue: Catalogue, today: date) -> Explanation:
    """A release by its name; where it names no single build, those that it may be."""
    row = catalogue.find_release(name)
    if row:
        return explain_build(row.build, catalogue, today)
    said = " ".join(
        filter(
            None,
            (
                catalogue.full_product(name.product),
                name.cumulative_update,
                name.security_update,
                name.unplaced,
            ),
        )
    )
    explanation = Explanation("build", f"{said}: names no single build")
    if name.unplaced:
        explanation.facts.append(
            f"{name.unplaced} is a counter that each source numbers in its own way; "
            "give the month (Oct25SU) or the build."
        )
    rows = [
        other
        for other in catalogue.builds
        if other.product == name.product and name.cumulative_update in (None, other.cumulative_update)
    ]
    if name.security_update and any(other.security_update == name.security_update for other in rows):
        rows = [other for other in rows if other.security_update == name.security_update]
    shown = rows[-8:]
    if shown:
        explanation.facts.append(
            "Builds that it may be:" if len(shown) == len(rows) else "The newest builds that it may be:"
        )
        explanation.facts += [
            f"  {other.build} {catalogue.release_name(other)} ({other.release_date})" for other in shown
        ]
    else:
        explanation.facts.append("The catalogue lists no build of it.")
    return explanation


def explain_build(build: Build, catalogue: Catalogue, today: date) -> Explanation:
    """Name, release, age, floor, support and open flaws of a build, and what follows from them on `today`."""
    product = catalogue.product_of(build)
    if product == EXCHANGE_ONLINE:
        said = "15.20 and above is the service, not an on-premises server."
        return Explanation("build", f"{build}: Exchange Online", [said])
    if build.is_constant:
        generation = {8: "2007", 14: "2010", 15: "2013 to SE"}.get(build.major, "unknown")
        where = "the build stands in message tracking (2013 and later) or in ExSetup.exe"
        said = f"Logs of Exchange {generation} carry it; {where}."
        return Explanation("build", f"{build}: a constant in log headers, not a build", [said])
    if product is None:
        return Explanation("build", f"{build}: no version of Exchange that the catalogue knows")
    explanation = Explanation("build", f"{build}: {catalogue.name_of(build)}")
    floor, support = catalogue.floor_of(build, today), catalogue.support(build, today)
    explanation.facts += _release_facts(build, product, catalogue)
    explanation.facts += _floor_facts(floor, today)
    explanation.facts.append(_support_fact(support, today))
    explanation.facts += _flaw_facts(build, support, catalogue)
    verdict = _verdict(floor, support, catalogue.open_cves(build))
    explanation.facts.append(f"Verdict on {today}: {verdict}")
    explanation.facts.append(_as_of(catalogue, today))
    if floor.verdict in ("below the floor", "no build is accepted"):
        explanation.what_to_do.append(
            "Update every server that hands mail to Exchange Online; an enforcement pause is only a bridge."
        )
    elif floor.after_next == "refused":
        explanation.what_to_do.append("Move to Exchange SE before the next raise of the floor.")
    resting = [floor.row] if floor.row else _of_date(catalogue, product, floor.since)
    urls = [row.source_url for row in (*resting, floor.announced) if row]
    explanation.sources += list(dict.fromkeys(urls))
    return explanation


def _of_date(catalogue: Catalogue, product: str, since: date | None) -> list[BaselineRow]:
    return [
        row for row in catalogue.baselines if row.product == product and since and row.effective_from == since
    ]


def _release_facts(build: Build, product: str, catalogue: Catalogue) -> list[str]:
    facts = [f"Product: {catalogue.full_product(product)}; long form {build.padded}."]
    if alias := catalogue.alias_of(build):
        facts.append(f"Taken as {alias.canonical}: {alias.reason}.")
    row = catalogue.find(build)
    if row:
        day = f"{row.release_date}" if row.date_precision == "day" else f"{row.release_date:%Y-%m}"
        facts.append(f"Released {day}{', ' + row.kb if row.kb else ''}.")
    else:
        facts.append("Not in the list of released builds: an interim or newer one, or a wrong number.")
    behind = catalogue.behind(build)
    if behind is None:
        return facts
    newest = behind.newest_of_line
    named = f"{newest.build} ({catalogue.release_name(newest)}, {newest.release_date})"
    if behind.builds_of_line:
        builds = "1 build" if behind.builds_of_line == 1 else f"{behind.builds_of_line} builds"
        days = f" and {behind.days} days" if behind.days is not None else ""
        facts.append(f"Behind by {builds}{days}; the newest of its line is {named}.")
    elif build > newest.build:
        facts.append(f"Newer than every build listed of its line; the newest listed is {named}.")
    else:
        facts.append("The newest build listed of its line.")
    latest = behind.newest_of_product
    if latest.build != newest.build:
        facts.append(
            f"The newest of the product is {latest.build} "
            f"({catalogue.release_name(latest)}, {latest.release_date})."
        )
    return facts


def _floor_facts(floor: Floor, today: date) -> list[str]:
    facts = []
    since = f"Floor of Exchange Online since {floor.since}"
    if floor.verdict == "not enforced yet":
        facts.append(f"Enforcement: not begun for this product on {today}.")
    elif floor.minimum:
        status = f" ({floor.row.status})" if floor.row else ""
        facts.append(f"{since}: {floor.minimum}{status}; this build is {floor.verdict}.")
    elif floor.verdict == "below the floor" and floor.row is None:
        facts.append(f"{since}: its cumulative update had no update at that floor, so it is below it.")
    elif floor.verdict == "below the floor":
        facts.append(
            f"{since}: value not public; this build is below an earlier one, so it is below the floor."
        )
    elif floor.verdict == "no build is accepted":
        facts.append(f"{since}: no build of this product is accepted.")
    elif floor.verdict == "accepted":
        facts.append(f"{since}: value not public; a later, higher floor accepts this build.")
    else:
        facts.append(f"Floor of Exchange Online: {floor.verdict}.")
    if floor.disputed:
        facts.append("Disputed: by one source no build of this cumulative update is accepted any more.")
    if floor.announced:
        after = "not known" if floor.after_next in ("unknown", None) else floor.after_next
        facts.append(f"A further raise is announced, without date or value; after it this build is: {after}.")
    return facts


def _support_fact(support: Support, today: date) -> str:
    said = f"Supported: {'yes' if support.supported else 'no'} ({support.state}"
    row = support.row
    if row:
        said += f"; support {'ends' if today <= row.extended_end else 'ended'} {row.extended_end}"
        if row.mainstream_end is None:
            said += " at the earliest"
        if row.esu_end:
            said += f", paid security updates {'end' if today <= row.esu_end else 'ended'} {row.esu_end}"
    return said + ")."


def _flaw_facts(build: Build, support: Support, catalogue: Catalogue) -> list[str]:
    flaws = catalogue.open_cves(build)
    exploited = [flaw.cve for flaw in flaws if flaw.kev]
    named = f" ({', '.join(exploited[:8])}{', ...' if len(exploited) > 8 else ''})" if exploited else ""
    facts = [f"Known flaws open: {len(flaws)}, of which known to be exploited: {len(exploited)}{named}."]
    if not support.supported:
        facts.append("Out of support: flaws found since may not be published for it, so more may be open.")
    settings = catalogue.cves_needing_configuration(build)
    if settings:
        facts.append(f"Fixed only together with a setting (Extended Protection, ...): {len(settings)}.")
    return facts


def _verdict(floor: Floor, support: Support, flaws: tuple[OpenCve, ...]) -> str:
    accepted = {
        "accepted": "accepted by Exchange Online",
        "below the floor": "not accepted by Exchange Online",
        "no build is accepted": "not accepted by Exchange Online",
    }.get(floor.verdict, f"acceptance by Exchange Online not known ({floor.verdict})")
    if any(flaw.kev for flaw in flaws):
        safe = "known exploited flaws open"
    elif flaws:
        safe = "known flaws open"
    else:
        safe = "no known flaw open" if support.supported else "no flaw listed, but nobody lists them any more"
    return f"{accepted}; {'supported' if support.supported else 'not supported'}; {safe}."


def _as_of(catalogue: Catalogue, today: date) -> str:
    said = f"Catalogue as of {catalogue.as_of}"
    kev = catalogue.dated("known-exploited flags")
    said += f", known-exploited flags as of {kev}" if kev else ""
    return said + (f"; what came between then and {today} is not in it." if today > catalogue.as_of else ".")
