"""Parquet with the types of the report: days, UTC timestamps, integers, floats, booleans and text."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.reports.values import exported

if TYPE_CHECKING:
    from pipeline.sql import Result

_TYPES = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "DATE": pa.date32(),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
    "TIMESTAMP": pa.timestamp("us"),
}


def to_parquet(result: Result, meanings: dict[str, str]) -> bytes:
    """The file; what each column is stands in the metadata of its field (`description`). Lists and maps are JSON text."""
    fields, arrays = [], []
    for i, (name, kind) in enumerate(zip(result.columns, result.types, strict=True)):
        values = [row[i] for row in result.rows]
        type_ = _TYPES.get(kind)
        if type_ is None and kind.startswith(("DECIMAL", "HUGEINT")):
            type_ = pa.float64()
            values = [None if value is None else float(value) for value in values]
        if type_ is None:
            type_ = pa.string()
            values = [_text(value) for value in values]
        metadata = {"description": meanings[name]} if name in meanings else None
        fields.append(pa.field(name, type_, metadata=metadata))
        arrays.append(pa.array(values, type=type_))
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), out, compression="zstd")
    return out.getvalue()


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    plain = exported(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
