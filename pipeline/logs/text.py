"""A repeating text column as its distinct values and, for each row, the index of its value.

What is derived from such a column is computed once a distinct value and never spread over the rows: the
derived column has the same indices. Parquet is written from it without looking at a value twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

Mask = np.ndarray
"""One bool a row."""


@dataclass(frozen=True, slots=True)
class Text:
    """`values` are texts; `codes` (int32) index them, -1 for null.

    Values may be null or equal to another unless `distinct`, or used by no row unless `all_used`.
    """

    values: pl.Series
    codes: np.ndarray
    distinct: bool = False
    all_used: bool = False

    @classmethod
    def of(cls, column: pl.Series) -> Text:
        """Find the distinct values of a column of texts."""
        return cls.of_arrow(pa.chunked_array([column.to_arrow().cast(pa.string()).dictionary_encode()]))

    @classmethod
    def of_arrow(cls, column: pa.ChunkedArray) -> Text:
        """Take a dictionary column over; its chunks may have different dictionaries."""
        one = column.unify_dictionaries().combine_chunks()
        codes = one.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        return cls(
            pl.Series(one.dictionary, dtype=pl.String),
            codes.astype(np.int32, copy=False),
            distinct=True,
            all_used=True,
        )

    @classmethod
    def nulls(cls, length: int) -> Text:
        """A column of nulls."""
        return cls(
            pl.Series([], dtype=pl.String), np.full(length, -1, np.int32), distinct=True, all_used=True
        )

    @classmethod
    def per_part(cls, values: Sequence[str | None], part: np.ndarray) -> Text:
        """One value a part; `part` has each row's part."""
        return cls(pl.Series(values, dtype=pl.String), part.astype(np.int32, copy=False))

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self) -> pl.Series:
        """The text of each row."""
        return self._spread(self.values)

    def is_null(self) -> Mask:
        """Whether each row has no text."""
        return self._flags(self.values.is_null(), of_null=True)

    def derive(self, expression: pl.Expr) -> Text:
        """Another text of each value; the expression sees them as column `value`."""
        return Text(self._evaluate(expression).cast(pl.String), self.codes, all_used=self.all_used)

    def derive_all(self, **expressions: pl.Expr) -> dict[str, Text]:
        """Several texts of each value in one evaluation."""
        found = self.values.alias("value").to_frame().select(**expressions)
        return {column.name: self.of_values(column) for column in found}

    def map(self, function: Callable[[str], str | None]) -> Text:
        """Another text of each value, by a Python function; `compact` first if values are many."""
        results = [None if value is None else function(value) for value in self.values.to_list()]
        return Text(pl.Series(results, dtype=pl.String), self.codes, all_used=self.all_used)

    def numbers(self, expression: pl.Expr, dtype: pl.DataType) -> pl.Series:
        """A number or time of each value, for each row."""
        return self._spread(self._evaluate(expression).cast(dtype))

    def of_values(self, texts: pl.Series) -> Text:
        """Another text of each value, already computed."""
        return Text(texts, self.codes, all_used=self.all_used)

    def spread(self, of_values: pl.Series) -> pl.Series:
        """Something that was computed for each value, for each row."""
        return self._spread(of_values)

    def is_in(self, wanted: Sequence[str]) -> Mask:
        """Whether each row has one of the texts; false for null."""
        return self._flags(self.values.is_in(wanted), of_null=False)

    def where(self, mask: Mask) -> Text:
        """Only the rows of the mask, null elsewhere."""
        return Text(self.values, np.where(mask, self.codes, np.int32(-1)), distinct=self.distinct)

    def or_else(self, other: Text) -> Text:
        """The text of another column where this one has none."""
        shifted = np.where(other.codes < 0, np.int32(-1), other.codes + np.int32(len(self.values)))
        return Text(pl.concat([self.values, other.values]), np.where(self.is_null(), shifted, self.codes))

    def compact(self) -> Text:
        """The same column without null or equal values, and without values that no row has."""
        if self.distinct and self.all_used:
            return self
        used = None if self.all_used else np.flatnonzero(np.bincount(self.codes + 1, minlength=1)[1:])
        few = self.values if used is None else self.values.gather(pl.Series(used))
        renumber = np.full(len(self.values) + 1, -1, np.int32)
        at = slice(None, -1) if used is None else used
        if self.distinct:
            renumber[at] = np.arange(len(few), dtype=np.int32)
        else:
            encoded = few.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string()).dictionary_encode()
            few = pl.Series(encoded.dictionary, dtype=pl.String)
            renumber[at] = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        if not len(few):
            return Text.nulls(len(self))
        return Text(few, _taken(renumber, self.codes), distinct=True, all_used=True)

    def to_arrow(self) -> pa.DictionaryArray:
        """As an Arrow dictionary without null or equal values."""
        one = self.compact()
        values = one.values.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
        absent = one.codes < 0
        codes = pa.array(one.codes, mask=absent) if absent.any() else pa.array(one.codes)
        return pa.DictionaryArray.from_arrays(codes, values)

    def _evaluate(self, expression: pl.Expr) -> pl.Series:
        return self.values.alias("value").to_frame().select(expression.alias("to"))["to"]

    def _flags(self, of_values: pl.Series, *, of_null: bool) -> Mask:
        # The code of null, -1, takes the last flag.
        flags: Mask = np.append(of_values.fill_null(False).to_numpy(), of_null)
        return _taken(flags, self.codes)

    def _spread(self, of_values: pl.Series) -> pl.Series:
        if (self.codes < 0).any():
            of_values = of_values.extend_constant(None, 1)
            return of_values.gather(
                pl.Series(np.where(self.codes < 0, np.int32(len(of_values) - 1), self.codes))
            )
        return of_values.gather(pl.Series(self.codes))


def _taken(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """`values[codes]`, where -1 takes the last one; without numpy's check of each index."""
    taken: np.ndarray = np.take(values, codes, mode="wrap")
    return taken


def nulls(dtype: pl.DataType, length: int) -> pl.Series:
    """A column of nulls."""
    return pl.Series([], dtype=dtype).extend_constant(None, length)


def spread(part: pl.DataFrame, mask: Mask) -> dict[str, pl.Series]:
    """Columns computed on the rows of a mask as columns of all rows, null elsewhere."""
    if part.height == len(mask):
        return {column.name: column for column in part}
    if not part.height:
        return {column.name: nulls(column.dtype, len(mask)) for column in part}
    at = np.full(len(mask), part.height, np.uint32)
    at[mask] = np.arange(part.height, dtype=np.uint32)
    index = pl.Series(at)
    return {column.name: column.extend_constant(None, 1).gather(index) for column in part}
