"""Teaches schemathesis to send bodies of the type that the Soft Binding Resolution API stores."""

from __future__ import annotations

import schemathesis


@schemathesis.serializer("application/c2pa")
def stores(_: schemathesis.SerializationContext, value: object) -> bytes | None:
    """Bytes as they are; what is none goes as its text."""
    return value if isinstance(value, bytes) else str(value).encode()
