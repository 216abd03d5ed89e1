"""Addresses of keys: what each names, and what is no address."""

from __future__ import annotations

from pathlib import Path

import pytest

from guard.errors import ConfigurationError, CredentialError
from guard.provenance.certificates import to_pem
from guard.provenance.signers.address import KeyAddress, open_signer
from guard.provenance.signers.aws import AwsKey
from guard.provenance.signers.azure import AzureKey
from guard.provenance.signers.gcp import GcpKey
from guard.provenance.signers.pkcs11 import Pkcs11Key
from tests.unit.provenance.certifying import Authority, key_of, key_pem

KEY = key_of("p256")
CHAIN = to_pem(Authority().issue(KEY))
GCP = "projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
ARN = "arn:aws:kms:eu-west-1:1:key/12"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("awskms:///alias/guard", AwsKey("alias/guard", "es256")),
        (f"awskms:///{ARN}", AwsKey(ARN, "es256")),
        ("awskms://kms.example/12", AwsKey("12", "es256", "https://kms.example")),
        (f"gcpkms://{GCP}", GcpKey(GCP, "es256")),
        ("azurekms://v.vault.azure.net/guard", AzureKey("https://v.vault.azure.net", "guard", "es256")),
        (
            "azurekms://v.vault.azure.net/guard/7f",
            AzureKey("https://v.vault.azure.net", "guard", "es256", "7f"),
        ),
        (
            "pkcs11:token=my%20token;object=guard?module-path=/lib/x.so",
            Pkcs11Key("/lib/x.so", "my token", "guard", "es256", "1234"),
        ),
    ],
)
def test_each_scheme_names_its_key(address: str, key: object) -> None:
    assert open_signer(CHAIN, KeyAddress(address, "1234")).key == key


def test_anything_else_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(key_pem(KEY))
    for address in (str(tmp_path / "key.pem"), f"file:{tmp_path / 'key.pem'}"):
        assert open_signer(CHAIN, KeyAddress(address)).sign(b"a claim")
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        open_signer(CHAIN, KeyAddress(str(tmp_path / "none.pem")))
    assert "GUARD_SIGNER" in caught.value.remedy


@pytest.mark.parametrize(
    "address",
    [
        "awskms:alias/guard",
        "awskms://",
        "gcpkms://projects/p",
        "azurekms://v.vault.azure.net",
        "azurekms://v.vault.azure.net/",
        "awskms://kms.example/",
        "pkcs11:token=guard;object=x",
        "pkcs11:object=x?module-path=/lib/x.so",
        "pkcs11:token=guard?module-path=/lib/x.so",
    ],
)
def test_half_an_address_is_told(address: str) -> None:
    with pytest.raises(ConfigurationError, match="no address of a signing key") as caught:
        open_signer(CHAIN, KeyAddress(address))
    assert "GUARD_SIGNER" in caught.value.remedy


def test_certificates_are_checked_before_any_key_is_asked() -> None:
    with pytest.raises(CredentialError, match="not PEM"):
        open_signer("nonsense", KeyAddress("awskms:///alias/guard"))


def test_what_unlocks_a_key_is_not_shown() -> None:
    assert "sesame" not in repr(KeyAddress("key.pem", "sesame"))
