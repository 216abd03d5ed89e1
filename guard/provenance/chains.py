"""The certificates behind a signature, which the library checks and does not hand out."""

from __future__ import annotations

from typing import Any

from guard.provenance.cbor import decode
from guard.provenance.jumbf import Box, boxes, children, label

__all__ = ["chain_of"]

_HEADER = 8
_SIGNATURE = b"c2pa.signature"
_X5CHAIN = (33, "x5chain")


def chain_of(store: bytes, manifest: str) -> tuple[bytes, ...] | None:
    """The certificates (DER) in the signature of `manifest` in `store`, leaf first (RFC 9360).

    None for a compressed manifest (C2PA 2.4 §11.1.5), which only the library can open. Raises `ValueError`
    where there is no signature, or not one chain in it.
    """
    try:
        inside = _inside(store, manifest)
        if any(box.kind == b"brob" for box in inside):
            return None
        signature = next(box for box in inside if label(store, box) == _SIGNATURE)
        content = next(box for box in children(store, signature) if box.kind == b"cbor")
        protected, unprotected, *_ = decode(store[content.start + _HEADER : content.end])
        headers: list[Any] = [decode(protected) if protected else {}, unprotected]
        (found,) = [header[key] for header in headers for key in _X5CHAIN if key in header]
        return (found,) if isinstance(found, bytes) else tuple(map(bytes, found))
    except (TypeError, IndexError, StopIteration, RecursionError) as error:
        raise ValueError("there is no chain of certificates") from error


def _inside(store: bytes, manifest: str) -> list[Box]:
    top = next(boxes(store, 0, len(store)))
    named = (box for box in children(store, top) if label(store, box) == manifest.encode())
    return children(store, next(named))
