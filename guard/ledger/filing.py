"""Where fingerprints are filed, in the ledger's own tables, and how those near to given ones are found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import Connection, bindparam, func, insert, select

from guard.ledger.fingerprint import NEAR, Fingerprint, algorithm, bucket, probes
from guard.ledger.prepared import Prepared
from guard.ledger.tables import fingerprints

__all__ = ["file", "filed_for", "nearest"]

# What many releases share says little: once so many are filed in a bucket no more are, which also bounds what
# a look-up has to read.
_POSTINGS = 128
_INSERT = Prepared(insert(fingerprints))
_BUCKET, _RELEASE, _CODE = fingerprints.c.bucket, fingerprints.c.release, fingerprints.c.code
_FULL = (
    select(_BUCKET)
    .where(_BUCKET.in_(bindparam("asked", expanding=True)))
    .group_by(_BUCKET)
    .having(func.count() >= _POSTINGS)
)
_FOUND = select(_BUCKET, _RELEASE, _CODE).where(_BUCKET.in_(bindparam("asked", expanding=True)))
# SQLite takes 32,766 values in one statement, PostgreSQL 65,535.
_MOST = 30_000


def file(connection: Connection, kept: Iterable[tuple[int, Sequence[Fingerprint]]]) -> None:
    """File fingerprints of releases, given by their index."""
    rows = [
        {"bucket": bucket(each), "release": release, "place": place, "at": each.at, "code": each.code}
        for release, found in kept
        for place, each in enumerate(found)
    ]
    if not rows:
        return
    # In the order of the table, so that neighbours are written together.
    rows.sort(key=lambda row: (row["bucket"], row["release"], row["place"]))
    full: set[int] = set()
    for start in range(0, len(rows), _MOST):
        asked = [row["bucket"] for row in rows[start : start + _MOST]]
        full |= set(connection.execute(_FULL, {"asked": asked}).scalars())
    _INSERT.many(connection, [row for row in rows if row["bucket"] not in full])


def nearest(connection: Connection, asked: Sequence[Fingerprint], limit: int) -> list[int]:
    """The indices of the releases with the fingerprints nearest to those asked for, the likeliest first: what
    a release is worth is the sum, over the questions, of how near its nearest code is to each."""
    questions: dict[int, list[int]] = defaultdict(list)
    for number, question in enumerate(asked):
        for place in probes(question):
            questions[place].append(number)
    rows = [
        row
        for start in range(0, len(questions), _MOST)
        for row in connection.execute(_FOUND, {"asked": list(questions)[start : start + _MOST]})
    ]
    if not rows:
        return []
    # An array at a time: at a million releases there are a thousand rows.
    counts = np.array([len(questions[row[0]]) for row in rows])
    numbers = np.array([number for row in rows for number in questions[row[0]]])
    release = np.repeat([row[1] for row in rows], counts)
    found = np.repeat(_words([row[2] for row in rows]), counts, axis=0)
    wanted = _words([question.code for question in asked])[numbers]
    apart = np.bitwise_count(wanted ^ found).sum(axis=1, dtype=int)
    near = apart <= NEAR
    best: dict[tuple[int, int], int] = defaultdict(int)
    for pair, worth in zip(
        zip(release[near], numbers[near], strict=True), NEAR + 1 - apart[near], strict=True
    ):
        best[pair] = max(best[pair], int(worth))
    votes: dict[int, int] = defaultdict(int)
    for (index, _), worth in best.items():
        votes[int(index)] += worth
    return sorted(votes, key=lambda index: (-votes[index], index))[:limit]


def filed_for(connection: Connection, release: int) -> list[Fingerprint]:
    """The fingerprints under which a release, given by its index, is filed."""
    columns = fingerprints.c
    query = (
        select(columns.bucket, columns.code, columns.at)
        .where(columns.release == release)
        .order_by(columns.place)
    )
    return [Fingerprint(algorithm(row.bucket), row.code, row.at) for row in connection.execute(query)]


def _words(codes: Sequence[bytes]) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return np.frombuffer(b"".join(codes), np.uint64).reshape(-1, 4)
