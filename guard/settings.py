"""Settings from the environment: every variable begins with GUARD_."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

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

if TYPE_CHECKING:
    from guard.provenance.keys import KeyStore

__all__ = ["AudioSealSettings", "LimitSettings", "SandboxSettings", "Settings", "load_settings"]

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
_Host = Annotated[str, StringConstraints(pattern=r"^(\*\.)?[a-z0-9.-]+$", to_lower=True)]
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


class SandboxSettings(BaseModel):
    """What reading a stranger's credentials may take; `GUARD_SANDBOX__WORKERS` and so on."""

    workers: int = Field(default=2, gt=0)
    seconds: float = Field(default=10.0, gt=0)
    memory_mb: int = Field(default=512, ge=64)


class Settings(BaseSettings):
    """Where Guard keeps its state and how it behaves."""

    model_config = SettingsConfigDict(
        env_prefix="GUARD_", env_nested_delimiter="__", frozen=True, extra="ignore"
    )

    home: Path = Field(default_factory=lambda: user_data_path("guard"))
    ledger_url: str | None = None
    log_origin: str = Field(default="guard.local/log", pattern=r"^[^\s+]+$")
    retention_days: int | None = Field(default=None, gt=0)
    policy: Path | None = None
    blocklist: Path | None = None
    engine: str = "tile"
    audio_engine: str = "dipole"
    audioseal: AudioSealSettings = AudioSealSettings()
    text_mark: Scheme | None = None
    text_models: Annotated[tuple[_LocalName, ...], NoDecode, BeforeValidator(_split)] = ()
    text_classifiers: Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_split)] = ()
    transcriber: _LocalName | None = None
    trust: Path | None = None
    trust_official: bool = True
    trust_url: str | None = Field(default=None, pattern=r"^https://")
    trust_tsa_url: str | None = Field(default=None, pattern=r"^https://")
    trust_days: int = Field(default=180, gt=0)
    credential_hosts: Annotated[tuple[_Host, ...], NoDecode, BeforeValidator(_split)] = ()
    redact_inputs: bool = False
    reference_hosts: Annotated[tuple[_Host, ...], NoDecode, BeforeValidator(_split)] = ()
    sandbox: SandboxSettings = SandboxSettings()
    signer: str | None = None
    signer_certificates: Path | None = None
    signer_passphrase: SecretStr | None = None
    signer_passphrase_file: Path | None = None
    timestamps: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ()
    upstream: str | None = None
    upstream_api_key: SecretStr | None = None
    limits: LimitSettings = LimitSettings()

    @property
    def database(self) -> str:
        """The ledger's SQLAlchemy URL: SQLite under `home` unless set."""
        return self.ledger_url or f"sqlite:///{self.home / 'ledger.db'}"

    def key_store(self) -> KeyStore:
        """The keys under `home`, with the signer and the time-stamping authorities that the settings name."""
        from guard.provenance.keys import KeyStore, SignerSource
        from guard.provenance.signers.address import KeyAddress
        from guard.provenance.timestamp import TimestampAuthority

        if (self.signer is None) != (self.signer_certificates is None):
            raise ConfigurationError(
                "GUARD_SIGNER and GUARD_SIGNER_CERTIFICATES go together.", "Set both, or neither."
            )
        secret = self.signer_secret()
        address = None if self.signer is None else KeyAddress(self.signer, secret)
        timestamps = tuple(TimestampAuthority(url) for url in self.timestamps)
        return KeyStore(self.home, SignerSource(address, self.signer_certificates, secret, timestamps))

    def signer_secret(self) -> str | None:
        """What unlocks the signing key: the passphrase of a file, the PIN of a token; None without one."""
        if self.signer_passphrase is not None:
            return self.signer_passphrase.get_secret_value()
        if self.signer_passphrase_file is None:
            return None
        try:
            return self.signer_passphrase_file.read_text(encoding="utf-8").rstrip("\n")
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(
                f"{self.signer_passphrase_file} cannot be read.", "Correct GUARD_SIGNER_PASSPHRASE_FILE."
            ) from error


def load_settings() -> Settings:
    """The settings. Raises `ConfigurationError` naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "GUARD_" + "__".join(str(part).upper() for part in first["loc"])
        raise ConfigurationError(f"{name} is wrong: {first['msg']}.", "Correct it or unset it.") from error
