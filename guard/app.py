"""Puts the parts together as the settings say: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path

from detectors.base import Detector
from detectors.blocklist import Blocklist
from detectors.registry import load_all
from detectors.spoken import Spoken
from guard.errors import ConfigurationError, InputError, ModelNotFoundError
from guard.ledger import Ledger
from guard.media import Modality
from guard.pipeline import Guard
from guard.provenance.keys import KeyStore
from guard.settings import Settings
from guard.tokenmarks import Scheme
from guard.trace import Trace
from guard.verify import Verifier
from guard.watermark import Watermarker
from guard.watermark.registry import engine
from guard.watermark.tokens import token_watermarker
from models.base import Transcriber
from models.local.checkpoint import locate
from models.registry import load_transcriber
from policies.policy import default, load

__all__ = ["App", "open_app"]


_ENGINES = {Modality.IMAGE: "engine", Modality.AUDIO: "audio_engine"}
"""The setting that names the engine for each kind of media."""

SYNTHETIC = "synthetic"
"""The signal of detectors that tell generated media from captured ones: the only ones a verdict asks."""


@dataclass(frozen=True)
class App:
    """Guard and Verifier over one ledger and one key store; `ears` loads the transcriber, where one is set,
    when first called."""

    settings: Settings
    keys: KeyStore
    ledger: Ledger
    detectors: tuple[Detector, ...]
    ears: Callable[[], Transcriber] | None = None

    def guard(self, trace: Trace = nullcontext) -> Guard:
        """The release path. Raises `KeyStoreError` where there are no keys yet."""
        return Guard(
            policy=load(self.settings.policy) if self.settings.policy else default(),
            detectors=self.detectors,
            watermarkers={modality: self._engine(modality) for modality in _ENGINES},
            mark_key=self.keys.mark_keys()[0],
            signer=self.keys.signer(),
            anchors=self.keys.anchors(),
            ledger=self.ledger,
            trace=trace,
            text_mark=self.settings.text_mark,
        )

    def verifier(self, extra_anchors: str = "", trace: Trace = nullcontext) -> Verifier:
        """The verify path, which works without keys of its own too."""
        has_keys = self.keys.folder.is_dir()
        anchors = [self.keys.anchors() if has_keys else "", self._trusted(), extra_anchors]
        return Verifier(
            anchors="\n".join(anchor for anchor in anchors if anchor),
            ledger=self.ledger,
            watermarkers=self._readers(),
            mark_keys=self.keys.mark_keys() if has_keys else (),
            detectors=[d for d in self.detectors if d.card.signal == SYNTHETIC],
            trace=trace,
        )

    def _readers(self) -> list[Watermarker]:
        """The engines to read with, those of the settings first: marks of the default engines may be on older
        releases whatever the settings say today."""
        ours = {watermarker.name: watermarker for watermarker in map(self._engine, _ENGINES)}
        ours |= {name: engine(name) for name in ("tile", "dipole") if name not in ours}
        return [*ours.values(), *_of_texts(self.settings.text_models)]

    def _engine(self, modality: Modality) -> Watermarker:
        setting = _ENGINES[modality]
        variable = f"GUARD_{setting.upper()}"
        try:
            watermarker = engine(getattr(self.settings, setting), **self.settings.audioseal.checkpoints())
        except InputError as error:
            raise ConfigurationError(f"{variable}: {error.message}", error.remedy) from error
        if watermarker.modality is not modality:
            raise ConfigurationError(
                f"{variable}: the engine '{watermarker.name}' marks {watermarker.modality}, not {modality}.",
                "Name an engine for this kind of media.",
            )
        return watermarker

    def _trusted(self) -> str:
        if self.settings.trust is None:
            return ""
        try:
            return self.settings.trust.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(
                f"{self.settings.trust} cannot be read.", "Set GUARD_TRUST to a PEM file."
            ) from error


@lru_cache(maxsize=4)
def _of_texts(models: tuple[str, ...]) -> Sequence[Watermarker]:
    """What reads the marks of each of these models, whichever scheme it used. Loads their tokenizers."""
    among = len(models) * len(Scheme)
    try:
        folders = [locate(name.removeprefix("local:")).folder for name in models]
        return [token_watermarker(scheme, folder, among) for folder in folders for scheme in Scheme]
    except ModelNotFoundError as error:
        raise ConfigurationError(f"GUARD_TEXT_MODELS: {error.message}", error.remedy) from error


def _detectors(settings: Settings, ears: Callable[[], Transcriber] | None) -> tuple[Detector, ...]:
    """Every installed detector, and those of text on spoken words where there are ears for them.

    One that does not start leaves its signal without a score, and a rule that asks for the score then follows
    its `on_error`.
    """
    loaded = load_all().detectors
    if settings.blocklist is not None:
        loaded["blocklist"] = Blocklist.load(settings.blocklist)
    detectors = tuple(loaded.values())
    if settings.transcriber is None or ears is None:
        return detectors
    # The name's last part alone: it goes on record, and a path tells of a machine.
    name = Path(settings.transcriber.removeprefix("local:")).name
    return (*detectors, Spoken(lambda sound: ears().transcribe(sound), detectors, model=name))


@contextmanager
def open_app(settings: Settings) -> Iterator[App]:
    """The parts, opened: creates `GUARD_HOME` and the ledger when they are not there yet."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{settings.home} cannot be made: {error.strerror}.", "Set GUARD_HOME."
        ) from error
    ledger = Ledger.open(settings.database)
    try:
        ears = cache(partial(load_transcriber, settings.transcriber)) if settings.transcriber else None
        yield App(settings, KeyStore(settings.home), ledger, _detectors(settings, ears), ears)
    finally:
        ledger.close()
