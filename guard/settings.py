"""Settings from the environment: every variable begins with GUARD_."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from guard.errors import ConfigurationError
from guard.media import Limits

__all__ = ["LimitSettings", "Settings", "load_settings"]

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
