"""What the library is given to sign with, and what is told of failures that it would swallow."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa
import encypher_c2pa
import pytest

from guard.errors import CredentialError, SigningOutageError, TimestampError
from guard.media import Artifact
from guard.provenance.certificates import to_pem
from guard.provenance.claim import Claim
from guard.provenance.read import read
from guard.provenance.sdk_signer import sdk_signer
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.timestamp import TimestampAuthority
from guard.provenance.trust import Trust
from tests.unit.provenance.certifying import Authority, key_of, key_pem
from tests.unit.provenance.media import make
from tests.unit.provenance.stamping import Responder, serving

Maker = Callable[..., Claim]
DOWN = TimestampAuthority("http://127.0.0.1:9/")
AUTHORITY = Authority()


@pytest.fixture
def tsa() -> Iterator[Responder]:
    with serving() as responder:
        yield responder


def signer_of(kind: str, *authorities: TimestampAuthority, **changes: object) -> Signer:
    key = key_of(kind)
    signer = Signer.from_pem(to_pem(AUTHORITY.issue(key, **changes)), key_pem(key))
    return replace(signer, timestamps=authorities)


def second_opinion(artifact: Artifact, anchors: str, clocks: str) -> str:
    """What an independent verifier says, which keeps the anchors of time stamps apart."""
    how = {"no_default_trust": True, "telemetry": False, "online": False}
    lists = {"trust_pem": anchors, "tsa_trust_pem": clocks}
    return str(encypher_c2pa.verify(artifact.data, artifact.mime, **how, **lists)["validation_state"])


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "p521", "rsa"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_every_algorithm_signs_here_and_elsewhere(kind: str, elsewhere: bool, claim: Maker) -> None:
    signer = signer_of(kind)
    if elsewhere:
        inside = signer.key
        signer = Signer.of(signer.certificates, lambda data: inside(data))
    signed = sign(make("image/png"), claim(), signer)
    assert read(signed.artifact, trust=Trust.of(AUTHORITY.pem)).state == "trusted"


def test_a_key_at_hand_makes_smaller_files(claim: Maker) -> None:
    signer = signer_of("p256")
    inside = signer.key
    elsewhere = Signer.of(signer.certificates, lambda data: inside(data))
    here, there = (sign(make("image/jpeg"), claim(), each).artifact.data for each in (signer, elsewhere))
    assert len(here) <= len(there)


class TestFailures:
    def test_the_true_cause_is_told(self, claim: Maker) -> None:
        def away(_: bytes) -> bytes:
            raise SigningOutageError("The token is gone.", "Put it back.")

        with pytest.raises(SigningOutageError, match="token is gone") as caught:
            sign(make("image/png"), claim(), Signer.of(signer_of("p256").certificates, away))
        assert caught.value.remedy == "Put it back."

    def test_what_no_one_foresaw_is_named_without_its_words(self, claim: Maker) -> None:
        def broken(_: bytes) -> bytes:
            raise RuntimeError("secret")

        with pytest.raises(CredentialError, match="RuntimeError") as caught:
            sign(make("image/png"), claim(), Signer.of(signer_of("p256").certificates, broken))
        assert "secret" not in str(caught.value)

    def test_a_key_that_is_not_the_certificates_is_told(self, claim: Maker) -> None:
        other = signer_of("p256").key
        with pytest.raises(CredentialError, match="does not fit the signing certificate"):
            sign(make("image/png"), claim(), Signer.of(signer_of("p256").certificates, lambda d: other(d)))

    def test_other_errors_of_the_library_pass(self) -> None:
        with pytest.raises(c2pa.C2paError, match="mine"), sdk_signer(signer_of("p256")):
            raise c2pa.C2paError("mine")


class TestTimestamps:
    def test_a_stamped_file_is_trusted_after_its_certificate_has_expired(
        self, claim: Maker, tsa: Responder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for variable in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
            monkeypatch.setenv(variable, str(tmp_path))  # where the second verifier writes its preferences
        end = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        files = []
        for kind in ("ed25519", "p256", "rsa"):
            signer = signer_of(kind, TimestampAuthority(tsa.url), end=end)
            picture = make("image/png")
            files.append([sign(picture, claim(), s) for s in (signer, signer.without_timestamps())])
        time.sleep((end - datetime.now(UTC)).total_seconds() + 1)
        everyone, no_clock = Trust.of(AUTHORITY.pem + tsa.root), Trust.of(AUTHORITY.pem)
        for stamped, bare in files:
            assert read(stamped.artifact, trust=everyone).state == "trusted"
            assert second_opinion(stamped.artifact, AUTHORITY.pem, tsa.root) == "Trusted"
            assert read(stamped.artifact, trust=no_clock).state != "trusted"
            assert read(bare.artifact, trust=everyone).state != "trusted"
        assert tsa.asked == len(files)

    def test_the_second_authority_stamps_where_the_first_is_down(self, claim: Maker, tsa: Responder) -> None:
        signer = signer_of("p256", DOWN, TimestampAuthority(tsa.url))
        signed = sign(make("image/jpeg"), claim(), signer)
        credential = read(signed.artifact, trust=Trust.of(AUTHORITY.pem + tsa.root))
        assert credential.state == "trusted"
        assert not [code for code in credential.codes if code.startswith("timeStamp")]

    def test_nothing_is_signed_where_none_answers(self, claim: Maker, tsa: Responder) -> None:
        tsa.behave = tsa.reject
        signer = signer_of("p256", DOWN, TimestampAuthority(tsa.url))
        with pytest.raises(TimestampError, match="not today"):
            sign(make("image/jpeg"), claim(), signer)

    def test_signers_of_other_threads_do_not_mix(self, claim: Maker, tsa: Responder) -> None:
        with serving() as other:
            signers = [signer_of("p256", TimestampAuthority(each.url)) for each in (tsa, other)] * 4
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda signer: sign(make("image/png"), claim(), signer), signers))
            assert (tsa.asked, other.asked) == (4, 4)

    def test_a_proxy_is_not_asked_for_this_machine(self, tsa: Responder) -> None:
        code = (
            "import sys; from dataclasses import replace; from datetime import UTC, datetime\n"
            "from guard.provenance.timestamp import TimestampAuthority as T\n"
            "from guard.provenance import trial as t\n"
            "from guard.provenance.certificates import issue_development; from guard.media import Artifact\n"
            "from guard.provenance.signer import Signer; from guard.provenance.claim import Claim\n"
            "key, leaf, _ = issue_development(); signer = Signer.from_pem(leaf, key)\n"
            "signer = replace(signer, timestamps=(T(sys.argv[1]),))\n"
            "claim = Claim(title='x', release_id='0' * 16, created_at=datetime.now(UTC), model_name='m')\n"
            "t.sign(Artifact.from_bytes(t._PICTURE), claim, signer)\n"
        )
        proxies = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
        outside = {
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }  # the authority itself is on this machine
        environment = os.environ | proxies | outside
        subprocess.run([sys.executable, "-c", code, tsa.url], check=True, env=environment)
        assert tsa.asked == 1

    def test_the_relay_serves_only_who_knows_its_path(self, tsa: Responder) -> None:
        from guard.provenance.sdk_signer import _relay

        with _relay((TimestampAuthority(tsa.url),), []) as address:
            stranger = address.rpartition("/")[0] + "/"
            for url, body in ((stranger, b"x"), (address, b""), (address, b"x" * 70_000)):
                with pytest.raises(urllib.error.HTTPError, match="404"):
                    urllib.request.urlopen(url, body)
        assert tsa.asked == 0
