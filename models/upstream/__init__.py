"""Models behind an OpenAI-compatible API."""

from models.upstream.client import Upstream
from models.upstream.generator import UpstreamGenerator
from models.upstream.messages import Answer, Body, Event, EventStream, File, Form, RawAnswer, RawStream

__all__ = [
    "Answer",
    "Body",
    "Event",
    "EventStream",
    "File",
    "Form",
    "RawAnswer",
    "RawStream",
    "Upstream",
    "UpstreamGenerator",
]
