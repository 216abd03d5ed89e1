"""Sound that callers send to have it written down, and the models that Guard hosts for that."""

from __future__ import annotations

from typing import Any

from guard.api.asked import Asked
from guard.api.errors import ApiError
from guard.api.sound.cues import srt, vtt
from guard.api.sound.transcripts import Heard
from guard.errors import UnsupportedMediaError
from guard.media import Artifact, Limits, Modality
from models.base import Transcriber, Transcript
from models.upstream import Form

__all__ = ["heard", "sound_in"]


def sound_in(asked: Asked, limits: Limits) -> Artifact:
    """The sound, or video, in the form's field `file`; read, it can still be sent on.

    Raises `ApiError` where there is not exactly one, and `InputError` for what is no sound, or too long.
    """
    files = (
        [file for file in asked.body.files if file.field == "file"] if isinstance(asked.body, Form) else []
    )
    if len(files) != 1 or isinstance(files[0].data, bytes):
        raise ApiError(400, "The form must have one file, in its field 'file'.", param="file")
    data = files[0].data.read()
    files[0].data.seek(0)
    sound = Artifact.from_bytes(data, limits=limits)
    if sound.modality not in (Modality.AUDIO, Modality.VIDEO):
        raise UnsupportedMediaError(f"The file is {sound.mime}, and no sound.", "Send a sound, or a video.")
    limits.check_duration(sound.duration)
    return sound


def heard(model: Transcriber, sound: Artifact, asked: Asked, path: str, kind: str) -> Heard:
    """What one of our models hears, in OpenAI's form of that `kind`. Raises what the model does."""
    if path.endswith("translations"):
        raise ApiError(400, f"The model {asked.model} writes down what is said, and translates nothing.")
    if kind == "diarized_json":
        message = f"The model {asked.model} cannot tell who speaks."
        raise ApiError(400, message, param="response_format")
    transcript = model.transcribe(sound, language=asked.fields.get("language") or None)
    if kind in ("srt", "vtt") and not asked.stream:
        return (srt if kind == "srt" else vtt)(transcript.segments)
    if kind == "text" and not asked.stream:
        return f"{transcript.text}\n" if transcript.text else ""
    return _object(transcript, sound, verbose=kind == "verbose_json")


def _object(transcript: Transcript, sound: Artifact, *, verbose: bool) -> dict[str, Any]:
    if not verbose:
        return {"text": transcript.text}
    segments = [
        {"id": number, "start": each.start, "end": each.end, "text": each.text}
        for number, each in enumerate(transcript.segments)
    ]
    return {
        "task": "transcribe",
        "language": transcript.language,
        "duration": sound.duration,
        "text": transcript.text,
        "segments": segments,
    }
