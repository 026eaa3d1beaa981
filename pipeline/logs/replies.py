"""Reading an SMTP reply: code, enhanced status code, and what transport-based enforcement says in it.
 The one implementation, as Polars expressions over a text column; a single reply is a one-row frame
(`read_reply`). A reply stands bare (`450 4.7.230 ...`), without its three-digit code, in an error record
(`[{LED=450 4.7.230 ...};{MSG=};{FQDN=...};{IP=...};{LRT=...}]`), or nested in quotes inside the wrapper
text of a front-end proxy. The enforcement reply is looked for anywhere in the text, since no full log line
of it is public; around code, verb and minutes everything is lenient.
 Enforcement replies:
https://techcommunity.microsoft.com/blog/exchange/how-to-pause-throttling-and-blocking-of-out-of-date-on-premises-exchange-servers/4007169
Enhanced status codes: RFC 3463.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

ENFORCEMENT_CODE_TAIL = ".7.230"
"""Every enforcement reply holds this text: the literal to test before any pattern."""

# Rust's regex has no look-around, so the neighbours of the code are consumed: before it neither letter,
# digit, underscore nor dot; after it no digit, and no dot with a digit (154.7.230.12, v4.7.230, 4.7.2301,
# 4.7.230.9).
_BEFORE = r"(?:^|[^\w.])"
_AFTER = r"(?:$|[^.0-9]|\.(?:$|[^0-9]))"
_CODE = r"([45])\.7\.230"
_ENFORCEMENT = rf"{_BEFORE}{_CODE}{_AFTER}"
# Where the words are missing the code counts only where a reply stands: at the start, behind a three-digit
# code, LED= or a quote; not in <4.7.230@contoso.com>.
_OPENING = r"^[ \t\r\n;'\"\[{(]*"
_BARE = (
    rf"(?:{_OPENING}|LED=\s*|['\"]\s*|(?:^|[^.0-9])[45][0-9][0-9][\s-]+#?){_CODE}"
    r"(?:$|[\s;:,)}\]'\"]|\.(?:$|\s))"
)
_THREE_DIGITS = rf"(?:^|[^.0-9])([2-5][0-9][0-9])[\s-]+#?{_CODE}{_AFTER}"
_WORDS = r"(?i)(throttled|blocked)\s+for\s+([0-9]{1,4})\s*min(?:ute)?s?\s*(?:/|per)\s*h(?:ou)?r"
# For text without any white space: PowerShell wraps lines inside words.
_WORDS_JOINED = r"(?i)(throttled|blocked)for([0-9]{1,4})min(?:ute)?s?(?:/|per)h(?:ou)?r"

# ASCII classes only: they let the engine take its fast path, and this one pattern runs over every reply.
_ENHANCED = r"[245]\.[0-9]{1,3}\.[0-9]{1,3}"
_START = rf"{_OPENING}(?:LED=[ ]*)?([2-5][0-9][0-9])(?:[ \t-]+#?({_ENHANCED})|[ \t\r\n-]|$)"
_START_ENHANCED = rf"{_OPENING}(?:LED=[ ]*)?({_ENHANCED})(?:[ \t\r\n:;,]|$)"
_LED_CODE = rf"LED=[ ]*(?:([2-5][0-9][0-9])[ \t-]+#?)?({_ENHANCED})?"
_QUOTED = rf"['\"][ ]*([2-5][0-9][0-9])[ -]+#?({_ENHANCED})"

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})+"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z"
_BRACKET = rf"\[[ ]*({_HOST})[ ]+({_TIME})[ ]+[0-9A-Fa-f]+[ ]*\]"
_REFUSAL = rf"{_OPENING}(?:LED=[ ]*)?[45]"
_LAST_BRACKET = rf"\[({_HOST}\.[A-Za-z]{{2,}})\][ \t\r\n.'\"}}\]]*$"
_HOSTNAME = rf"Hostname=({_LABEL}(?:\.{_LABEL})*)"

# Exchange 2010 writes <led-...>;<FQDN-...> in places.
_LED_KEY = r"[{<](?:LED|led)[=-]"
_LED_KEY_BYTES = len("{LED=")
_LED_END = r"[}>]\s*;\s*[{<](?:MSG|FQDN|IP|LRT|msg|fqdn|ip|lrt)[=-]|[}>]\s*\][}'\s]*(?:;|$)|[}>][}'\s]*$|$"


@dataclass(frozen=True, slots=True)
class Reply:
    """A single reply as `reply_columns` reads it, and whether its code and its words disagree."""

    code: int | None
    enhanced_code: str | None
    action: str | None
    minutes: int | None
    host: str | None
    time: datetime | None
    code_and_words_disagree: bool


def may_hold_enforcement(text: pl.Expr) -> pl.Expr:
    """Boolean: whether a text can hold an enforcement reply, by one literal search; false for null."""
    return text.str.contains(ENFORCEMENT_CODE_TAIL, literal=True).fill_null(False)


def reply_columns(text: pl.Expr) -> dict[str, pl.Expr]:
    """The columns that are read out of a text column of replies, by the names of the stored columns.

    * `reply_code` Int32: the three-digit code of the reply at the start, behind LED= or in quotes; of the
      enforcement reply itself where there is one, however deep it is nested; null where none is written.
    * `enhanced_code` String: 4.7.230, of the same reply.
    * `enforcement_action` String: throttle, block (by the reply's words), unknown (code without the words;
      the caller decides by the next hop), null where the reply is no enforcement reply.
    * `enforcement_minutes` Int32: minutes per hour in the words; null without them.
    * `reply_host` String: the host in `[HOST time id]`, behind Hostname=, or alone in the last bracket of a
      refusal; as written, not only of Exchange Online.
    * `reply_time` Datetime (microseconds, UTC): the time in `[HOST time id]`.

    Null in, null out; nothing raises. Patterns run only over texts that hold the literal they need.
    """
    enforcing = _enforcing(text)
    action = _action(enforcing)
    found = action.is_not_null()
    start = text.str.extract_groups(_START)
    outer_code, outer_enhanced = _outer(text, start)
    return {
        "reply_code": pl.when(found)
        .then(enforcing.str.extract(_THREE_DIGITS, 1))
        .otherwise(outer_code)
        .cast(pl.Int32, strict=False),
        "enhanced_code": pl.when(found)
        .then(_class_of(enforcing) + pl.lit(ENFORCEMENT_CODE_TAIL))
        .otherwise(outer_enhanced),
        "enforcement_action": action,
        "enforcement_minutes": _words(enforcing, 2).cast(pl.Int32, strict=False),
        "reply_host": _host(text),
        "reply_time": _time(text),
    }


def code_and_words_disagree(text: pl.Expr) -> pl.Expr:
    """Boolean: a 4.7.230 that says blocked, or a 5.7.230 that says throttled; false for everything else."""
    enforcing = _enforcing(text)
    kind, verb = _class_of(enforcing), _words(enforcing, 1).str.to_lowercase()
    disagree = ((kind == "4") & (verb == "blocked")) | ((kind == "5") & (verb == "throttled"))
    return disagree.fill_null(False)


def error_record(text: pl.Expr) -> dict[str, pl.Expr]:
    """The first error record of a recipient-status or LastError cell, its values as text.

    `led` the last error (a reply, whatever `;`, `{` or `[` it holds), `msg`, `fqdn` and `ip` of the next
    hop, `lrt` the last retry time (culture formatted, without zone: a hint only). Keys may stand in any
    order, the record may be wrapped in single quotes or braces, or be cut off. Null without a record, and
    for an empty or missing value.
    """
    holding = _if_any(text, text.str.contains(_LED_KEY))
    # Byte offsets and slices: capture groups over long texts would cost twenty times as much.
    raw = holding.cast(pl.Binary)
    start = holding.str.find(_LED_KEY)
    body = raw.bin.slice(start + _LED_KEY_BYTES).cast(pl.String)
    end = body.str.find(_LED_END)
    rest = (raw.bin.head(start) + raw.bin.slice(start + _LED_KEY_BYTES + end)).cast(pl.String)
    record = {"led": _filled(raw.bin.slice(start + _LED_KEY_BYTES, end).cast(pl.String))}
    for key in ("msg", "fqdn", "ip", "lrt"):
        record[key] = _filled(rest.str.extract(rf"[{{<](?:{key}|{key.upper()})[=-]([^}}>]*)", 1))
    return record


def read_reply(text: str) -> Reply:
    """One reply, read by the same expressions; text pasted from a console may be wrapped inside words."""
    frame = pl.DataFrame(
        {"text": [text, _unwrapped(text, ""), _unwrapped(text, " ")]}, schema={"text": pl.String}
    )
    column = pl.col("text")
    read = frame.select(**reply_columns(column), disagree=code_and_words_disagree(column)).rows()
    best = next((row for row in read if row[2] in ("throttle", "block")), None)
    best = best or next((row for row in read if row[2] is not None), read[-1])
    return Reply(*best)


def _unwrapped(text: str, joint: str) -> str:
    return joint.join(
        line.strip() if number else line.rstrip() for number, line in enumerate(text.splitlines())
    )


def _holds(text: pl.Expr, literal: str) -> pl.Expr:
    return text.str.contains(literal, literal=True)


def _if_any(text: pl.Expr, condition: pl.Expr) -> pl.Expr:
    """The text where the condition holds, else null, so that patterns cost nothing on the other rows."""
    return pl.when(condition).then(text)


def _enforcing(text: pl.Expr) -> pl.Expr:
    return _if_any(text, may_hold_enforcement(text))


def _class_of(enforcing: pl.Expr) -> pl.Expr:
    return enforcing.str.extract(_ENFORCEMENT, 1)


def _words(enforcing: pl.Expr, group: int) -> pl.Expr:
    """Verb (1) or minutes (2) of a text that holds the code as a code."""
    coded = _if_any(enforcing, enforcing.str.contains(_ENFORCEMENT))
    plain = coded.str.extract(_WORDS, group)
    wrapped = _if_any(coded, plain.is_null()).str.replace_all(r"\s+", "").str.extract(_WORDS_JOINED, group)
    return pl.coalesce(plain, wrapped)


def _action(enforcing: pl.Expr) -> pl.Expr:
    verb = _words(enforcing, 1).str.to_lowercase()
    return (
        pl.when(verb == "throttled")
        .then(pl.lit("throttle"))
        .when(verb == "blocked")
        .then(pl.lit("block"))
        .when(enforcing.str.contains(_BARE))
        .then(pl.lit("unknown"))
    )


def _outer(text: pl.Expr, start: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Code and enhanced code of the outermost reply: at the start, else behind LED=, else in quotes."""
    first, enhanced = start.struct.field("1"), start.struct.field("2")
    unplaced = _if_any(text, first.is_null())
    record = _if_any(unplaced, _holds(unplaced, "LED=")).str.extract_groups(_LED_CODE)
    quoted = _if_any(unplaced, _holds(unplaced, "'") | _holds(unplaced, '"')).str.extract_groups(_QUOTED)
    codes = (first, record.struct.field("1"), quoted.struct.field("1"))
    bare = unplaced.str.extract(_START_ENHANCED, 1)
    enhanced_codes = (enhanced, bare, record.struct.field("2"), quoted.struct.field("2"))
    return pl.coalesce(*codes), pl.coalesce(*enhanced_codes)


def _bracketed(text: pl.Expr) -> pl.Expr:
    return _if_any(text, _holds(text, "["))


def _host(text: pl.Expr) -> pl.Expr:
    bracketed = _bracketed(text)
    timed = _if_any(bracketed, _holds(bracketed, "Z ")).str.extract(_BRACKET, 1)
    alone = _if_any(bracketed, bracketed.str.contains(_REFUSAL)).str.extract(_LAST_BRACKET, 1)
    named = _if_any(bracketed, _holds(bracketed, "Hostname=")).str.extract(_HOSTNAME, 1)
    return pl.coalesce(timed, named, alone)


def _time(text: pl.Expr) -> pl.Expr:
    bracketed = _bracketed(text)
    written = _if_any(bracketed, _holds(bracketed, "Z ")).str.extract(_BRACKET, 2)
    moment = written.str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us", strict=False)
    return moment.dt.replace_time_zone("UTC")


def _filled(value: pl.Expr) -> pl.Expr:
    return value.str.strip_chars().replace("", None)
