"""Settings, and the parts as the settings put them together."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

import guard
from detectors import registry
from detectors.base import Context, DetectorCard, Finding
from guard import errors
from guard.app import App, open_app
from guard.errors import BlockedError, ConfigurationError, DetectorError, KeyStoreError, PolicyError
from guard.ledger.audit import audit
from guard.ledger.log.note import Note, VerifierKey
from guard.media import Artifact, Limits, Modality
from guard.media.stream import Samples
from guard.pipeline import Origin
from guard.settings import AudioSealSettings, LimitSettings, SandboxSettings, Settings, load_settings
from guard.tokenmarks import Scheme
from guard.trace import StepTimes
from tests.conftest import REPOSITORY
from tests.unit.ledger.test_store import entry


class TestSettings:
    def test_come_from_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("GUARD_HOME", str(tmp_path))
        monkeypatch.setenv("GUARD_LIMITS__MAX_BYTES", "1000")
        settings = load_settings()
        assert settings.home == tmp_path
        assert settings.limits.limits().max_bytes == 1000
        assert settings.database == f"sqlite:///{tmp_path / 'ledger.db'}"

    def test_cover_every_limit(self) -> None:
        assert Settings().limits.limits() == Limits()

    def test_are_all_documented(self) -> None:
        page = (REPOSITORY / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
        nested: dict[str, type[BaseModel]] = {
            "limits": LimitSettings,
            "audioseal": AudioSealSettings,
            "sandbox": SandboxSettings,
        }
        names = [f"GUARD_{name.upper()}" for name in Settings.model_fields if name not in nested]
        for group, kind in nested.items():
            names += [f"GUARD_{group.upper()}__{name.upper()}" for name in kind.model_fields]
        assert [name for name in (*names, registry.FILE) if f"`{name}`" not in page] == []

    def test_another_database_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GUARD_LEDGER_URL", "sqlite:///elsewhere.db")
        assert load_settings().database == "sqlite:///elsewhere.db"

    @pytest.mark.parametrize("name", ["GUARD_LIMITS__MAX_PIXELS", "GUARD_LIMITS__MAX_EXPANSION"])
    @pytest.mark.parametrize("value", ["0", "-5", "many"])
    def test_a_wrong_value_is_named(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError, match=name):
            load_settings()

    def test_text_marks_are_off_unless_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert load_settings().text_mark is None
        monkeypatch.setenv("GUARD_TEXT_MARK", "kgw")
        assert load_settings().text_mark is Scheme.KGW

    def test_lists_have_commas(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GUARD_TEXT_MODELS", "local:/models/a, local:org/b")
        assert load_settings().text_models == ("local:/models/a", "local:org/b")

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("GUARD_TEXT_MARK", "ink"),
            ("GUARD_TEXT_MODELS", "local:a,b"),
            ("GUARD_TRANSCRIBER", "whisper"),
            ("GUARD_AUDIOSEAL__DETECTOR", "detector.pth"),
            ("GUARD_AUDIOSEAL__DETECTOR_SHA256", "abc"),
        ],
    )
    def test_what_names_no_model_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(ConfigurationError, match="GUARD_"):
            load_settings()

    def test_checkpoints_come_with_their_hashes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GUARD_AUDIOSEAL__DETECTOR", "/models/detector.pth")
        monkeypatch.setenv("GUARD_AUDIOSEAL__DETECTOR_SHA256", "AB" * 32)
        [(part, checkpoint)] = load_settings().audioseal.checkpoints().items()
        assert (part, checkpoint.path, checkpoint.sha256) == (
            "detector",
            Path("/models/detector.pth"),
            "ab" * 32,
        )

    def test_never_show_the_upstream_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GUARD_UPSTREAM_API_KEY", "sk-very-secret")
        assert "very-secret" not in repr(load_settings())


class TestApp:
    def test_a_home_that_cannot_be_made_says_so(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("in the way")
        with (
            pytest.raises(ConfigurationError, match="cannot be made"),
            open_app(Settings(home=tmp_path / "file" / "home")),
        ):
            pass

    def test_without_keys_it_cannot_release(self, tmp_path: Path) -> None:
        with open_app(Settings(home=tmp_path)) as app, pytest.raises(KeyStoreError, match="guard keys init"):
            app.guard()

    def test_an_unknown_engine_names_those_there_are(self, app: App) -> None:
        odd = App(app.settings.model_copy(update={"engine": "ink"}), app.keys, app.ledger, ())
        for path in (odd.guard, odd.verifier):
            with pytest.raises(ConfigurationError, match=r"GUARD_ENGINE.*tile"):
                path()

    def test_a_policy_of_ones_own_is_loaded(self, app: App, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("name: mine\nversion: 1\nrules: []\n")
        mine = App(app.settings.model_copy(update={"policy": path}), app.keys, app.ledger, ())
        assert mine.guard().policy.name == "mine"
        path.write_text("name: mine\n")
        with pytest.raises(PolicyError, match=r"mine\.yaml"):
            mine.guard()

    def test_a_blocklist_of_ones_own_replaces_the_default(self, tmp_path: Path) -> None:
        path = tmp_path / "words.txt"
        path.write_text("gizmo\n")
        with open_app(Settings(home=tmp_path / "home", blocklist=path)) as app:
            names = [detector.card.id for detector in app.detectors]
            assert names.count("blocklist") == 1
            found = app.detectors[names.index("blocklist")].inspect(
                Artifact.from_text("a gizmo"), Context("output")
            )
        assert found[0].flagged

    def test_audioseals_checkpoints_reach_the_engine(self, app: App, tmp_path: Path) -> None:
        wav = Artifact.from_samples(Samples(16000, np.zeros((16000, 1), np.float32)), "audio/wav")
        sealing = app.settings.model_copy(update={"audio_engine": "audioseal"})
        with pytest.raises(ConfigurationError, match="No detector"):
            App(sealing, app.keys, app.ledger, ()).verifier().verify(wav)
        absent = AudioSealSettings(detector=tmp_path / "none.pth", detector_sha256="ab" * 32)
        pinned = sealing.model_copy(update={"audioseal": absent})
        with pytest.raises(ConfigurationError, match=r"none\.pth"):
            App(pinned, app.keys, app.ledger, ()).verifier().verify(wav)

    def test_models_of_texts_that_are_not_here_are_named(self, app: App, tmp_path: Path) -> None:
        lost = app.settings.model_copy(update={"text_models": (f"local:{tmp_path / 'lost'}",)})
        with pytest.raises(ConfigurationError, match=r"GUARD_TEXT_MODELS.*lost"):
            App(lost, app.keys, app.ledger, ()).verifier()

    def test_with_a_transcriber_spoken_words_are_screened(self, tmp_path: Path) -> None:
        folder = tmp_path / "whisper"
        with open_app(Settings(home=tmp_path / "home", transcriber=f"local:{folder}")) as app:
            spoken = app.detectors[-1]
            assert (spoken.card.id, spoken.card.version) == ("spoken", "1+whisper")
            wav = Artifact.from_samples(Samples(16000, np.zeros((16000, 1), np.float32)), "audio/wav")
            with pytest.raises(DetectorError, match="whisper"):  # none lies there: it was not heard
                spoken.inspect(wav, Context("output"))
            app.keys.init_development()
            with pytest.raises(BlockedError) as caught:
                app.guard().release([wav], Origin("m"))
        assert caught.value.rule == "spoken-blocklist"

    def test_trust_anchors_can_be_added(self, app: App, tmp_path: Path) -> None:
        path = tmp_path / "more.pem"
        path.write_text(app.keys.anchors())
        elsewhere = type(app.keys)(tmp_path / "elsewhere")
        trusting = App(app.settings.model_copy(update={"trust": path}), elsewhere, app.ledger, ())
        assert app.keys.anchors() in [each.certificates for each in trusting.verifier().trust.lists]
        path.unlink()
        with pytest.raises(ConfigurationError, match="GUARD_TRUST"):
            trusting.verifier()


class TestLogKey:
    def signed_by(self, app: App, number: int) -> VerifierKey:
        """Whose signature the receipt of a fresh record carries."""
        (receipt,) = app.ledger.record([entry(number)])
        assert receipt.inclusion is not None
        (key,) = Note.parse(receipt.inclusion.checkpoint).signers(app.log_keys())
        return key

    def test_who_runs_follows_a_rotation_elsewhere(self, app: App) -> None:
        first = self.signed_by(app, 1)
        assert self.signed_by(app, 2) == first
        with open_app(app.settings) as elsewhere:
            fresh = elsewhere.rotate_log_key()
        assert fresh != first
        assert self.signed_by(app, 3) == fresh
        assert app.ledger.log.checkpoint().endswith(app.ledger.receipt(entry(3).id).inclusion.checkpoint)
        assert audit(app.ledger.engine, app.log_keys()).problems == []

    def test_who_runs_makes_no_other_key_where_the_file_is_gone(self, app: App) -> None:
        first = self.signed_by(app, 1)
        kept = app.keys.folder / "log-keys"
        held = kept.rename(kept.with_name("held"))
        (receipt,) = app.ledger.record([entry(2)])
        assert receipt.inclusion is not None
        assert receipt.inclusion.check([first]).size == 2
        assert not kept.exists()
        held.rename(kept)
        assert self.signed_by(app, 3) == first

    def test_a_key_that_is_damaged_lets_nothing_be_recorded(self, app: App) -> None:
        self.signed_by(app, 1)
        app.keys.replace_log_keys(["PRIVATE+KEY+nonsense"])
        with pytest.raises(KeyStoreError, match="damaged"):
            app.ledger.record([entry(2)])
        assert app.ledger.by_id(entry(2).id) is None


class TestImport:
    def test_a_stranger_named_like_one_of_our_packages_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "models").mkdir()
        (tmp_path / "models" / "__init__.py").touch()
        code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import guard"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert run.returncode == 1
        assert "not Guard's own package" in run.stderr
        assert "Rename that folder" in run.stderr

    def test_importing_guard_loads_nothing_heavy(self) -> None:
        code = "import sys, guard; print([m for m in ('torch', 'cv2', 'av', 'c2pa') if m in sys.modules])"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "[]"

    def test_the_doors_load_no_torch(self) -> None:
        code = "import sys, guard.app, guard.api, guard.cli; print('torch' in sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == "False"

    def test_the_version_is_that_of_the_distribution(self) -> None:
        from importlib.metadata import version

        assert guard.__version__ == version("guard-provenance")


class TestErrors:
    def test_every_error_is_public_and_a_guard_error(self) -> None:
        defined = {n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, Exception)}
        assert defined == set(errors.__all__)
        assert all(issubclass(getattr(errors, name), errors.GuardError) for name in defined)
        assert errors.__all__ == sorted(errors.__all__)

    def test_the_tree_in_the_docstring_names_every_error(self) -> None:
        assert all(name in (errors.__doc__ or "") for name in errors.__all__)

    def test_an_error_prints_what_happened_and_what_to_do(self) -> None:
        assert str(errors.InputError("No file.", "Give one.")) == "No file. Give one."
        assert str(errors.BlockedError("r1", "too loud")) == "Blocked by rule 'r1': too loud"
        assert "[local]" in str(errors.MissingExtraError("Hosting models", "local"))
        missing = errors.UpstreamError("Busy.", status=429, code="rate_limit")
        assert (missing.status, missing.code) == (429, "rate_limit")


def test_step_times_add_up() -> None:
    times = StepTimes()
    for _ in range(2):
        with times("a"):
            pass
    with pytest.raises(ValueError, match="x"), times("b"):
        raise ValueError("x")
    assert set(times.seconds) == {"a", "b"}
    assert all(seconds >= 0 for seconds in times.seconds.values())


def test_only_what_the_policy_reads_of_texts_is_warmed(app: App, tmp_path: Path) -> None:
    class Heavy:
        card = DetectorCard("heavy", "1", "weight", frozenset({Modality.TEXT}), "Takes long.", "Apache-2.0")

        def __init__(self) -> None:
            self.seen: list[Context] = []

        def inspect(self, artifact: Artifact, context: Context) -> list[Finding]:
            self.seen.append(context)
            return [Finding("heavy", "1", "weight", 0.0, 0.5)]

    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "name: p\nversion: 1\nrules:\n- {id: a, stages: [output], when: 'scores[\"weight\"] >= 0.5', "
        "action: block, reason: heavy}\n"
    )
    heavy = Heavy()
    replace(app, detectors=(heavy,)).warm()
    assert heavy.seen == []
    settings = app.settings.model_copy(update={"policy": policy})
    replace(app, detectors=(heavy,), settings=settings).warm()
    assert [context.stage for context in heavy.seen] == ["output"]
