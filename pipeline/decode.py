"""Explaining a reply, a build number, a header line or a log line in words, from the catalogue."""

from __future__ import annotations

import csv
import re
from datetime import date

from pipeline.explanations import Explanation, explain_build, explain_release, explain_version
from pipeline.logs.replies import Reply, read_reply
from pipeline.reference.builds import Build, parse_build, parse_version
from pipeline.reference.catalogue import Catalogue
from pipeline.reference.product_names import parse_release_name
from pipeline.reference.reply_patterns import enhanced_codes, parse_code_pattern
from pipeline.reference.rows import ReplyRow, StageRow

LAST_COMMON_CODE = 30

EXAMPLES = (
    '"450 4.7.230 Connecting Exchange server version is out-of-date; '
    'connection to Exchange Online throttled for 5 mins/hr."',
    "15.01.2507.039",
    '"Version 15.1 (Build 32507.6)"',
    '"Exchange Server 2019 CU15 Oct25SU"',
    '"Received: from ... with Microsoft SMTP Server ... id 15.1.2507.61"',
    "a whole line of a message tracking or SMTP protocol log",
)


def decode(text: str, catalogue: Catalogue, today: date) -> Explanation:
    """Explains `text`; what stands on a date (floor, support) is told for `today`.

    Unknown input gives kind `unknown` with examples; never raises for any text.
    """
    text = text.strip().lstrip("\ufeff")
    line = _log_line(text, catalogue, today)
    if line:
        return line
    version = parse_version(text)
    if version:
        return explain_version(version, text, catalogue, today)
    reply = _reply(text, catalogue, today)
    if reply:
        return reply
    release = parse_release_name(text)
    if release:
        return explain_release(release, catalogue, today)
    return Explanation(
        "unknown",
        "Neither a reply, nor a build of Exchange, nor a line of its transport logs",
        [
            "Nothing in it is known to the catalogue. What can be decoded, for example:",
            *(f"  {e}" for e in EXAMPLES),
        ],
    )


# -- replies ---------------------------------------------------------------------------------------


def _reply(text: str, catalogue: Catalogue, today: date) -> Explanation | None:
    reply = read_reply(text)
    if reply.action:
        return _enforcement(reply, text, catalogue, today)
    if reply.code is None and reply.enhanced_code is None and not enhanced_codes(text):
        return None
    if len(text) < 3 or (
        reply.code is not None and reply.enhanced_code is None and not _reads_as_reply(text)
    ):
        return None
    code = (
        " ".join(str(part) for part in (reply.code, reply.enhanced_code) if part is not None)
        or enhanced_codes(text)[-1]
    )
    explanation = Explanation("reply", f"{code}: not an enforcement reply")
    rows = [row for row in catalogue.match_replies(text) if not row.is_tbes]
    by_code_alone = [] if rows else _by_code_alone(text, catalogue)
    for row in rows or by_code_alone:
        explanation.facts.append(f"{row.code_pattern}: {row.meaning}.")
        explanation.what_to_do.append(f"{row.what_to_do[:1].upper()}{row.what_to_do[1:]}.")
        if row.source_url:
            explanation.sources.append(row.source_url)
    if rows:
        explanation.title = f"{code}: {rows[0].meaning}"
    elif by_code_alone:
        explanation.title = f"{code}: probably {by_code_alone[0].meaning}"
        known = " or ".join(f'"{words}"' for words in (by_code_alone[0].text_pattern or "").split(" | "))
        explanation.facts.append(
            f"Less sure: the code fits, but not the words that the catalogue has for it: {known}."
        )
    else:
        explanation.facts.append("The catalogue of replies has no row for it.")
    explanation.facts.append("It is not 4.7.230 or 5.7.230, so it is not transport-based enforcement.")
    _add_place(reply, explanation, catalogue)
    return explanation


def _by_code_alone(text: str, catalogue: Catalogue) -> list[ReplyRow]:
    """Rows whose code fits while their words do not: texts are shortened and reworded, codes stay.

    Codes to x.y.30 are those of IANA's registry, which any mail system says for many reasons: they name nothing alone.
    https://www.iana.org/assignments/smtp-enhanced-status-codes
    """
    for code in reversed(enhanced_codes(text)):
        if int(code.rsplit(".", 1)[1]) <= LAST_COMMON_CODE:
            continue
        rows = [
            row
            for row in catalogue.replies
            if not row.is_tbes and (codes := parse_code_pattern(row.code_pattern)) and codes.holds(code)
        ]
        if rows:
            return rows
    return []


def _reads_as_reply(text: str) -> bool:
    return re.match(r"\W*[2-5][0-9][0-9]([ -]\w|\s*$)", text) is not None


def _enforcement(reply: Reply, text: str, catalogue: Catalogue, today: date) -> Explanation:
    verb = {"throttle": "throttled", "block": "blocked"}.get(reply.action or "", "")
    if reply.minutes is None:
        explanation = Explanation(
            "reply", f"{reply.enhanced_code}: the code of transport-based enforcement, without its words"
        )
        explanation.facts.append(
            "Minutes and stage are unknown. It counts as enforcement only if the next hop is Exchange Online."
        )
    else:
        temporary = (reply.enhanced_code or "").startswith("4")
        explanation = Explanation(
            "reply",
            f"Transport-based enforcement of Exchange Online: {verb} for {reply.minutes} minutes an hour",
        )
        explanation.facts.append(
            "A temporary refusal: the message stays in the queue and is tried again."
            if temporary
            else "A permanent refusal: the message bounces, its sender must send it again."
        )
        explanation.facts += _stages(reply, catalogue, today)
        if reply.code_and_words_disagree:
            explanation.facts.append(
                f"Code and words disagree: {reply.enhanced_code} with {verb!r}. Both are shown as read."
            )
    rows = [
        row for row in catalogue.replies if row.is_tbes and (not verb or verb in (row.text_pattern or ""))
    ]
    rows.sort(key=lambda row: row.code_pattern != reply.enhanced_code)
    for row in rows[:1]:
        explanation.what_to_do.append(f"{row.what_to_do[:1].upper()}{row.what_to_do[1:]}.")
        if row.source_url:
            explanation.sources.append(row.source_url)
    explanation.sources += sorted({stage.source for stage in catalogue.stages_on(today)})
    _add_place(reply, explanation, catalogue)
    explanation.facts.append(f"Stage table as of {catalogue.stages_as_of}.")
    return explanation


def _stages(reply: Reply, catalogue: Catalogue, today: date) -> list[str]:
    ladder = catalogue.stages_on(reply.time.date() if reply.time else today)
    minutes_of = {
        stage.stage: stage.throttle if reply.action == "throttle" else stage.block for stage in ladder
    }
    exact = [stage for stage in ladder if minutes_of[stage.stage] == reply.minutes and reply.minutes]
    possible = [stage for stage in ladder if minutes_of[stage.stage] is None]
    facts = [
        f"Stage {stage.stage}: {_days(stage)} after the first detection of the server." for stage in exact
    ]
    if not exact:
        facts.append(
            f"No stage of the table {_present(reply)} {reply.minutes} minutes: news, so no stage is guessed."
        )
    if possible:
        numbers = " and ".join(str(stage.stage) for stage in possible)
        kind = "throttle" if reply.action == "throttle" else "block"
        facts.append(
            f"The {kind} minutes of stages {numbers} are not public: this reply alone does not rule them out."
        )
    if len(exact) == 1:
        following = next((stage for stage in ladder if stage.stage == exact[0].stage + 1), None)
        last = ladder[-1]
        if following:
            facts.append(
                f"Next: stage {following.stage} from day {following.day_from} (later if paused): "
                f"{_minutes(following)}."
            )
        if last not in exact:
            facts.append(f"Everything is refused from day {last.day_from} (stage {last.stage}).")
    return facts


def _present(reply: Reply) -> str:
    return "throttles" if reply.action == "throttle" else "blocks"


def _days(stage: StageRow) -> str:
    return f"day {stage.day_from} on" if stage.day_to is None else f"days {stage.day_from} to {stage.day_to}"


def _minutes(stage: StageRow) -> str:
    def said(minutes: int | None) -> str:
        return "an unknown number of" if minutes is None else str(minutes)

    return f"{said(stage.throttle)} minutes throttled and {said(stage.block)} minutes blocked an hour"


def _add_place(reply: Reply, explanation: Explanation, catalogue: Catalogue) -> None:
    if reply.host:
        host = catalogue.host_of(reply.host)
        of = (
            f", a host of {host.host_class} ({host.cloud})"
            if host
            else ", no host of Exchange Online known to the catalogue"
        )
        explanation.facts.append(f"Said by {reply.host}{of}.")
    if reply.time:
        explanation.facts.append(f"Said at {reply.time:%Y-%m-%d %H:%M:%S} UTC, by the other side's clock.")


# -- log lines -------------------------------------------------------------------------------------

_TRACKING = {
    21: {"recipient-status": 12, "source-context": 5, "event-id": 8, "message-info": 20},
    26: {"recipient-status": 12, "source-context": 5, "event-id": 8, "message-info": 20},
    27: {"recipient-status": 13, "source-context": 5, "event-id": 8, "message-info": 21},
    30: {
        "recipient-status": 13,
        "source-context": 5,
        "event-id": 8,
        "message-info": 21,
        "schema-version": 29,
    },
}
_PROTOCOL = {"event": 6, "data": 7, "context": 8}


def _log_line(text: str, catalogue: Catalogue, today: date) -> Explanation | None:
    if not re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[^,]*,", text, re.ASCII):
        return None
    try:
        cells = next(csv.reader([text.replace("\r", " ").replace("\n", " ")]))
    except (csv.Error, StopIteration):
        return None
    columns = _TRACKING.get(len(cells)) or (_PROTOCOL if len(cells) == 9 else None)
    if columns is None:
        return None
    named = {name: cells[at] for name, at in columns.items()}
    kind = "SMTP protocol" if columns is _PROTOCOL else "message tracking"
    event = named.get("event-id") or named.get("event") or "*"
    explanation = Explanation("log line", f"A line of a {kind} log: event {event}, {cells[0]}")
    for column in ("recipient-status", "source-context", "message-info", "data", "context"):
        value = named.get(column, "")
        part = _reply(value, catalogue, today) if _may_be_reply(column, value) else None
        if part:
            part.title = f"Reply in {column}: {part.title}"
            explanation.add(part)
    version = parse_version(named.get("schema-version", ""))
    if version and version.build:
        part = explain_build(version.build, catalogue, today)
        part.title = f"Build of the server that wrote the line, {part.title}"
        explanation.add(part)
    for build, server in _delivering_servers(named.get("recipient-status", "")):
        part = explain_build(build, catalogue, today)
        part.title = f"Build of the mailbox server {server} in the diagnostics, {part.title}"
        explanation.add(part)
    if not explanation.facts:
        explanation.facts.append("It holds neither a reply nor a build.")
    return explanation


def _delivering_servers(diagnostics: str) -> list[tuple[Build, str]]:
    """Build and name of mailbox servers, which STOREDRV diagnostics hold in hexadecimal."""
    found: list[tuple[Build, str]] = []
    for run in re.findall(r"(?:3[0-9]|2E){9,18}3A(?:[2-7][0-9A-F]){1,63}?3A", diagnostics):
        number, _, server = bytes.fromhex(run).decode("ascii").rstrip(":").partition(":")
        build = parse_build(number)
        if build and (build, server) not in found:
            found.append((build, server))
    return found


def _may_be_reply(column: str, value: str) -> bool:
    if column in ("recipient-status", "data"):
        return bool(re.match(r"[\W]*(LED|LRT|[2-5][0-9][0-9][ -]|[245]\.[0-9])", value))
    return bool(re.search(r"(^|[;<'\"=])\s*[45][0-9][0-9][ -]+[45]\.[0-9]", value))
