"""Full text: sessions in whose texts, or by whose names, all terms are found; and the places.

FTS5 on SQLite, a column of lexemes on PostgreSQL; what is looked for is only ever a value. Called
by the listing.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    column,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.ext.asyncio import AsyncConnection

from history.queries.lists import gathered, read
from history.queries.terms import Term
from history.rows import DOCUMENTS_BITS
from history.tables import documents, sessions

_words = table("document_words", column("rowid"), column("document_words"))


class Match(NamedTuple):
    """``keys``: sessions that have every term; of those that are asked for ``wanted`` have, and
    ``others`` have not. ``terms`` are those by which they were found.
    """

    keys: frozenset[int]
    wanted: frozenset[int]
    others: frozenset[int]
    terms: list[Term]


async def found(
    connection: AsyncConnection,
    workspace: str,
    looked_for: Sequence[Term],
    conditions: Sequence[ColumnElement[bool]],
) -> Match:
    """The sessions that have every term, by their texts or names.

    Words as they stand go first: the begin of a word costs as much as all words that begin so.
    ``looked_for`` is not empty.
    """
    tried = [term._replace(is_open=False) for term in looked_for]
    asked_for, *named = await _read_names(connection, workspace, tried, conditions)
    by_term = [
        keys | await _by_text(connection, term) for keys, term in zip(named, tried, strict=True)
    ]
    keys = frozenset.intersection(*by_term)
    if not keys and looked_for[-1].is_open:
        tried[-1] = looked_for[-1]
        by_term[-1] = named[-1] | await _by_text(connection, tried[-1])
        keys = frozenset.intersection(*by_term)
    return Match(keys, asked_for & keys, asked_for - keys, tried)


async def _by_text(connection: AsyncConnection, term: Term) -> frozenset[int]:
    """Sessions that have a term in a text, in any workspace."""
    is_sqlite = connection.dialect.name == "sqlite"
    key = _words.c.rowid.op(">>")(DOCUMENTS_BITS) if is_sqlite else documents.c.session_pk
    match = _sqlite_match([term]) if is_sqlite else _postgres_match([term])
    texts = select(gathered(connection, key.distinct())).where(match)
    return read((await connection.execute(texts)).scalar())


async def _read_names(
    connection: AsyncConnection,
    workspace: str,
    looked_for: Sequence[Term],
    conditions: Sequence[ColumnElement[bool]],
) -> list[frozenset[int]]:
    """Sessions that are asked for, and for each term those that are called so.

    Rows are read once for all of it.
    """
    called = [_is_called(connection, term) for term in looked_for]
    keys = gathered(connection, sessions.c.pk)
    columns = [keys.filter(wanted) for wanted in (and_(true(), *conditions), *called)]
    rows = select(*columns).where(sessions.c.workspace == workspace)
    return [read(told) for told in (await connection.execute(rows)).one()]


def _is_called(connection: AsyncConnection, term: Term) -> ColumnElement[bool]:
    """Whether a session's id begins with a term, or its project or branch has it."""
    if term.name is None:
        return false()
    named = [_has(connection, sessions.c[name], term.name) for name in _NAMES]
    return or_(_begins(connection, sessions.c.id, term.raw), *named)


def _begins(connection: AsyncConnection, id_: ColumnElement[str], start: str) -> Any:
    """Whether an id begins so; SQLite compares bytes, in less time than it cuts them off."""
    if connection.dialect.name == "sqlite":
        return and_(id_ >= start, id_ < start + "\U0010ffff")
    return func.substr(id_, 1, len(start)) == start


def _has(connection: AsyncConnection, name: ColumnElement[str], part: str) -> ColumnElement[bool]:
    """Whether a name has a part in small letters; SQLite's LIKE does not tell them apart."""
    if connection.dialect.name == "sqlite":
        return name.contains(part, autoescape=True)  # half the time of a name made small first
    return func.strpos(func.lower(name), part) > 0


_NAMES = ("project", "branch")  # titles are among the texts


def _sqlite_match(looked_for: Sequence[Term]) -> ColumnElement[bool]:
    """Whether a document has one of the terms, which have no marks that FTS5 knows."""
    told = " OR ".join(f'"{term.text}"' + " *" * term.is_open for term in looked_for)
    return _words.c.document_words.op("MATCH", is_comparison=True)(told)


def _postgres_match(looked_for: Sequence[Term]) -> ColumnElement[bool]:
    queries = map(_postgres_query, looked_for)
    told = reduce(lambda left, right: left.op("||")(right), queries)
    return column("words").op("@@", is_comparison=True)(told)


def _postgres_query(term: Term) -> ColumnElement[Any]:
    """Words in a row; that the last one is open, only the text of a query can say."""
    phrase = func.phraseto_tsquery("simple", term.text)
    if not term.is_open:
        return phrase
    return cast(func.nullif(cast(phrase, Text), "").op("||")(literal(":*", Text)), TSQUERY)


async def places(
    connection: AsyncConnection,
    workspace: str,
    wanted: ColumnElement[bool],
    looked_for: Sequence[Term],
) -> dict[str, str]:
    """Session id → the first of its documents that has a term, for the wanted sessions."""
    theirs = and_(sessions.c.workspace == workspace, wanted)
    if connection.dialect.name != "sqlite":
        columns = _postgres_places(looked_for).where(theirs)
    elif any(term.is_open for term in looked_for):
        columns = _scanned_places(looked_for, theirs)
    else:
        columns = _sought_places(looked_for).where(theirs)
    found = await connection.execute(columns)
    return {each.id: each.text for each in found if each.text is not None}


def _sought_places(looked_for: Sequence[Term]) -> Select[Any]:
    """Session by session: a word's part of the index is sought by the range of its rowids."""
    first = sessions.c.pk.op("<<")(DOCUMENTS_BITS)
    theirs = _words.c.rowid.between(first, first + ((1 << DOCUMENTS_BITS) - 1))
    number = select(_words.c.rowid).where(_sqlite_match(looked_for), theirs).limit(1)
    place = number.correlate(sessions).scalar_subquery()
    text = select(documents.c.text).where(documents.c.number == place).correlate(sessions)
    return select(sessions.c.id, text.scalar_subquery().label("text"))


def _scanned_places(looked_for: Sequence[Term], theirs: ColumnElement[bool]) -> Select[Any]:
    """All at once: words that begin alike are joined anew for each question."""
    key = _words.c.rowid.op(">>")(DOCUMENTS_BITS)
    numbers = (
        select(func.min(_words.c.rowid))
        .where(_sqlite_match(looked_for), key.in_(select(sessions.c.pk).where(theirs)))
        .group_by(key)
    )
    joined = documents.join(sessions, sessions.c.pk == documents.c.session_pk)
    texts = select(sessions.c.id, documents.c.text).select_from(joined)
    return texts.where(documents.c.number.in_(numbers))


def _postgres_places(looked_for: Sequence[Term]) -> Select[Any]:
    has_term = and_(documents.c.session_pk == sessions.c.pk, _postgres_match(looked_for))
    text = select(documents.c.text).where(has_term).order_by(documents.c.number).limit(1)
    return select(sessions.c.id, text.correlate(sessions).scalar_subquery().label("text"))
