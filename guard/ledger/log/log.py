"""The log as its readers ask it: the newest checkpoint, proofs, tiles, and what others attest."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import Connection, Engine, RowMapping, insert, select

from guard.errors import ConfigurationError, InputError
from guard.ledger.databases import WRITING
from guard.ledger.entry import utc_now
from guard.ledger.failures import ledger_errors
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.inclusion import Inclusion
from guard.ledger.log.merkle import EMPTY
from guard.ledger.log.note import COSIGNATURE, Note, NoteSigner, Signature, VerifierKey
from guard.ledger.log.tree import HEIGHT, Tiles, consistency, inclusion
from guard.ledger.tables import log_attestations, log_checkpoints, log_leaves

__all__ = ["Log"]

_UNREADABLE = "The log cannot be read"


class Log:
    """The transparency log of the ledger in `engine`; `key` gives what signs it at the moment.

    Raises `LedgerError` where the database fails.
    """

    def __init__(self, engine: Engine, key: Callable[[], NoteSigner] | None) -> None:
        self._engine = engine
        self._key = key

    @property
    def signer(self) -> NoteSigner | None:
        """What signs checkpoints; None for a log without a key."""
        return self._key() if self._key else None

    def checkpoint(self) -> str:
        """The newest checkpoint with its cosignatures, as a signed note. Raises `ConfigurationError` where
        the log has no key."""
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            query = select(log_checkpoints).order_by(log_checkpoints.c.size.desc()).limit(1)
            row = connection.execute(query).mappings().first()
            return self._note(row) + (_cosignatures(connection, row["size"]) if row else "")

    def _note(self, row: RowMapping | None) -> str:
        if row is not None and row["note"]:
            return str(row["note"])
        signer = self.signer
        if signer is None:
            raise ConfigurationError("This log has no key, so nothing signs its checkpoints.")
        # Nobody signed yet: the tree is empty, or was made of what an older ledger held.
        size, root = (row["size"], row["root"]) if row else (0, EMPTY)
        return signer.sign(str(Checkpoint(signer.origin, size, root)))

    def size(self) -> int:
        """How many leaves the log has."""
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            query = select(log_checkpoints.c.size).order_by(log_checkpoints.c.size.desc()).limit(1)
            return connection.execute(query).scalar() or 0

    def inclusion(self, index: int) -> Inclusion:
        """The proof of a leaf under the first signed checkpoint that covers it."""
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            return inclusion(connection, index)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that the log of `new` leaves begins with that of `old`. Raises `InputError` where it
        never had so many."""
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            return consistency(connection, old, new)

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile (c2sp.org/tlog-tiles): `level` counts tiles, eight levels of the
        tree each. Raises `InputError` where the log has not so many."""
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            hashes = Tiles(connection).tile(HEIGHT * level, index)[:width]
        if len(hashes) < width:
            raise InputError(f"The log has no tile {level}/{index} of {width} hashes.")
        return b"".join(hashes)

    def leaves(self, index: int, width: int) -> list[str]:
        """The first `width` leaves of a tile of the lowest level. Raises `InputError` as `tile` does."""
        first = index << HEIGHT
        query = select(log_leaves.c.leaf).where(log_leaves.c.index.between(first, first + width - 1))
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            leaves = connection.execute(query.order_by(log_leaves.c.index)).scalars().all()
        if len(leaves) < width:
            raise InputError(f"The log has no bundle {index} of {width} leaves.")
        return list(leaves)

    def attach(self, cosigned: str, witnesses: Sequence[VerifierKey]) -> list[str]:
        """Keep the cosignatures that `witnesses` put under a checkpoint of this log; their names.

        Raises `InputError` where it is no checkpoint of this log or none of them signed, `LedgerError` where
        a cosignature is wrong.
        """
        note = Note.parse(cosigned)
        checkpoint = Checkpoint.parse(note.text)
        known = {(key.name, key.id) for key in note.signers(witnesses) if key.kind == COSIGNATURE}
        found = [each for each in note.signatures if (each.name, each.key_id) in known]
        if not found:
            raise InputError("None of these witnesses cosigned this checkpoint.", "Check their keys.")
        self._attest(checkpoint, [("cosignature", each.name, str(each).encode()) for each in found])
        return [each.name for each in found]

    def anchor(self, checkpoint: Checkpoint, authority: str, token: bytes) -> None:
        """Keep an RFC 3161 time-stamp of a checkpoint of this log; whoever asked for it has checked it."""
        self._attest(checkpoint, [("timestamp", authority, token)])

    def anchors(self) -> list[tuple[Checkpoint, str, bytes]]:
        """Checkpoint, authority and time-stamp token, oldest first."""
        table = log_attestations
        columns = (log_checkpoints.c.note, table.c.name, table.c.evidence)
        query = select(*columns).join(table, table.c.size == log_checkpoints.c.size)
        query = query.where(table.c.kind == "timestamp").order_by(table.c.index)
        with ledger_errors(_UNREADABLE), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [(Checkpoint.parse(Note.parse(note).text), name, token) for note, name, token in rows]

    def _attest(self, checkpoint: Checkpoint, evidence: Sequence[tuple[str, str, bytes]]) -> None:
        same = (log_checkpoints.c.size == checkpoint.size) & (log_checkpoints.c.root == checkpoint.root)
        engine = self._engine.execution_options(**WRITING)
        with ledger_errors("The log cannot be written"), engine.begin() as connection:
            if connection.execute(select(log_checkpoints.c.size).where(same)).first() is None:
                raise InputError(
                    "This checkpoint is not of this log.", "`guard log checkpoint` shows the newest."
                )
            rows = [
                {"size": checkpoint.size, "kind": kind, "name": name, "evidence": proof, "at": utc_now()}
                for kind, name, proof in evidence
            ]
            connection.execute(insert(log_attestations), rows)


def _cosignatures(connection: Connection, size: int) -> str:
    """The latest of each witness."""
    table = log_attestations
    query = select(table.c.evidence).where((table.c.size == size) & (table.c.kind == "cosignature"))
    lines = [evidence.decode() for evidence in connection.execute(query.order_by(table.c.index)).scalars()]
    latest = {(each.name, each.key_id): str(each) for each in map(Signature.parse, lines)}
    return "".join(latest.values())
