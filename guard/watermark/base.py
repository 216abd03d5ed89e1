"""What every watermark engine offers: a 64-bit payload in, a reading with a p-value out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from guard.errors import InputError
from guard.media import Artifact, Modality

__all__ = ["Mark", "Payload", "Reading", "ReadingState", "Strength", "Watermarker"]


@dataclass(frozen=True, slots=True)
class Payload:
    """The 64-bit release id that marks carry, an unsigned integer below 2**64."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value < 1 << 64:
            raise InputError("A payload is an unsigned 64-bit number.", "Give 16 hexadecimal digits.")

    @classmethod
    def random(cls) -> Payload:
        """A payload nobody can guess: 64 bits from the system's random source."""
        return cls(secrets.randbits(64))

    @classmethod
    def from_hex(cls, text: str) -> Payload:
        """The payload written as exactly 16 hexadecimal digits."""
        if len(text) != 16 or any(c not in "0123456789abcdefABCDEF" for c in text):
            raise InputError(f"{text!r} is not a payload.", "Give 16 hexadecimal digits: 0123456789abcdef.")
        return cls(int(text, 16))

    @property
    def hex(self) -> str:
        """16 lower-case hexadecimal digits."""
        return f"{self.value:016x}"

    @property
    def short_id(self) -> int:
        """The upper 32 bits, which engines of 32 bits carry and the ledger resolves."""
        return self.prefix(32)

    def prefix(self, bits: int) -> int:
        """The upper `bits` bits: what a mark that holds no more carries, `Reading.short_id` as it reads."""
        return self.value >> (64 - bits)


class Strength(StrEnum):
    """How loud a mark is: three named steps, since engines measure loudness differently."""

    INVISIBLE = "invisible"
    DEFAULT = "default"
    ROBUST = "robust"


class ReadingState(StrEnum):
    """What a read concluded.

    `CANDIDATE` is the honest answer of engines without a presence test: bits came out, and only a ledger
    can tell whether they mean anything.
    """

    FOUND = "found"
    ABSENT = "absent"
    CANDIDATE = "candidate"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Reading:
    """What an engine read. `p_value` is the chance that unmarked media would read this well,
    over every hypothesis the search tried; None where the engine cannot say.

    `geometry` takes a displacement (x, y) in the picture at hand to one in the picture as it was marked, in
    pixels of the latter; None where the engine does not follow geometry. `short_id` are the upper
    `short_bits` bits of the payload, where the engine carries or read no more.
    """

    state: ReadingState
    engine: str | None = None
    payload: Payload | None = None
    short_id: int | None = None
    p_value: float | None = None
    quality: float | None = None
    key_index: int | None = None
    geometry: tuple[tuple[float, float], tuple[float, float]] | None = None
    short_bits: int = 32

    @property
    def chance(self) -> str:
        """The p-value for people, such as "p = 3e-19"; empty where there is none."""
        if self.p_value is None:
            return ""
        # 0 is what is left of a number too small for floating point.
        return f"p = {self.p_value:.0e}" if self.p_value else "p < 1e-300"


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark that was embedded: what the ledger records and the credential's soft binding names.

    `payload` is None for marks that carry none: those in a text's choice of words.
    """

    engine: str
    alg: str
    payload: Payload | None


class Watermarker(Protocol):
    """Embeds a payload in artifacts of one modality and reads it back."""

    @property
    def name(self) -> str: ...
    @property
    def modality(self) -> Modality: ...
    @property
    def alg(self) -> str:
        """The name of this algorithm in a C2PA soft binding."""

    def embed(self, artifact: Artifact, payload: Payload, *, key: bytes, strength: Strength) -> Artifact:
        """A marked copy in the same format. Raises `MarkError` if the artifact cannot carry the payload."""

    def read(self, artifact: Artifact, *, keys: Sequence[bytes]) -> Reading:
        """The reading under the first of `keys` that gives one; never raises for unmarked media."""
