"""The HTTP door: OpenAI's routes, guarded, and the verify path."""

from guard.api.app import create_app

__all__ = ["create_app"]
