"""The media object that everything else handles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from guard.errors import InputError, MalformedMediaError, UnsupportedMediaError
from guard.media.formats import (
    HTML,
    MARKDOWN,
    PCM,
    PLAIN_TEXT,
    SVG,
    Modality,
    canonical_mime,
    format_of,
    name_foreign,
    share_container,
    sniff_binary,
)
from guard.media.limits import Limits
from guard.media.structure import check_structure
from guard.media.text import decode_text, encode_text, looks_binary, sniff_file, sniff_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from guard.media.picture import Picture
    from guard.media.stream import Samples, VideoFrame

__all__ = ["Artifact", "Limits", "Modality"]

_DEFAULT = Limits()
_LIKE_PCM = frozenset({None, "audio/mpeg", "audio/aac"})
"""What samples without a header may be taken for: nothing, or a type that is told by two bytes."""
_TEXTS = frozenset({PLAIN_TEXT, HTML, MARKDOWN, SVG})
_TEXT_CLAIMS = frozenset(
    {"application/json", "application/xml", "application/javascript", "application/x-ndjson"}
)


@dataclass(frozen=True)
class Artifact:
    """One media object: what it is, its bytes, and its decoded views on demand.

    The constructor takes its arguments at their word; `from_bytes` and `from_path` are for bytes of unknown
    origin. The views (`text`, `picture`, `samples`, `frames`) check limits while they decode, raise
    `MalformedMediaError` for corrupt bytes, and `UnsupportedMediaError` where the artifact is of another
    kind.
    """

    modality: Modality
    mime: str
    data: bytes = field(repr=False)
    limits: Limits = field(default_factory=Limits, compare=False, repr=False)
    flaw: InputError | None = field(default=None, compare=False, repr=False)
    """Why nothing may look into it, which every view raises."""

    @classmethod
    def from_bytes(
        cls,
        data: bytes,
        *,
        limits: Limits = _DEFAULT,
        claimed: str | None = None,
        even_flawed: bool = False,
    ) -> Artifact:
        """The artifact that these bytes are, told by their content; `claimed` is the MIME type a sender
        named. Only `audio/pcm` and Markdown are taken for what they claim to be: their bytes tell nothing.

        Raises `LimitExceededError` where they are too large, `MalformedMediaError` where they are empty, cut
        short or hold a second format, and `UnsupportedMediaError` for types that Guard does not handle and
        for a content other than the claimed one. With `even_flawed`, a file that is cut short, holds two
        formats or has a bad header is an artifact all the same, known by its hash and its credentials: its
        views raise the flaw.
        """
        limits.check_bytes(len(data))
        mime = _sniff(data, claimed)
        _check_claim(mime, claimed)
        flaw = None
        try:
            _check_soundness(data, mime, limits)
        except InputError as error:
            if not even_flawed:
                raise
            flaw = error
        return cls(format_of(mime).modality, mime, data, limits, flaw)

    @classmethod
    def from_text(cls, text: str, *, limits: Limits = _DEFAULT) -> Artifact:
        """The artifact of a text, as UTF-8. Raises `MalformedMediaError` for characters that no text
        holds."""
        data = encode_text(text)
        limits.check_bytes(len(data))
        return cls(Modality.TEXT, sniff_text(text), data, limits)

    @classmethod
    def from_path(
        cls,
        path: str | Path,
        *,
        limits: Limits = _DEFAULT,
        claimed: str | None = None,
        even_flawed: bool = False,
    ) -> Artifact:
        """The artifact in a file, whatever its name. Raises `InputError` where there is no readable file."""
        data = _read(Path(path), limits)
        return cls.from_bytes(data, limits=limits, claimed=claimed, even_flawed=even_flawed)

    @classmethod
    def from_picture(
        cls,
        picture: Picture,
        mime: str,
        *,
        quality: int | None = None,
        limits: Limits = _DEFAULT,
    ) -> Artifact:
        """The artifact of a picture, written as `mime` by `guard.media.encode.encode`, whose errors it
        raises."""
        from guard.media.encode import encode

        return cls(Modality.IMAGE, canonical_mime(mime), encode(picture, mime, quality=quality), limits)

    @classmethod
    def from_samples(
        cls, samples: Samples, mime: str, *, like: Artifact | None = None, limits: Limits = _DEFAULT
    ) -> Artifact:
        """The artifact of a sound, written as `mime` by `guard.media.sound.encode_sound`, whose errors it
        raises.

        `like` is the artifact that the sound came from: its codec, depth, bits a second and tags are kept.
        """
        data, rate = samples.data, samples.rate
        channels = data.shape[1] if data.ndim == 2 else 0
        return cls.from_blocks([data], rate, channels, mime, like=like, limits=limits)

    @classmethod
    def from_blocks(
        cls,
        blocks: Iterable[NDArray[np.float32]],
        rate: int,
        channels: int,
        mime: str,
        *,
        like: Artifact | None = None,
        limits: Limits = _DEFAULT,
    ) -> Artifact:
        """As `from_samples`, for a sound that comes block after block and is never held as a whole."""
        from guard.media.sound import encode_sound

        source = (like.data, like.mime) if like else None
        encoded = encode_sound(blocks, rate, channels, mime, source)
        limits.check_bytes(len(encoded))
        return cls(Modality.AUDIO, canonical_mime(mime), encoded, limits)

    @cached_property
    def sha256(self) -> str:
        """Hash of the bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def suffix(self) -> str:
        """The ending that files of this type bear, such as `.jpg`."""
        return format_of(self.mime).suffix

    @property
    def decodable(self) -> bool:
        """Whether Guard can look into it; if not, it is known by its bytes and its credentials alone."""
        return self.modality is Modality.TEXT or format_of(self.mime).decodable

    @cached_property
    def text(self) -> str:
        """The text's code points, exactly as they are in the file but for a leading byte order mark."""
        self._expect(Modality.TEXT)
        return decode_text(self.data)

    @cached_property
    def picture(self) -> Picture:
        """The decoded picture, upright, with all its frames."""
        self._expect(Modality.IMAGE)
        from guard.media.decode import decode

        return decode(self.data, self.mime, self.limits)

    @cached_property
    def samples(self) -> Samples:
        """The decoded sound: float32 (n, channels) in [-1, 1], at its own rate. Of a video, its sound
        track."""
        self._expect(Modality.AUDIO, Modality.VIDEO)
        from guard.media.stream import decode_samples

        return decode_samples(self.data, self.mime, self.limits)

    def sound_blocks(self) -> Iterator[Samples]:
        """What `samples` gives, block after block, so that an hour of it need not be held at once."""
        self._expect(Modality.AUDIO, Modality.VIDEO)
        from guard.media.stream import decode_blocks

        return decode_blocks(self.data, self.mime, self.limits)

    @cached_property
    def duration(self) -> float:
        """How long the sound or video lasts, in seconds."""
        self._expect(Modality.AUDIO, Modality.VIDEO)
        from guard.media.stream import duration

        return duration(self.data, self.mime, self.limits)

    def frames(self) -> Iterator[VideoFrame]:
        """The video's frames one after the other, each upright RGB uint8 (H, W, 3) with its time in
        seconds."""
        self._expect(Modality.VIDEO)
        from guard.media.stream import decode_frames

        return decode_frames(self.data, self.mime, self.limits)

    def decode(self) -> None:
        """Decode a picture or text now, so that bad ones come to light here; sound and video are not held.

        Raises `UnsupportedMediaError` for types that Guard cannot look into.
        """
        if self.flaw:
            raise self.flaw
        if not self.decodable:
            raise _opaque(self.mime)
        if self.modality is Modality.IMAGE:
            self.picture  # noqa: B018
        elif self.modality is Modality.TEXT:
            self.text  # noqa: B018

    def _expect(self, *kinds: Modality) -> None:
        if self.modality not in kinds:
            raise UnsupportedMediaError(
                f"This is {self.mime}, not {' or '.join(kinds)}.",
                "Ask for a view that this kind of media has.",
            )
        if self.flaw:
            raise self.flaw
        if not self.decodable:
            raise _opaque(self.mime)


def _opaque(mime: str) -> UnsupportedMediaError:
    return UnsupportedMediaError(
        f"Guard cannot look into {mime}: it is neither screened nor marked.",
        "Convert it first, for example to PNG; or sign it unseen with: guard credential sign",
    )


def _check_soundness(data: bytes, mime: str, limits: Limits) -> None:
    check_structure(data, mime)
    kind = format_of(mime)
    if kind.modality is Modality.IMAGE and kind.decodable:
        from guard.media.decode import check_header

        check_header(data, mime, limits)


def _sniff(data: bytes, claimed: str | None) -> str:
    if not data:
        raise MalformedMediaError("The input is empty: zero bytes.", "Send the file's content.")
    mime = sniff_binary(data)
    if claimed and canonical_mime(claimed) == PCM and mime in _LIKE_PCM:
        return PCM
    if mime:
        return mime
    if foreign := name_foreign(data):
        raise UnsupportedMediaError(f"The input is {foreign}.", "Send a picture, a sound, a video or a text.")
    if looks_binary(data) and not (claimed and _is_text(claimed)):
        raise UnsupportedMediaError(
            "The input is of no type that Guard knows.", "Send a picture, a sound, a video or a text."
        )
    mime = sniff_file(decode_text(data))
    return MARKDOWN if mime == PLAIN_TEXT and claimed and canonical_mime(claimed) == MARKDOWN else mime


def _is_text(claimed: str) -> bool:
    return canonical_mime(claimed).startswith("text/") or canonical_mime(claimed) in _TEXT_CLAIMS


def _check_claim(mime: str, claimed: str | None) -> None:
    """A sender that names nothing, or only "some bytes", claims nothing."""
    if claimed is None or canonical_mime(claimed) in {"", "application/octet-stream", mime}:
        return
    # Any text type may hold any text; and senders go by a file's ending, which sound and video may share.
    fits = mime in _TEXTS if _is_text(claimed) else share_container(claimed, mime)
    if fits:
        return
    raise UnsupportedMediaError(
        f"The input claims to be {claimed} but is {mime}.", f"Send it as {mime}, or send what the type says."
    )


def _read(path: Path, limits: Limits) -> bytes:
    """The file's bytes; its size is known before any is read, and a device or pipe is never opened."""
    try:
        if not path.is_file():
            raise InputError(f"{path} is not a file.", "Name a file that exists.")
        limits.check_bytes(path.stat().st_size)
        with path.open("rb") as file:
            data = file.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"{path} cannot be read: {reason}.", "Check the path and its permissions.") from None
    limits.check_bytes(len(data))
    return data
