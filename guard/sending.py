"""Sends what waited for its signature."""

from __future__ import annotations

from dataclasses import replace

from guard.drafts import Draft, Release, entry, released
from guard.ledger import Receipt, Status
from guard.outbox import Kept, Outbox
from guard.pipeline import Guard

__all__ = ["send"]


def send(guard: Guard, outbox: Outbox, release_id: str) -> Release:
    """Sign, prove and record what waits under this id: deliver it, then remove it from the outbox.

    A crash at any point leaves it waiting, or waiting for delivery just as it was signed. Raises `InputError`
    where nothing waits under this id, and what `Guard.release` raises; it goes on waiting then.
    """
    kept = outbox.load(release_id)
    draft = replace(kept.draft, waits="")
    if draft.manifest is None:
        draft = guard.sealed(draft, kept.original, kept.origin)
        outbox.update(kept, draft)
    return released(draft, _receipt(guard, kept, draft))


def _receipt(guard: Guard, kept: Kept, draft: Draft) -> Receipt:
    release_id = draft.payload.hex
    known = guard.ledger.by_id(release_id)
    if known is not None and known.status is Status.RELEASED:  # Recorded before, and then not delivered.
        receipt = guard.ledger.receipt(release_id)
        assert receipt is not None
        return receipt
    row = replace(
        entry(draft, kept.origin, guard.policy),
        findings=kept.findings,
        policy=draft.decision.policy,
        policy_sha256=draft.decision.policy_sha256,
    )
    with guard.trace("record"):
        [receipt] = guard.ledger.record([row])
    return receipt
