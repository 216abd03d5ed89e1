"""Keys in a real token: SoftHSM, as Debian ships it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from guard.errors import ConfigurationError, SigningOutageError
from guard.provenance.certificates import to_pem
from guard.provenance.claim import Claim
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.signers.address import KeyAddress, open_signer
from guard.provenance.trust import Trust
from tests.unit.provenance.certifying import Authority, key_of, key_pem
from tests.unit.provenance.media import make

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
KINDS = ["p256", "p384", "p521", "rsa", "ed25519"]
AUTHORITY = Authority()

pytest.importorskip("pkcs11", reason="python-pkcs11 (the extra [hsm]) is not installed")
pytestmark = pytest.mark.skipif(
    not MODULE.exists() or shutil.which("softhsm2-util") is None,
    reason="SoftHSM is not installed: apt-get install softhsm2",
)


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The chains of the keys in a token 'guard', one of each kind that it takes, labelled with their kind."""
    home = tmp_path_factory.mktemp("softhsm")
    (home / "tokens").mkdir()
    (home / "softhsm2.conf").write_text(f"directories.tokendir = {home}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(home / "softhsm2.conf")
    tool = ["softhsm2-util", "--module", str(MODULE)]
    start = [*tool, "--init-token", "--free", "--label", "guard", "--so-pin", "1234", "--pin", "4321"]
    subprocess.run(start, check=True, capture_output=True)
    chains = {}
    for number, kind in enumerate(KINDS):
        key = key_of(kind)
        (home / "key.pem").write_text(key_pem(key))
        bring = ["--import", str(home / "key.pem"), "--token", "guard", "--pin", "4321", "--label", kind]
        done = subprocess.run([*tool, *bring, "--id", f"{number:02x}"], check=False, capture_output=True)
        if done.returncode == 0:
            chains[kind] = to_pem(AUTHORITY.issue(key))
    (home / "key.pem").unlink()
    return chains


def opened(chains: dict[str, str], kind: str = "p256", pin: str = "4321", **other: str) -> Signer:
    names = {"token": "guard", "object": kind, "module": str(MODULE)} | other
    address = f"pkcs11:token={names['token']};object={names['object']}?module-path={names['module']}"
    return open_signer(chains[kind], KeyAddress(address, pin))


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_signs_with_every_kind_of_key_it_takes(
    kind: str, token: dict[str, str], claim: Callable[..., Claim]
) -> None:
    if kind not in token:
        pytest.skip(f"this build of SoftHSM takes no key of kind {kind}")
    signed = sign(make("image/png"), claim(), opened(token, kind))
    assert read(signed.artifact, trust=Trust.of(AUTHORITY.pem)).state == "trusted"


def test_the_pin_may_come_from_a_file(token: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("4321\n")
    address = f"pkcs11:token=guard;object=p256?module-path={MODULE}&pin-source=file:{tmp_path / 'pin'}"
    assert open_signer(token["p256"], KeyAddress(address)).sign(b"a claim")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        open_signer(token["p256"], KeyAddress(address + "x"))


def test_threads_share_the_session(token: dict[str, str]) -> None:
    signer = opened(token)
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(signer.sign, [b"a claim %d" % n for n in range(40)]))) == 40


def test_a_child_process_opens_its_own(token: dict[str, str]) -> None:
    signer = opened(token)
    signer.sign(b"a claim")
    child = os.fork()
    if child == 0:
        try:
            signer.sign(b"a claim")
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert signer.sign(b"a claim")


# The package complains of a session that ended before its signature did.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_lost_session_is_opened_anew(token: dict[str, str]) -> None:
    import pkcs11

    signer = opened(token)
    signer.sign(b"a claim")
    pkcs11.lib(str(MODULE)).reinitialize()  # as if the token had been restarted
    assert signer.sign(b"a claim")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_token_that_goes_away_midway_is_an_outage_until_it_is_back(
    token: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pkcs11

    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path}/tokens\n")
    signer = opened(token)
    signer.sign(b"a claim")
    with monkeypatch.context() as away:
        away.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm2.conf"))
        pkcs11.lib(str(MODULE)).reinitialize()
        with pytest.raises(SigningOutageError, match="NoSuchToken"):
            signer.sign(b"a claim")
    pkcs11.lib(str(MODULE)).reinitialize()
    assert signer.sign(b"a claim")


@pytest.mark.parametrize(
    "wrong",
    [{"token": "none"}, {"object": "none"}, {"module": "/usr/lib/none.so"}, {"pin": "9999"}],
    ids=["token", "key", "module", "pin"],
)
def test_what_the_token_lacks_is_an_outage_with_a_remedy(
    token: dict[str, str], wrong: dict[str, str]
) -> None:
    import pkcs11

    from guard.provenance.signers.pkcs11 import _after_fork

    opened(token).sign(b"a claim")
    _after_fork()  # forgets sessions, so that the PIN is asked for
    with pytest.raises(SigningOutageError, match="does not sign with its key") as caught:
        opened(token, **wrong).sign(b"a claim")
    assert "pkcs11-tool" in caught.value.remedy
    assert "9999" not in str(caught.value)
    assert pkcs11.lib(str(MODULE))
    assert opened(token).sign(b"a claim")


def test_a_key_of_another_certificate_is_told(token: dict[str, str]) -> None:
    other = to_pem(AUTHORITY.issue(key_of("p256")))
    with pytest.raises(Exception, match="does not fit the signing certificate"):
        opened(token | {"p256": other}).sign(b"a claim")


def test_its_pin_is_shown_nowhere(token: dict[str, str]) -> None:
    signer = opened(token)
    assert "4321" not in repr(signer) + repr(signer.key)
