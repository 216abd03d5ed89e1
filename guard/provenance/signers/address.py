"""Opens the key that an address names.

key.pem                                        a file (PEM), encrypted or not
pkcs11:token=NAME;object=LABEL?module-path=SO  a token, as RFC 7512 writes it
awskms:///alias/NAME                           AWS KMS: an alias, id or ARN; awskms://HOST/… elsewhere
gcpkms://projects/…/cryptoKeyVersions/N        Google Cloud KMS: a key version's resource name
azurekms://VAULT.vault.azure.net/NAME/VERSION  Azure Key Vault; without a version, the newest
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote

from guard.errors import ConfigurationError
from guard.provenance.signer import Signer, SigningKey

__all__ = ["KeyAddress", "open_signer"]

_FORMS = {
    "awskms": re.compile(r"//(?P<host>[^/]*)/(?P<key>.+)"),
    "gcpkms": re.compile(
        r"//(?P<key>projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+/cryptoKeyVersions/\d+)"
    ),
    "azurekms": re.compile(r"//(?P<host>[^/]+)/(?P<key>[^/]+)(?:/(?P<version>[^/]+))?"),
}


@dataclass(frozen=True, slots=True)
class KeyAddress:
    """An address of a key, and what unlocks it: the passphrase of a file, the PIN of a token."""

    text: str
    secret: str | None = field(default=None, repr=False)

    @property
    def scheme(self) -> str:
        """pkcs11, awskms, gcpkms, azurekms, or file."""
        scheme = self.text.partition(":")[0]
        return scheme if scheme == "pkcs11" or scheme in _FORMS else "file"

    @property
    def path(self) -> Path:
        """Where the key is, if it is a file."""
        return Path(self.text.removeprefix("file:"))


def open_signer(certificates: str, address: KeyAddress) -> Signer:
    """The signer of a chain (PEM) whose key is at `address`.

    Keys in tokens and services are not asked before they sign. Raises `ConfigurationError` for an address
    that cannot be one, `CredentialError` for certificates or a file that cannot be used.
    """
    if address.scheme == "file":
        return Signer.from_pem(certificates, _read(address.path), address.secret)
    return Signer.of(certificates, _remote(address, Signer.of(certificates, _no_key).alg))


def _remote(address: KeyAddress, alg: str) -> SigningKey:
    rest = address.text.partition(":")[2]
    if address.scheme == "pkcs11":
        return _pkcs11(rest, alg, address.secret)
    form = _FORMS[address.scheme].fullmatch(rest)
    if form is None:
        raise _bad(address.text, "see its form in the guide to signers")
    parts = form.groupdict()
    if address.scheme == "awskms":
        from guard.provenance.signers.aws import AwsKey

        return AwsKey(parts["key"], alg, f"https://{parts['host']}" if parts["host"] else None)
    if address.scheme == "gcpkms":
        from guard.provenance.signers.gcp import GcpKey

        return GcpKey(parts["key"], alg)
    from guard.provenance.signers.azure import AzureKey

    return AzureKey(f"https://{parts['host']}", parts["key"], alg, parts["version"])


def _pkcs11(rest: str, alg: str, secret: str | None) -> SigningKey:
    """RFC 7512 §2.3: attributes of the object before the question mark, how to get at it after."""
    from guard.provenance.signers.pkcs11 import Pkcs11Key

    path, _, query = rest.partition("?")
    object_ = {name: unquote(value) for name, _, value in (part.partition("=") for part in path.split(";"))}
    access = {name: values[0] for name, values in parse_qs(query).items()}
    module = access.get("module-path")
    if not module or "token" not in object_ or "object" not in object_:
        raise _bad(f"pkcs11:{path}", "name token, object and ?module-path=")
    pin = secret
    if source := access.get("pin-source"):
        pin = _read(Path(source.removeprefix("file:"))).strip()
    return Pkcs11Key(module, object_["token"], object_["object"], alg, pin)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"{path} cannot be read.", "Check GUARD_SIGNER and the file.") from error


def _bad(address: str, remedy: str) -> ConfigurationError:
    return ConfigurationError(
        f"'{address}' is no address of a signing key: {remedy}.", "Correct GUARD_SIGNER."
    )


def _no_key(_: bytes) -> bytes:
    raise AssertionError("asked before there was a key")
