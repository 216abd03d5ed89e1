"""Settings from the environment: every variable begins with GUARD_."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from platformdirs import user_data_path
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from guard.errors import ConfigurationError
from guard.media import Limits
from guard.tokenmarks import Scheme
from guard.watermark.audioseal_nets import Checkpoint

__all__ = ["AudioSealSettings", "LimitSettings", "Settings", "load_settings"]

_DEFAULTS = Limits()


class LimitSettings(BaseModel):
    """How large an input may be; `GUARD_LIMITS__MAX_BYTES` and so on."""

    max_bytes: int = Field(default=_DEFAULTS.max_bytes, gt=0)
    max_pixels: int = Field(default=_DEFAULTS.max_pixels, gt=0)
    max_frames: int = Field(default=_DEFAULTS.max_frames, gt=0)
    max_total_pixels: int = Field(default=_DEFAULTS.max_total_pixels, gt=0)
    max_video_frames: int = Field(default=_DEFAULTS.max_video_frames, gt=0)
    max_duration: float = Field(default=_DEFAULTS.max_duration, gt=0)
    max_expansion: float = Field(default=_DEFAULTS.max_expansion, gt=1)

    def limits(self) -> Limits:
        """The limits as the media layer takes them."""
        return Limits(**self.model_dump())


def _split(value: object) -> object:
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


_LocalName = Annotated[str, StringConstraints(pattern=r"^local:.")]
_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$", to_lower=True)]


class AudioSealSettings(BaseModel):
    """AudioSeal's checkpoints and their sha256; `GUARD_AUDIOSEAL__GENERATOR` and so on."""

    generator: Path | None = None
    generator_sha256: _Sha256 | None = None
    detector: Path | None = None
    detector_sha256: _Sha256 | None = None

    @model_validator(mode="after")
    def _each_pinned(self) -> Self:
        for part in ("generator", "detector"):
            if (getattr(self, part) is None) != (getattr(self, f"{part}_sha256") is None):
                raise ValueError(f"the {part}'s file and its sha256 go together")
        return self

    def checkpoints(self) -> dict[str, Checkpoint]:
        """Those that are set, as the registry of engines takes them."""
        pairs = {
            "generator": (self.generator, self.generator_sha256),
            "detector": (self.detector, self.detector_sha256),
        }
        return {part: Checkpoint(path, sha256) for part, (path, sha256) in pairs.items() if path and sha256}


class Settings(BaseSettings):
    """Where Guard keeps its state and how it behaves."""

    model_config = SettingsConfigDict(
        env_prefix="GUARD_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    home: Path = Field(default_factory=lambda: user_data_path("guard"))
    ledger_url: str | None = None
    policy: Path | None = None
    blocklist: Path | None = None
    engine: str = "tile"
    audio_engine: str = "dipole"
    audioseal: AudioSealSettings = AudioSealSettings()
    text_mark: Scheme | None = None
    text_models: Annotated[tuple[_LocalName, ...], NoDecode, BeforeValidator(_split)] = ()
    transcriber: _LocalName | None = None
    trust: Path | None = None
    upstream: str | None = None
    upstream_api_key: SecretStr | None = None
    limits: LimitSettings = LimitSettings()

    @property
    def database(self) -> str:
        """The ledger's SQLAlchemy URL: SQLite under `home` unless set."""
        return self.ledger_url or f"sqlite:///{self.home / 'ledger.db'}"


def load_settings() -> Settings:
    """The settings. Raises `ConfigurationError` naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "GUARD_" + "__".join(str(part).upper() for part in first["loc"])
        raise ConfigurationError(f"{name} is wrong: {first['msg']}.", "Correct it or unset it.") from error
