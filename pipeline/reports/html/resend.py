"""What must be sent again, by who or what submitted it: a person is told by a report, a printer is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pipeline.reports.html.cells import Rows, made_table
from pipeline.reports.html.model import Cell, Table

CLASSES = ("system", "external", "internal", None)
"""Mail of which nobody reads a report first; None is mail of which no log says whose it is."""
_BY = ("mail_class", "submitted_path", "submitted_by", "submitted_over", "server", "connector")
_COLUMNS = (
    "bounced_time", "sender", "recipients", "sender_told", "submitted_path", "submitted_by", "server", "connector",
    "message_id", "what_to_do",
)  # fmt: skip
_DELAYED = (
    "first_refused", "sender", "recipients", "outcome", "outcome_time", "delay_seconds", "waiting_seconds",
    "times_refused", "mail_class", "submitted_path", "submitted_by", "server", "connector", "message_id",
)  # fmt: skip


def tables(rows: Rows, organisation: str, name: str, most: int) -> Iterator[Table]:
    """Bounced messages by submitter, then one by one in each class of mail, then delayed messages."""
    texts = rows.style.texts
    bounced = rows.of("bounced_messages", organisation)
    lost = [row for row in bounced if row["accepted_later"] is None]
    if lost:
        yield _by_submitter(rows, lost, len(bounced) - len(lost), name, most)
    for kind in CLASSES:
        of_kind = [row for row in lost if row["mail_class"] == kind]
        if of_kind:
            caption = texts(f"html.resend_{kind or 'unknown'}", organisation=name)
            yield rows.table("bounced_messages", _COLUMNS, of_kind, caption, most=most)
    if delayed := rows.of("delayed_messages", organisation):
        # what may still wait in a queue first
        delayed.sort(key=lambda row: row["outcome"] != "pending")
        caption = texts("html.caption_delayed", organisation=name)
        yield rows.table("delayed_messages", _DELAYED, delayed, caption, most=most)


def _by_submitter(rows: Rows, lost: list[dict[str, Any]], accepted_later: int, name: str, most: int) -> Table:
    style, texts = rows.style, rows.style.texts
    counts = Counter(tuple(row[column] for column in _BY) for row in lost)
    untold = Counter(tuple(row[column] for column in _BY) for row in lost if row["sender_told"] != "yes")
    ordered = sorted(
        counts.items(),
        key=lambda item: (CLASSES.index(item[0][0]), -item[1], [str(part) for part in item[0]]),
    )
    made = [
        [
            *(
                Cell(style.cell("bounced_messages", column, value) or texts("html.not_seen"))
                for column, value in zip(_BY, key, strict=True)
            ),
            count,
            untold[key],
        ]
        for key, count in ordered[:most]
    ]
    headings = [texts.column(column) for column in _BY]
    headings += [texts("html.messages"), texts("html.untold")]
    caption = texts("html.resend_by", organisation=name)
    note = rows.left_out("bounced_messages", len(made), len(ordered))
    if accepted_later:
        note = " ".join(filter(None, (note, texts("html.accepted_later", count=accepted_later))))
    return made_table(caption, headings, made, note)
