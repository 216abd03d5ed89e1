"""Signed notes (c2sp.org/signed-note) and cosignatures (c2sp.org/tlog-cosignature), in Ed25519."""

from __future__ import annotations

import base64
import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from guard.errors import InputError, KeyStoreError, LedgerError

__all__ = ["COSIGNATURE", "PLAIN", "Note", "NoteSigner", "Signature", "VerifierKey", "cosign", "new_key"]

PLAIN, COSIGNATURE = 0x01, 0x04
"""Types of signatures: of a note's text, and of a witness, with the time at which it signed."""

_NAME = re.compile(r"[^\s+]+")
_LINE = re.compile(r"— (\S+) ([A-Za-z0-9+/]+={0,2})")
_MOST_LINES = 64
_SECRET = "PRIVATE+KEY+"  # noqa: S105 - how the encoding of a signer's key begins
_TIME_BYTES = 8


def _key_id(name: str, kind: int, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise InputError("A key or signature is not base64.") from error


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by name, as `NAME+ID+BASE64` in print; `kind` is the type of signature that it checks."""

    name: str
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Raises `InputError` where the text is no such key, or its parts disagree."""
        name, _, rest = text.strip().partition("+")
        key_id, _, material = rest.partition("+")
        data = _decode(material)
        if not _NAME.fullmatch(name) or len(data) != 33 or data[0] not in (PLAIN, COSIGNATURE):
            raise InputError(f"{text[:80]!r} is no verifier key.", "It reads NAME+ID+BASE64, for Ed25519.")
        key = cls(name, data[0], data[1:])
        if key.id.hex() != key_id.lower():
            raise InputError(f"The verifier key of {name!r} is damaged.", "Its id does not fit.")
        return key

    @property
    def id(self) -> bytes:
        """Four bytes by which a signature names its key."""
        return _key_id(self.name, self.kind, self.public)

    def __str__(self) -> str:
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{material}"

    def check(self, signature: Signature, text: str) -> None:
        """Raise `LedgerError` unless this key made the signature of this text."""
        message, proof = text.encode(), signature.proof
        if self.kind == COSIGNATURE:
            message = f"cosignature/v1\ntime {signature.time}\n".encode() + message
            proof = proof[_TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(proof, message)
        except InvalidSignature as error:
            raise LedgerError(f"The signature of {self.name!r} does not fit.") from error


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who signed, with which key, and the signature itself."""

    name: str
    key_id: bytes
    proof: bytes

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Raises `InputError` for what is no signature line."""
        match = _LINE.fullmatch(line.rstrip("\n"))
        data = _decode(match[2]) if match else b""
        if match is None or len(data) <= 4:
            raise InputError("A line of the note is no signature.", "It reads: — NAME BASE64")
        return cls(match[1], data[:4], data[4:])

    @property
    def time(self) -> int:
        """When a witness signed, in seconds since 1970."""
        return int.from_bytes(self.proof[:_TIME_BYTES], "big")

    def __str__(self) -> str:
        return f"— {self.name} {base64.b64encode(self.key_id + self.proof).decode()}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text, which ends in a newline, and its signatures."""

    text: str
    signatures: tuple[Signature, ...] = ()

    @classmethod
    def parse(cls, data: str) -> Note:
        """Raises `InputError` where `data` is no signed note."""
        text, gap, lines = data.rpartition("\n\n")
        if not gap or not lines.endswith("\n") or any(c < " " and c != "\n" for c in data):
            raise InputError("This is no signed note.", "It is a text, an empty line, and signatures.")
        signatures = lines[:-1].split("\n")
        if len(signatures) > _MOST_LINES:
            raise InputError("The note has too many signatures.")
        return cls(text + "\n", tuple(map(Signature.parse, signatures)))

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    def signers(self, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
        """Those of `keys` that signed. Raises `LedgerError` where one of their signatures is wrong."""
        known = {(key.name, key.id): key for key in keys}
        found = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is not None:
                key.check(signature, self.text)
                found.append(key)
        return found


class NoteSigner:
    """Signs notes with a key in the encoding of Go's sumdb/note: `PRIVATE+KEY+NAME+ID+BASE64`."""

    def __init__(self, text: str) -> None:
        name, _, rest = text.strip().removeprefix(_SECRET).partition("+")
        key_id, _, material = rest.partition("+")
        try:
            data = _decode(material)
        except InputError:
            data = b""
        if not text.startswith(_SECRET) or len(data) != 33 or data[0] != PLAIN:
            raise KeyStoreError("The log's signing key is damaged.", "Restore it from a backup.")
        self._key = Ed25519PrivateKey.from_private_bytes(data[1:])
        self.verifier = VerifierKey(name, PLAIN, self._key.public_key().public_bytes_raw())
        if self.verifier.id.hex() != key_id:
            raise KeyStoreError("The log's signing key is damaged.", "Restore it from a backup.")

    @property
    def origin(self) -> str:
        """The key's name, which is the log's."""
        return self.verifier.name

    def sign(self, text: str) -> str:
        """The signed note."""
        signature = Signature(self.origin, self.verifier.id, self._key.sign(text.encode()))
        return str(Note(text, (signature,)))


def new_key(name: str) -> str:
    """A fresh signing key. Raises `InputError` where nobody may have that name."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a log.", "Take something like example.com/log: no space, no +."
        )
    secret = Ed25519PrivateKey.generate()
    key_id = _key_id(name, PLAIN, secret.public_key().public_bytes_raw())
    material = base64.b64encode(bytes([PLAIN]) + secret.private_bytes_raw()).decode()
    return f"{_SECRET}{name}+{key_id.hex()}+{material}"


def cosign(note: Note, name: str, key: Ed25519PrivateKey, at: int | None = None) -> Signature:
    """What a witness adds to a checkpoint that it found consistent with all it saw before."""
    moment = int(time.time()) if at is None else at
    public = key.public_key().public_bytes_raw()
    proof = key.sign(f"cosignature/v1\ntime {moment}\n{note.text}".encode())
    return Signature(name, _key_id(name, COSIGNATURE, public), moment.to_bytes(_TIME_BYTES, "big") + proof)
