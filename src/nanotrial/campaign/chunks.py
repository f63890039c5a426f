"""One chunk as the bytes of a Parquet file that knows its plan, its place and the sum of its data."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nanotrial.campaign.plan import Column, Plan
from nanotrial.errors import SolveError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

MARK = "nanotrial."


class DamageError(Exception):
    """A chunk is not what its plan says; the text says in what."""


def schema_of(plan: Plan) -> pa.Schema:
    """Return the Arrow schema of a plan; each column holds its unit and its times (h)."""
    import json

    import pyarrow as pa

    fields = []
    for column in plan.columns:
        about = {"unit": column.unit, "times_h": json.dumps(column.times_h)} if column.kind == "number" else None
        fields.append(pa.field(column.name, _type_of(column), nullable=False, metadata=about))
    return pa.schema(fields)


def _type_of(column: Column) -> pa.DataType:
    import pyarrow as pa

    if column.kind == "number":
        count = len(column.times_h)
        return pa.list_(pa.field("element", pa.float64(), nullable=False), count) if count else pa.float64()
    return pa.string() if column.kind == "text" else pa.int64()


def encode_chunk(plan: Plan, number: int, played: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of a chunk; equal rows give equal bytes.

    Arguments:
        plan: what the chunk belongs to.
        number: its number.
        played: columns by name, of shape (rows,), or (rows, times) where a column has times.

    Raises:
        SolveError: columns or shapes other than those of the plan.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    first, last = plan.bounds(number)
    rows = (last - first) * plan.rows
    ready = {}
    if set(played) != {c.name for c in plan.columns}:
        raise SolveError(f"the work gave the columns {sorted(played)}; expected {[c.name for c in plan.columns]}.")
    for column in plan.columns:
        ready[column.name] = _checked(column, np.asarray(played[column.name]), rows)
    arrays = [_to_arrow(column, ready[column.name]) for column in plan.columns]
    about = {
        "plan": plan.digest,
        "chunk": str(number),
        "first": str(first),
        "last": str(last),
        "sha256": _sum_of(plan, ready),
    }
    schema = schema_of(plan).with_metadata({MARK + key: text for key, text in about.items()})
    stream = io.BytesIO()
    words = [c.name for c in plan.columns if c.kind == "text"]
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=schema),
        stream,
        row_group_size=max(rows // plan.groups, 1),
        compression="zstd",
        use_dictionary=words,
        version="2.6",
    )
    return stream.getvalue()


def decode_chunk(plan: Plan, number: int, data: bytes) -> pa.Table:
    """Return the table of a chunk.

    Raises:
        DamageError: the bytes are cut short, changed, or those of another plan or chunk.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(io.BytesIO(data)).read()
    except (pa.ArrowException, OSError, ValueError, EOFError) as error:
        raise DamageError(f"it is no whole Parquet file ({str(error).splitlines()[0][:120]})") from error
    about = {k.decode(): v.decode(errors="replace") for k, v in (table.schema.metadata or {}).items()}
    first, last = plan.bounds(number)
    wanted = {"plan": plan.digest, "chunk": str(number), "first": str(first), "last": str(last)}
    names = {"plan": "it belongs to another plan", "chunk": "it is another chunk"}
    for key, text in wanted.items():
        if about.get(MARK + key) != text:
            raise DamageError(names.get(key, "it holds other members"))
    rows = (last - first) * plan.rows
    if table.num_rows != rows or not table.schema.equals(schema_of(plan), check_metadata=False):
        raise DamageError(f"it holds {table.num_rows} rows or other columns; expected {rows} rows")
    if _sum_of(plan, {c.name: to_numpy(c, table[c.name]) for c in plan.columns}) != about.get(MARK + "sha256"):
        raise DamageError("its data do not fit their checksum")
    return table


def to_numpy(column: Column, values: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column of a table as an array: (rows,), or (rows, times) where it has times; texts as objects."""
    import pyarrow as pa

    if column.kind == "text":
        return np.array(values.to_pylist(), dtype=object)
    parts = [part.flatten() if column.times_h else part for part in values.chunks]
    flat = np.concatenate([np.asarray(p) for p in parts]) if parts else np.asarray(pa.array([], pa.float64()))
    return flat.reshape(-1, len(column.times_h)) if column.times_h else flat


def _checked(column: Column, values: NDArray[Any], rows: int) -> NDArray[Any]:
    shape = (rows, len(column.times_h)) if column.times_h else (rows,)
    if values.shape != shape:
        raise SolveError(f"the work gave `{column.name}` in the shape {values.shape}; expected {shape}.")
    if column.kind == "text":
        return values.astype(object)
    if column.kind == "whole":
        return np.ascontiguousarray(values, dtype="<i8")
    numbers = np.array(values, dtype="<f8", order="C")
    numbers[np.isnan(numbers)] = np.nan  # one NaN among the many that the format knows
    return numbers


def _to_arrow(column: Column, values: NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    if column.times_h:
        return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), type=_type_of(column))
    return pa.array(values, type=_type_of(column))


def _sum_of(plan: Plan, columns: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 over names and data of all columns in order."""
    total = hashlib.sha256()
    for column in plan.columns:
        values = columns[column.name]
        total.update(column.name.encode() + b"\0")
        if column.kind == "text":
            words = [str(word).encode() for word in values]
            total.update(np.array([len(w) for w in words], dtype="<i8").tobytes() + b"".join(words))
        else:
            total.update(np.ascontiguousarray(values).data)
    return total.hexdigest()
