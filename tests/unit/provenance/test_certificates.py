"""Development certificates meet the profile that C2PA sets for claim signing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from c2patxt.trust import check_certificate_chain_profile
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from guard.provenance.certificates import DEVELOPMENT, issue_development, to_pem


def _issue() -> tuple[str, x509.Certificate, x509.Certificate]:
    key, leaf, authority = issue_development()
    return (
        key,
        x509.load_pem_x509_certificate(leaf.encode()),
        x509.load_pem_x509_certificate(authority.encode()),
    )


def test_the_key_is_pkcs8_and_belongs_to_the_leaf() -> None:
    key, leaf, _ = _issue()
    assert key.startswith("-----BEGIN PRIVATE KEY-----")
    loaded = load_pem_private_key(key.encode(), password=None)
    assert loaded.public_key() == leaf.public_key()
    assert isinstance(leaf.public_key(), Ed25519PublicKey)


def test_the_authority_issued_the_leaf_and_nothing_below_it_may_issue() -> None:
    _, leaf, authority = _issue()
    leaf.verify_directly_issued_by(authority)
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_an_independent_profile_check_accepts_the_chain() -> None:
    _, leaf, authority = _issue()
    check_certificate_chain_profile([leaf])
    check_certificate_chain_profile([leaf, authority])


def test_purposes_and_usages_are_those_of_the_conformance_profile() -> None:
    _, leaf, _ = _issue()
    purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {oid.dotted_string for oid in purposes} == {"1.3.6.1.4.1.62558.2.1", "1.3.6.1.5.5.7.3.4"}
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.content_commitment
    assert not usage.value.key_cert_sign
    assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def test_both_name_an_organisation_that_says_development() -> None:
    _, leaf, authority = _issue()
    for certificate in (leaf, authority):
        (organisation,) = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        assert organisation.value == DEVELOPMENT
        assert "not for production" in DEVELOPMENT


def test_it_is_in_force_now_even_for_a_slow_clock_and_for_at_most_366_days() -> None:
    now = datetime.now(UTC)
    _, leaf, authority = _issue()
    for certificate in (leaf, authority):
        assert certificate.not_valid_before_utc <= now - timedelta(minutes=5)
        assert certificate.not_valid_after_utc - certificate.not_valid_before_utc <= timedelta(days=366)


def test_each_issue_is_new() -> None:
    keys = {issue_development()[0] for _ in range(3)}
    assert len(keys) == 3


def test_to_pem_is_the_usual_form() -> None:
    _, leaf, _ = _issue()
    assert x509.load_pem_x509_certificate(to_pem(leaf).encode()) == leaf
