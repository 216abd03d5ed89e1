"""Models behind an OpenAI-compatible API."""

from models.upstream.client import Upstream
from models.upstream.generator import UpstreamGenerator

__all__ = ["Upstream", "UpstreamGenerator"]
