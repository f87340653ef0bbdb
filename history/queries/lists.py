"""Lists of values of any length as one parameter, on each system as it can.

A statement for each value would be slow, and a placeholder for each has a limit. Called by the
queries.
"""

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Function, Select, all_, any_, cast, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import TypeEngine


def gathered(connection: AsyncConnection, keys: ColumnElement[Any]) -> Function[Any]:
    """Keys of all rows as one value, for rows take longer; ``read`` knows it."""
    is_sqlite = connection.dialect.name == "sqlite"
    return func.json_group_array(keys) if is_sqlite else func.array_agg(keys)


def read(told: Any) -> frozenset[int]:
    """The keys that were gathered."""
    if isinstance(told, str):
        return msgspec.json.decode(told, type=frozenset[int])
    return frozenset(told or ())


class Values:
    """Values to compare a column with."""

    def __init__(
        self, connection: AsyncConnection, column: ColumnElement[Any], values: Collection[Any]
    ) -> None:
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._column = column
        listed = list(values)
        self._told = msgspec.json.encode(listed).decode() if self._is_sqlite else listed

    @property
    def contain(self) -> ColumnElement[bool]:
        """Whether the column has one of them."""
        if self._is_sqlite:
            return self._column.in_(self._each())
        return self._column == any_(self._array(self._column.type))

    @property
    def lack(self) -> ColumnElement[bool]:
        """Whether the column has none of them."""
        if self._is_sqlite:
            return self._column.not_in(self._each())
        return self._column != all_(self._array(self._column.type))

    def _each(self) -> Select[Any]:
        return select(func.json_each(self._told).table_valued("value").c.value)

    def _array(self, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        return cast(self._told, ARRAY(kind))
