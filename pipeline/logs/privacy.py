"""What of a log line is stored: the columns that can hold a person, with pseudonyms in them.

Applied to rows that are complete: what is derived (server, peer, reply codes, enforcement) was derived from the
words of the log, so that verdicts, counts and dates are those of a plain store.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.logs.pseudonyms import HINTS, Pseudonyms, mapped, with_subjects

ADDRESS_COLUMNS = (
    "recipient_address",
    "related_recipient_address",
    "sender_address",
    "return_path",
    "message_id",
    "reference",
)
TEXT_COLUMNS = (
    "source_context",
    "message_info",
    "custom_data",
    "data",
    "context",
    "reply",
    "ehlo_name",
    "peer_name",
)
SUBJECT = "message_subject"
_MAY_QUOTE_SUBJECT = ("source_context", "recipient_status", "message_info", "custom_data")
_ADDRESS_FIELD = re.compile(r"(?i)address|recipient|sender|from|to$|user|mailbox|account|path$")
DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is done to rows before they are stored: nothing, unless asked for."""

    pseudonyms: Pseudonyms | None = None
    drop_subjects: bool = False

    def applied(self, table: pa.Table) -> pa.Table:
        """Rows of either table, all its columns as they are stored, with what is private hidden."""
        if self.pseudonyms is None and not self.drop_subjects:
            return table
        if SUBJECT in table.column_names:
            table = self._without_subjects(table)
        table = _changed(table, "raw_line", self._line)
        table = _set(table, "extra", self._extra(table.column("extra")))
        hidden = self.pseudonyms
        if hidden is None:
            return table
        if "context" in table.column_names:
            table = _with_accounts(table, hidden)
        for name in ADDRESS_COLUMNS:
            table = _changed(table, name, hidden.addresses)
        table = _changed(table, "recipient_status", hidden.status)
        for name in TEXT_COLUMNS:
            table = _changed(table, name, hidden.text, HINTS)
        return table

    def _subject(self, text: str) -> str:
        return self.pseudonyms.subject(text) if self.pseudonyms and not self.drop_subjects else DROPPED

    def _line(self, text: str) -> str:
        """A line that cannot be read cannot be searched for its subject either: it is withheld."""
        return self.pseudonyms.line(text) if self.pseudonyms else f"withheld: {len(text)} characters"

    def _without_subjects(self, table: pa.Table) -> pa.Table:
        subjects = pl.Series(table.column(SUBJECT).cast(pa.string()))
        for name in _MAY_QUOTE_SUBJECT:
            table = _set(table, name, self._unquoted(table.column(name), subjects))
        if self.drop_subjects:
            return _set(table, SUBJECT, pa.chunked_array([pa.nulls(table.num_rows, pa.string())]))
        return _changed(table, SUBJECT, self._subject)

    def _unquoted(self, column: pa.ChunkedArray, subjects: pl.Series) -> pa.ChunkedArray:
        """Subjects out of another column: under a key of their own, or the row's own subject, word for word."""
        cells = pl.Series(column.cast(pa.string()))
        holds = cells.str.contains(r"(?i)subject(?:=|:)")
        quotes = pl.DataFrame({"cell": cells, "subject": subjects}).select(
            # Only what is a sentence: one word could be the log's own.
            pl.col("subject").str.contains(r"\S\s+\S")
            & pl.col("cell").str.contains(pl.col("subject"), literal=True)
        )["subject"]
        at = np.flatnonzero((holds | quotes).fill_null(False).to_numpy())
        if not len(at):
            return column
        values = cells.to_list()
        for row in at:
            text = with_subjects(values[row], self._subject)
            if quotes[int(row)]:
                text = text.replace(subjects[int(row)], self._subject(subjects[int(row)]))
            values[row] = text
        return pa.chunked_array([pa.array(values, pa.string())])

    def _extra(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if column.null_count == len(column):
            return column
        values = [
            None if row is None else [(field, self._field(field, value)) for field, value in row]
            for row in column.to_pylist()
        ]
        return pa.chunked_array([pa.array(values, column.type)])

    def _field(self, field: str, value: str | None) -> str | None:
        if value is None:
            return None
        if "subject" in field.lower():
            return self._subject(value)
        if self.pseudonyms is None:
            return value
        return (
            self.pseudonyms.addresses(value) if _ADDRESS_FIELD.search(field) else self.pseudonyms.text(value)
        )


STORE_ALL = Privacy()
"""Rows are stored as the log has them."""


def _with_accounts(table: pa.Table, hidden: Pseudonyms) -> pa.Table:
    """`*,anna@contoso.com,authenticated`: the user of a session stands alone in data."""
    context = pl.Series(table.column("context").cast(pa.string()))
    says = context.str.contains(r"(?i)^(?:authenticated|user ?name)").fill_null(False)
    if not says.any():
        return table
    data = pl.Series(table.column("data").cast(pa.string()))
    users = data.filter(says).to_list()
    replaced = data.scatter(
        pl.Series(np.flatnonzero(says.to_numpy())),
        pl.Series(mapped(hidden.account, users), dtype=pl.String),
    )
    plain = replaced.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
    return _set(table, "data", pa.chunked_array([plain]))


def _set(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    field = table.schema.field(name)
    if column.type != field.type:
        column = column.dictionary_encode() if pa.types.is_dictionary(field.type) else column.cast(field.type)
    return table.set_column(table.column_names.index(name), field, column)


def _changed(
    table: pa.Table, name: str, function: Callable[[str], str], hints: str | None = None
) -> pa.Table:
    """The column with the function's answer for each distinct value that matches the pattern, if one is given."""
    if name not in table.column_names:
        return table
    column = table.column(name)
    if column.null_count == len(column):
        return table
    is_dictionary = pa.types.is_dictionary(column.type)
    encoded = (column if is_dictionary else column.dictionary_encode()).unify_dictionaries()
    chunks = encoded.chunks
    values = pl.Series(chunks[0].dictionary, dtype=pl.String)
    chosen = np.flatnonzero(
        (values.str.contains(hints) if hints else values.is_not_null()).fill_null(False).to_numpy()
    )
    if not len(chosen):
        return table
    texts = values.to_list()
    for at in chosen:
        texts[at] = function(texts[at])
    dictionary = pa.array(texts, pa.string())
    if is_dictionary:
        # Two spellings of one address become one value; Parquet wants each value once.
        distinct = dictionary.dictionary_encode()
        arrays = [
            pa.DictionaryArray.from_arrays(distinct.indices.take(chunk.indices), distinct.dictionary)
            for chunk in chunks
        ]
    else:
        arrays = [pc.take(dictionary, chunk.indices) for chunk in chunks]
    return _set(table, name, pa.chunked_array(arrays, column.type))
