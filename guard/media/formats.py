"""The types Guard handles: their MIME names, file endings, and how to tell them by their first bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from guard.errors import UnsupportedMediaError

__all__ = [
    "HTML",
    "MARKDOWN",
    "PCM",
    "PCM_RATE",
    "PDF",
    "PLAIN_TEXT",
    "SVG",
    "Format",
    "Modality",
    "canonical_mime",
    "format_of",
    "mime_for_suffix",
    "name_foreign",
    "share_container",
    "sniff_binary",
]


class Modality(StrEnum):
    """The four kinds of media that Guard looks into, and documents, which it signs and verifies unseen."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class Format:
    """One type: its MIME name, its kind, the ending its files bear, FFmpeg's demuxer where one reads it, and
    whether Guard can look into it; types that it cannot are signed and verified by their bytes."""

    mime: str
    modality: Modality
    suffix: str
    demuxer: str | None = None
    decodable: bool = True


PLAIN_TEXT = "text/plain"
HTML = "text/html"
MARKDOWN = "text/markdown"
PDF, SVG = "application/pdf", "image/svg+xml"
PCM, PCM_RATE = "audio/pcm", 24_000
"""Samples without a header as the OpenAI API sends them: 16 bits, little endian, mono. No bytes show it."""

_FORMATS = {
    entry.mime: entry
    for entry in (
        Format(PLAIN_TEXT, Modality.TEXT, ".txt"),
        Format(HTML, Modality.TEXT, ".html"),
        Format(MARKDOWN, Modality.TEXT, ".md"),
        Format("image/png", Modality.IMAGE, ".png"),
        Format("image/jpeg", Modality.IMAGE, ".jpg"),
        Format("image/webp", Modality.IMAGE, ".webp"),
        Format("image/avif", Modality.IMAGE, ".avif"),
        Format("image/gif", Modality.IMAGE, ".gif"),
        Format("image/tiff", Modality.IMAGE, ".tiff"),
        Format("image/heic", Modality.IMAGE, ".heic", decodable=False),
        Format("image/jxl", Modality.IMAGE, ".jxl", decodable=False),
        Format(SVG, Modality.IMAGE, ".svg", decodable=False),
        Format(PDF, Modality.DOCUMENT, ".pdf", decodable=False),
        Format("audio/wav", Modality.AUDIO, ".wav", "wav"),
        Format("audio/flac", Modality.AUDIO, ".flac", "flac"),
        Format("audio/mpeg", Modality.AUDIO, ".mp3", "mp3"),
        Format("audio/mp4", Modality.AUDIO, ".m4a", "mov"),
        Format("audio/aac", Modality.AUDIO, ".aac", "aac"),
        Format("audio/ogg", Modality.AUDIO, ".ogg", "ogg"),
        Format(PCM, Modality.AUDIO, ".pcm", "s16le"),
        Format("audio/webm", Modality.AUDIO, ".weba", "matroska"),
        Format("video/mp4", Modality.VIDEO, ".mp4", "mov"),
        Format("video/quicktime", Modality.VIDEO, ".mov", "mov"),
        Format("video/webm", Modality.VIDEO, ".webm", "matroska"),
        Format("video/x-matroska", Modality.VIDEO, ".mkv", "matroska"),
        Format("video/x-msvideo", Modality.VIDEO, ".avi", "avi"),
    )
}
_SUFFIXES = {entry.suffix: entry.mime for entry in _FORMATS.values()} | {
    ".jpeg": "image/jpeg",
    ".apng": "image/png",
    ".heif": "image/heic",
    ".tif": "image/tiff",
    ".htm": HTML,
    ".markdown": MARKDOWN,
    ".csv": PLAIN_TEXT,
    ".json": PLAIN_TEXT,
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".m4b": "audio/mp4",
    ".m4v": "video/mp4",
}
_ALIASES = {
    "application/ogg": "audio/ogg",
    "audio/mp3": "audio/mpeg",
    "audio/opus": "audio/ogg",
    "audio/vnd.wave": "audio/wav",
    "audio/vorbis": "audio/ogg",
    "audio/wave": "audio/wav",
    "application/x-pdf": PDF,
    "audio/x-aac": "audio/aac",
    "audio/x-flac": "audio/flac",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/apng": "image/png",
    "image/heif": "image/heic",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/vnd.mozilla.apng": "image/png",
    "text/x-markdown": MARKDOWN,
    "video/avi": "video/x-msvideo",
    "video/matroska": "video/x-matroska",
    "video/msvideo": "video/x-msvideo",
    "video/x-m4v": "video/mp4",
}


def format_of(mime: str) -> Format:
    """The `Format` of a MIME type. Raises `UnsupportedMediaError` for types that Guard does not handle."""
    try:
        return _FORMATS[canonical_mime(mime)]
    except KeyError:
        raise UnsupportedMediaError(
            f"Guard does not handle the type {mime}.", f"Use one of {', '.join(sorted(_FORMATS))}."
        ) from None


def share_container(one: str, other: str) -> bool:
    """Whether two MIME types are kinds of one container, such as MP4 with and without pictures."""
    first, second = (_FORMATS.get(canonical_mime(mime)) for mime in (one, other))
    return bool(first and second and first.demuxer and first.demuxer == second.demuxer)


def canonical_mime(mime: str) -> str:
    """The name Guard uses for a MIME type: lower case, without parameters, aliases resolved."""
    name = mime.partition(";")[0].strip().lower()
    return _ALIASES.get(name, name)


def mime_for_suffix(suffix: str) -> str:
    """The MIME type that a file ending such as `.jpg` promises, for choosing an output format by its name.

    Never used to decide what given bytes are. Raises `UnsupportedMediaError` for endings that Guard does not
    know.
    """
    try:
        return _SUFFIXES[suffix.lower()]
    except KeyError:
        raise UnsupportedMediaError(
            f"No type that Guard writes ends in {suffix!r}.", f"Use one of {', '.join(sorted(_SUFFIXES))}."
        ) from None


_MP3_RATES = b"".join(rb"\x%x0-\x%xb" % (rate, rate) for rate in range(1, 15))
_SIGNATURES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"II\*\0|MM\0\*"), "image/tiff"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"RIFF....WAVE|(?:RF64|BW64)....WAVE", re.DOTALL), "audio/wav"),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), "video/x-msvideo"),
    (re.compile(rb"%PDF-[12]\.\d"), PDF),
    (re.compile(rb"\0\0\0\x0cJXL \r\n\x87\n"), "image/jxl"),
    (re.compile(rb"\xff\x0a"), "image/jxl"),
    (re.compile(rb"fLaC[\0\x80]"), "audio/flac"),
    (re.compile(rb"OggS\0"), "audio/ogg"),
    (re.compile(rb"ID3[\x02-\x04][\0-\x0f]"), "audio/mpeg"),
    (re.compile(rb"\xff[\xf0\xf1\xf8\xf9]"), "audio/aac"),
    # An MPEG audio frame: layer III, and neither version, bit rate nor sampling rate reserved.
    (re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb][" + _MP3_RATES + rb"]"), "audio/mpeg"),
)
_BEHIND_ID3 = tuple((p, mime) for p, mime in _SIGNATURES if mime in ("audio/flac", "audio/aac"))
_MP4_BRANDS = {
    "image/avif": (b"avif", b"avis"),
    "image/heic": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
    "video/quicktime": (b"qt  ",),
    "audio/mp4": (b"M4A ", b"M4B "),
    "video/mp4": (*b"isom iso2 iso3 iso4 iso5 iso6 iso7 iso8 iso9 mp41 mp42 avc1 dash MSNV".split(), b"M4V "),
}
_CODEC_ID = re.compile(rb"\x86[\x81-\xa0]([AV])_")
"""Matroska's element CodecID (RFC 9559 §5.1.4.1.21), whose values begin with the kind of the track."""
_HANDLER = re.compile(rb"hdlr.{4}\0{4}(vide|soun)|hdlr.{4}mhlr(vide|soun)", re.DOTALL)


def sniff_binary(data: bytes) -> str | None:
    """The MIME type that the first bytes of `data` show, or None where it is no binary type Guard handles."""
    if data[4:8] == b"ftyp":
        return _sniff_mp4(data)
    if data[:4] == b"\x1aE\xdf\xa3":
        return _sniff_matroska(data)
    for pattern, mime in _SIGNATURES:
        if pattern.match(data):
            return _without_video_in_ogg(data, _behind_id3(data, mime))
    return None


def _behind_id3(data: bytes, mime: str) -> str:
    """An ID3v2 tag stands before MP3 by custom, before FLAC where a C2PA manifest is kept in it, and before
    AAC in what was streamed."""
    if data[:3] != b"ID3":
        return mime
    size = 0
    for byte in data[6:10]:  # seven bits each (ID3v2.4 §6.2)
        size = size << 7 | byte & 0x7F
    return next((kind for pattern, kind in _BEHIND_ID3 if pattern.match(data, 10 + size)), mime)


def _sniff_mp4(data: bytes) -> str | None:
    """ISO base media (ISO/IEC 14496-12 §4.3): the major brand decides, then the compatible ones."""
    size = min(int.from_bytes(data[:4], "big"), 4096)
    brands = [data[8:12], *(data[i : i + 4] for i in range(16, size, 4))]
    for brand in brands:
        for mime, names in _MP4_BRANDS.items():
            if brand in names:
                return _by_tracks(data, mime)
    return None


def _by_tracks(data: bytes, mime: str) -> str:
    """An .m4a is often written with the general brands: without a picture track, an MP4 is sound."""
    kinds = {a or b for a, b in _HANDLER.findall(data)} if mime == "video/mp4" else set()
    return "audio/mp4" if kinds == {b"soun"} else mime


def _sniff_matroska(data: bytes) -> str | None:
    """EBML (RFC 8794): the document type, and for WebM whether any track carries pictures."""
    head = data[:64]
    if b"matroska" in head:
        return "video/x-matroska"
    if b"webm" not in head:
        return None
    codecs = set(_CODEC_ID.findall(data, 0, 1 << 20))
    return "audio/webm" if codecs == {b"A"} else "video/webm"


def _without_video_in_ogg(data: bytes, mime: str) -> str | None:
    return None if mime == "audio/ogg" and b"\x80theora" in data[:512] else mime


_FOREIGN = (
    (re.compile(rb"%PDF-"), "a PDF document of an unknown version"),
    (re.compile(rb"PK\x03\x04|PK\x05\x06"), "a ZIP archive (or an office document, or a Java archive)"),
    (re.compile(rb"Rar!\x1a\x07"), "a RAR archive"),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "a 7-Zip archive"),
    (re.compile(rb"\x1f\x8b\x08"), "gzip data"),
    (re.compile(rb"\xfd7zXZ\0"), "xz data"),
    (re.compile(rb"\x7fELF"), "an ELF program"),
    (re.compile(rb"MZ.{60}\0\0", re.DOTALL), "a Windows program"),
    (re.compile(rb"\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|\xce\xfa\xed\xfe"), "a Java class or macOS program"),
    (re.compile(rb"....ftypmif1", re.DOTALL), "a HEIF picture of an unknown coding"),
    (re.compile(rb"....(styp|moof|sidx)", re.DOTALL), "a media segment without its initialisation"),
    (re.compile(rb"\0\0\0\x0cjP  "), "a JPEG 2000 picture"),
    (re.compile(rb"II\+\0|MM\0\+"), "a BigTIFF picture"),
    (re.compile(rb"BM....\0\0\0\0", re.DOTALL), "a BMP picture"),
    (re.compile(rb"8BPS\0"), "a Photoshop document"),
    (re.compile(rb"\0\0\x01\0"), "a Windows icon"),
    (re.compile(rb"FLV\x01"), "a Flash video"),
    (re.compile(rb"FORM....AIF[FC]", re.DOTALL), "an AIFF sound"),
    (re.compile(rb"riff\x2e\x91\xcf\x11"), "a Wave64 sound"),
    (re.compile(rb"caff\0"), "a Core Audio sound"),
    (re.compile(rb"\.snd\0"), "a Sun AU sound"),
    (re.compile(rb"#!AMR"), "an AMR sound"),
    (re.compile(rb"MThd\0"), "a MIDI score"),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "a Windows Media file"),
    (re.compile(rb"OggS\0"), "an Ogg video"),
    (re.compile(rb"SQLite format 3\0"), "an SQLite database"),
)


def name_foreign(data: bytes) -> str | None:
    """What the first bytes show of the well-known types Guard does not handle, in words."""
    return next((name for pattern, name in _FOREIGN if pattern.match(data)), None)
