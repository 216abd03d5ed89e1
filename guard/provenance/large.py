"""Credentials of files that are too large to hold in memory: read and written block by block.

The C2PA library holds two or three times the file. A WAV gets its manifest in a chunk at its end, where the
library puts it too; any other type gets it beside the file.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import c2pa

from guard.errors import CredentialError, InputError
from guard.provenance.apart import binding_in, dry_run, judge, sign_apart
from guard.provenance.binding import Binding, Hole
from guard.provenance.claim import Claim
from guard.provenance.credential import Credential
from guard.provenance.ingredients import Lineage
from guard.provenance.manifest import manifest_definition, new_label
from guard.provenance.padding import Padded
from guard.provenance.report import absent, unreadable
from guard.provenance.sdk import reason
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust

__all__ = ["LargeSigned", "read_large", "sign_large"]

_BLOCK = 1 << 20
_SLACK = 16
_MOST_STORE = 16 << 20
_MOST_CHUNKS = 10_000
_LAST_SIZE = 0x7FFF_0000
"""RIFF sizes from here on are what encoders write into a pipe before they know the size."""


@dataclass(frozen=True, slots=True)
class LargeSigned:
    """What was signed: the manifest store, its label, and whether it is in the file or goes beside it."""

    manifest: bytes
    label: str
    embedded: bool


@dataclass(frozen=True, slots=True)
class _Wave:
    """A WAV: where its chunks end, and where its manifest's chunk is, if it has one."""

    end: int
    found: Hole | None


def sign_large(source: Path, target: Path, claim: Claim, signer: Signer) -> LargeSigned:
    """Write `source` to `target`, signed as made by a model.

    Raises `CredentialError` where it cannot be signed or has credentials already, which can only be kept
    where the file fits into memory; `InputError` where a file cannot be read or written.
    """
    signer.require_current()
    definition = manifest_definition(claim) | {"label": (label := new_label())}
    try:
        with source.open("rb") as file:
            wave = _wave(file)
            if wave is not None and wave.found is not None:
                raise CredentialError(
                    "The file carries credentials already, and is too large to keep them as an ingredient.",
                    "Raise the limit max_bytes above its size.",
                )
            if wave is None or wave.end + _MOST_STORE > _LAST_SIZE:
                store = sign_apart(definition, Binding.of(_blocks(file, 0)), signer, Lineage().add_to)
                _write(target, _blocks(file, 0))
                return LargeSigned(store, label, embedded=False)
            return LargeSigned(_in_wave(file, wave, target, definition, signer), label, embedded=True)
    except c2pa.C2paError as error:
        raise CredentialError(
            f"The file could not be signed: {reason(error)}.", "Check the signer with: guard keys show."
        ) from error
    except OSError as error:
        raise InputError(
            f"{source} or {target}: {error.strerror}.", "Check path, rights and space."
        ) from error


def read_large(path: Path, trust: Trust, manifest: bytes | None = None) -> Credential:
    """What the credentials of a large file are worth, embedded in a WAV or given as `manifest`; see
    `guard.provenance.read.read`. Of other types, embedded ones are not looked for. Raises `InputError`."""
    try:
        with path.open("rb") as file:
            wave = _wave(file)
            hole = wave.found if wave and manifest is None else None
            if hole is not None:
                file.seek(hole.start + 8)
                manifest = file.read(hole.length - 8)
            if manifest is None:
                return absent()
            binding = binding_in(manifest)
            holes = () if hole is None else (hole,)
            fits = binding is not None and binding.holes == holes and binding.fits(_around(file, hole))
            return judge(manifest, trust, fits=fits)
    except (c2pa.C2paError, ValueError, RecursionError) as error:
        return unreadable(reason(error))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def _in_wave(file: BinaryIO, wave: _Wave, target: Path, definition: dict[str, Any], signer: Signer) -> bytes:
    add = Lineage().add_to
    trial = dry_run(definition, Binding.of([], Hole(wave.end, 1 << 14)), signer, add)
    for _ in range(3):
        size = len(Padded(trial).with_padding(0)) + _SLACK
        size += size % 2  # or a zero would have to follow, which is hashed by nobody
        head = b"RIFF" + (wave.end + size).to_bytes(4, "little")
        binding = Binding.of(_waved(file, wave, head), Hole(wave.end, 8 + size))
        trial = sign_apart(definition, binding, signer, add)
        missing = size - len(Padded(trial).with_padding(0))
        store = Padded(trial).with_padding(max(0, missing))
        if len(store) == size:
            chunk = b"C2PA" + size.to_bytes(4, "little") + store
            _write(target, chain(_waved(file, wave, head), [chunk]))
            return store
    raise CredentialError("The credentials come out in another size each time.", "Try again.")


def _wave(file: BinaryIO) -> _Wave | None:
    """The WAV in the file; None for other types and for one whose sizes are not true."""
    whole = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    size = int.from_bytes(head[4:8], "little")
    if head[:4] != b"RIFF" or head[8:] != b"WAVE" or size >= _LAST_SIZE or size + 8 != whole or size % 2:
        return None
    at = 12
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        chunk = file.read(8)
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"C2PA" and length <= _MOST_STORE:
            return _Wave(whole, Hole(at, 8 + length))
        at += 8 + length + length % 2
        if at >= whole:
            return _Wave(whole, None) if at == whole else None
    return None


def _blocks(file: BinaryIO, start: int, end: int | None = None) -> Iterator[bytes]:
    file.seek(start)
    left = (file.seek(0, os.SEEK_END) if end is None else end) - start
    file.seek(start)
    while left > 0 and (block := file.read(min(_BLOCK, left))):
        left -= len(block)
        yield block


def _around(file: BinaryIO, hole: Hole | None) -> Iterator[bytes]:
    yield from _blocks(file, 0, hole.start if hole else None)
    if hole is not None:
        yield from _blocks(file, hole.start + hole.length)


def _waved(file: BinaryIO, wave: _Wave, head: bytes) -> Iterator[bytes]:
    yield head
    yield from _blocks(file, len(head), wave.end)


def _write(target: Path, blocks: Iterable[bytes]) -> None:
    """Write the file whole or not at all."""
    temporary = target.with_name(f".guard-{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as out:
            for block in blocks:
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
