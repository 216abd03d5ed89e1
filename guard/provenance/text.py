"""Credentials in text: invisible trailing characters (C2PA 2.4 A.8), a comment (A.9), an element (A.7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import c2pa
import c2patxt

from guard.errors import CredentialError
from guard.media.formats import HTML, MARKDOWN, PLAIN_TEXT
from guard.provenance.apart import AddIngredients, binding_in, dry_run, judge, sign_apart
from guard.provenance.binding import Binding, Hole
from guard.provenance.carriers import Carried, find, slot_for
from guard.provenance.credential import Credential
from guard.provenance.padding import Padded
from guard.provenance.report import absent, unreadable
from guard.provenance.sdk import clean, reason
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust
from guard.provenance.visible import normalised, overloaded, without_manifest

__all__ = ["CARRIERS", "carried_in", "embed", "fits", "read"]

_MAGIC = b"C2PATXT\x00\x01"
CARRIERS = frozenset({PLAIN_TEXT, "text/csv", MARKDOWN, HTML})
"""Types of text in which a manifest can be embedded."""
_FEW = bytes(range(16))
"""Bytes whose variation selectors take three bytes of UTF-8; those of all others take four."""
_TRIES = 4
_SECONDS = (None, 24, 256, 268)
_STAMPS: dict[tuple[object, float], int] = {}
"""Bytes that the last time stamp of these authorities took in a carrier of this grain."""
_VARYING = 16
"""Bytes by which one may be longer than another, whose numbers have fewer digits. More would leave too much
to padding, with which not every length can be made; a multiple of four, since base64 knows no others."""
_UNSURE = 40
"""Bytes by which a guess at the length of padded credentials may be off."""


def embed(
    text: str, mime: str, definition: dict[str, Any], signer: Signer, add_ingredients: AddIngredients
) -> tuple[str, bytes]:
    """`text` with a signed manifest of this definition in it, and the manifest store alone.

    Plain text is put into NFC first. Raises `CredentialError` for a page without a head, for a text that
    cannot be put into NFC, and where it cannot be signed; and what the signer raises.
    """
    carrier = _in_base64(text, mime) if mime in (MARKDOWN, HTML) else _invisible(text)
    try:
        store = _fitting(carrier, definition, signer, add_ingredients)
    except (c2pa.C2paError, ValueError) as error:
        raise CredentialError(
            f"The text could not be signed: {reason(error)}.", "Check the signer with: guard keys show."
        ) from error
    return carrier.fill(store), store


@dataclass(frozen=True, slots=True)
class _Carrier:
    """How a text carries a store: the text without it, the place in bytes, how many bytes the store takes
    there and what the text is with it. `grain` is what a byte of padding adds, `slack` how much padding may
    have to be added to come out at any length."""

    bare: str
    at: int
    length: Callable[[bytes], int]
    fill: Callable[[bytes], str]
    grain: float
    slack: int


def _in_base64(text: str, mime: str) -> _Carrier:
    slot = slot_for(text, mime)
    at = len(text[: slot.at].encode())
    return _Carrier(text, at, lambda s: slot.length(len(s)), lambda s: slot.fill(text, s), 4 / 3, 8)


def _invisible(text: str) -> _Carrier:
    if overloaded(text):
        raise CredentialError(
            "The text could not be signed: it piles up combining marks without end.", "Shorten those runs."
        )
    bare = normalised(text)
    # A zero takes three bytes, and their number one to three digits of three or four: with about so many of
    # them, one of `_SECONDS` leaves any remainder that is wanted.
    return _Carrier(bare, len(bare.encode()), _wrapped_length, lambda s: bare + _wrapped(s), 3, 850)


def _fitting(
    carrier: _Carrier, definition: dict[str, Any], signer: Signer, add_ingredients: AddIngredients
) -> bytes:
    """A store that states how many bytes of the text it takes, which depends on every byte of itself.

    So the number is set beforehand, a little too high, and the signature's padding makes it true. How long a
    time stamp is shows only once it is there: the room that one took before is left for the next, so that
    its authority is asked once for each text, but for the first.
    """

    def bound(wanted: int) -> Binding:
        return Binding.of([carrier.bare.encode()], Hole(carrier.at, wanted))

    def least(store: bytes) -> int:
        return carrier.length(Padded(store).with_padding(0))

    trial = dry_run(definition, bound(1 << 14), signer, add_ingredients)
    unstamped, kind = least(trial), (signer.timestamps, carrier.grain)
    room = _STAMPS.get(kind, 0) if signer.timestamps else 0
    for _ in range(_TRIES):
        wanted = least(trial) + carrier.slack + room
        trial = sign_apart(definition, bound(wanted), signer, add_ingredients)
        _STAMPS[kind], room = least(trial) - unstamped + _VARYING, 0
        if (store := _padded(Padded(trial), wanted, carrier)) is not None:
            return store
    raise ValueError("its credentials come out in another size each time")


def _padded(store: Padded, wanted: int, carrier: _Carrier) -> bytes | None:
    """The store with the padding that makes it just as long; None where none does."""
    for second in _SECONDS:
        missing = wanted - carrier.length(store.with_padding(0, second))
        first = max(0, int((missing - _UNSURE) / carrier.grain))
        while missing > 0:
            padded = store.with_padding(first, second)
            missing = wanted - carrier.length(padded)
            first += 1
            if missing == 0:
                return padded
    return None


def _wrapped(store: bytes) -> str:
    """The store in the invisible form of A.8.3: a mark, then one variation selector for each byte."""
    body = _MAGIC + len(store).to_bytes(4, "big") + store
    return "\ufeff" + "".join(chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in body)


def _wrapped_length(store: bytes) -> int:
    """Bytes of UTF-8 in `_wrapped`."""
    body = _MAGIC + len(store).to_bytes(4, "big") + store
    return 3 + 3 * len(body) + len(body.translate(None, _FEW))


def read(data: bytes, trust: Trust, manifest: bytes | None) -> Credential:
    """The credentials of UTF-8 text, or `manifest` held against it; see `guard.provenance.read.read`.

    c2pa-rs checks the store and judges its signer, so that trust is decided in one place for all media; it
    knows no text, so the tie to that is checked here.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return absent("The file carries no Content Credentials: it is not UTF-8 text.")
    try:
        carried = carried_in(text) if manifest is None else Carried(manifest)
        if carried is None:
            return absent()
        if carried.code:
            kept = f"they are kept at {clean(carried.address)}, which Guard does not fetch"
            return unreadable(kept if carried.address else "their carrier is damaged", carried.code)
        return judge(carried.store, trust, fits=fits(data, carried))
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return unreadable(reason(error))


def carried_in(text: str) -> Carried | None:
    """The manifest that a text carries, whichever way; None where it carries none."""
    return _unseen(text) or find(text)


def _unseen(text: str) -> Carried | None:
    """The manifest in invisible characters; its hole is that in the text's NFC, which is what gets hashed."""
    try:
        span = c2patxt.locate(text)
    except c2patxt.MarkCorruptError as error:
        return Carried(code=str(error.code))
    if span is None:
        return None
    data = text.encode()
    before, behind = data[: span.utf8_start].decode(), data[span.utf8_stop :].decode()
    if c2patxt.locate(before + behind) is not None:
        return Carried(code="manifest.text.multipleWrappers")
    body = data[span.utf8_start : span.utf8_stop].decode()[1:]
    store = bytes(code - 0xFE00 if (code := ord(each)) < 0xE0100 else code - 0xE0100 + 16 for each in body)
    hole = Hole(len(normalised(before).encode()), len(span))
    size = int.from_bytes(store[len(_MAGIC) : len(_MAGIC) + 4], "big")
    return Carried(store[len(_MAGIC) + 4 :][:size], (hole,), outside=normalised(before + behind).encode())


def fits(data: bytes, carried: Carried) -> bool:
    """Whether the manifest is tied to this UTF-8 text. Raises as `guard.provenance.apart.binding_in`."""
    binding = binding_in(carried.store)
    if binding is None:
        return False
    if not carried.holes:
        return _fits_beside(data.decode(), binding)
    hole = next((hole for hole in carried.holes if binding.holes == (hole,)), None)
    if hole is None:
        return False
    outside = (data[: hole.start], data[hole.start + hole.length :])
    return binding.fits(outside if carried.outside is None else [carried.outside])


def _fits_beside(text: str, binding: Binding) -> bool:
    """A manifest that was kept apart fits the text that has lost it, and one that never held it."""
    bare = without_manifest(text)
    texts = (bare, normalised(bare), text)
    return len(binding.holes) <= 1 and any(binding.fits([each.encode()]) for each in texts)
