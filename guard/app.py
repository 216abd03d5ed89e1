"""Puts the parts together as the settings say: the one place that knows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import get_args

from detectors.base import Context, Detector
from detectors.blocklist import Blocklist
from detectors.registry import load_all
from detectors.run import inspect_all
from detectors.spoken import Spoken
from detectors.toxicity.classifier import Classifier
from guard.errors import ConfigurationError, InputError, ModelNotFoundError
from guard.ledger import Ledger
from guard.ledger.log.note import NoteSigner, VerifierKey, new_key
from guard.media import Artifact, Modality
from guard.outbox import Outbox
from guard.pipeline import Guard
from guard.provenance.fetch import Fetcher
from guard.provenance.ingredients import PERSONAL
from guard.provenance.keys import KeyStore
from guard.provenance.reader import CarefulReader, Reads
from guard.provenance.sandbox import Sandbox, SandboxLimits, sandbox
from guard.provenance.trust import Trust, TrustList
from guard.provenance.trust_store import TrustStore
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
from policies.policy import Policy, default, load
from policies.schema import Stage

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
            policy=self.policy,
            detectors=self.detectors,
            watermarkers={modality: self._engine(modality) for modality in _ENGINES},
            mark_key=self.keys.mark_keys()[0],
            signer=self.keys.signer(),
            trust=self.trust(),
            ledger=self.ledger,
            trace=trace,
            text_mark=self.settings.text_mark,
            outbox=self.outbox,
            redact=PERSONAL if self.settings.redact_inputs else (),
        )

    @property
    def policy(self) -> Policy:
        """The policy that the settings name, or the one that Guard ships. Raises `PolicyError`."""
        return load(self.settings.policy) if self.settings.policy else default()

    def warm(self) -> None:
        """Let the detectors of text that the policy reads load what they need now: some take seconds, which
        else the first caller would wait."""
        policy = self.policy
        for stage in get_args(Stage):
            context = Context(stage, signals=policy.signals(stage))
            inspect_all(self.detectors, Artifact.from_text("Good morning."), context)

    @property
    def outbox(self) -> Outbox:
        """What waits for its signature."""
        return Outbox(self.settings.home / "outbox", self.settings.limits.limits())

    def verifier(self, extra_anchors: str = "", trace: Trace = nullcontext) -> Verifier:
        """The verify path, which works without keys of its own too."""
        has_keys = self.keys.folder.is_dir()
        return Verifier(
            trust=self.trust(extra_anchors),
            ledger=self.ledger,
            watermarkers=self._readers(),
            mark_keys=self.keys.mark_keys() if has_keys else (),
            detectors=[d for d in self.detectors if d.card.signal == SYNTHETIC],
            trace=trace,
            read_credential=self.reader(),
        )

    def trust(self, extra: str = "") -> Trust:
        """Whom this Guard trusts: itself, GUARD_TRUST, the authorities in `extra` (PEM), and its trust
        lists."""
        own = self.keys.anchors() if self.keys.folder.is_dir() else ""
        given = Trust(hosts=self.settings.credential_hosts).plus(
            TrustList("this Guard's own authorities", own),
            TrustList("the certificates of GUARD_TRUST", self._trusted()),
            TrustList("the certificates given", extra),
        )
        stored = TrustStore(self.settings.home).trust(official=self.settings.trust_official)
        return replace(given.plus(*stored.lists), ekus=stored.ekus)

    def reader(self) -> Reads:
        """What reads the credentials of files from strangers."""
        hosts = self.settings.credential_hosts
        stale = TrustStore(self.settings.home).stale(self.settings.trust_days)
        lists = tuple(each.as_list() for each in stale)
        return CarefulReader(self.sandbox().read, Fetcher(hosts) if hosts else None, lists)

    def sandbox(self) -> Sandbox:
        """Where files from strangers are read."""
        hosts = self.settings.credential_hosts
        return sandbox(SandboxLimits(**self.settings.sandbox.model_dump(), network=bool(hosts)))

    def log_keys(self) -> tuple[VerifierKey, ...]:
        """The public keys of this Guard's transparency log, newest first. Raises `KeyStoreError`."""
        newest, *former = _log_keys(self.keys, self.settings)
        return (NoteSigner(newest).verifier, *map(VerifierKey.parse, former))

    def rotate_log_key(self) -> VerifierKey:
        """Sign the log with a fresh key from now on, under the settings' origin; of the one before its public
        half stays. Servers that run follow at once."""
        fresh = new_key(self.settings.log_origin)
        self.keys.replace_log_keys([fresh, *map(str, self.log_keys())])
        return NoteSigner(fresh).verifier

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
    """Every installed detector, the text classifiers of the settings, and those of text on spoken words where
    there are ears for them.

    One that does not start leaves its signal without a score, and a rule that asks for the score then follows
    its `on_error`.
    """
    loaded = load_all().detectors
    if settings.blocklist is not None:
        loaded["blocklist"] = Blocklist.load(settings.blocklist)
    loaded |= {made.card.id: made for made in map(Classifier, settings.text_classifiers)}
    detectors = tuple(loaded.values())
    if settings.transcriber is None or ears is None:
        return detectors
    # The name's last part alone: it goes on record, and a path tells of a machine.
    name = Path(settings.transcriber.removeprefix("local:")).name
    return (*detectors, Spoken(lambda sound: ears().transcribe(sound), detectors, model=name))


def _log_keys(keys: KeyStore, settings: Settings) -> tuple[str, ...]:
    return keys.log_keys(partial(new_key, settings.log_origin))


class _LogSigner:
    """What signs the log: the newest of its keys, read anew once that was replaced."""

    def __init__(self, keys: KeyStore, settings: Settings) -> None:
        self._keys = keys
        self._settings = settings
        self._read: tuple[object, NoteSigner] | None = None

    def __call__(self) -> NoteSigner:
        stamp = self._keys.log_stamp()
        # Where the file is gone there is nothing to follow: a running server makes no other key.
        if self._read is None or stamp not in (None, self._read[0]):
            self._read = stamp, NoteSigner(_log_keys(self._keys, self._settings)[0])
        return self._read[1]


@contextmanager
def open_app(settings: Settings) -> Iterator[App]:
    """The parts, opened: creates `GUARD_HOME` and the ledger when they are not there yet."""
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"{settings.home} cannot be made: {error.strerror}.", "Set GUARD_HOME."
        ) from error
    keys = settings.key_store()
    ledger = Ledger.open(settings.database, _LogSigner(keys, settings))
    try:
        ears = cache(partial(load_transcriber, settings.transcriber)) if settings.transcriber else None
        yield App(settings, keys, ledger, _detectors(settings, ears), ears)
    finally:
        ledger.close()
