"""Where Guard keeps its keys: `GUARD_HOME/keys`, readable by its owner alone."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from guard.errors import CredentialError, KeyStoreError
from guard.provenance.certificates import DEVELOPMENT, issue_development, to_pem
from guard.provenance.keyfiles import KeyFiles
from guard.provenance.signer import Signer
from guard.provenance.signers.address import KeyAddress, open_signer
from guard.provenance.timestamp import TimestampAuthority

__all__ = ["DevelopmentKeys", "KeyStatus", "KeyStore", "SignerSource"]

_SIGNER = "signer.pem"  # key and chain in one file, so that one atomic rename replaces both
_FORMER = "former-signers.pem"
_ANCHORS = "anchors.pem"
_MARKS = "mark-keys"
_LOG = "log-keys"
_MARK_KEY_BYTES = 32
_BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----"
_ELSEWHERE = "Key: "  # in place of a private key: the address of one in a token or service


@dataclass(frozen=True, slots=True)
class DevelopmentKeys:
    """What `KeyStore.init_development` made."""

    folder: Path
    fingerprint: str
    expires: datetime
    warning: str = (
        "These keys are for development only: nobody but this Guard trusts what they sign. "
        "Before you publish anything, install a certificate of an authority on the C2PA trust list."
    )


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """What may be shown of a key store: no secrets. `fingerprint` is the leaf's SHA-256, hexadecimal.

    `key` says where the key is; `former` are the fingerprints of the signers before this one, newest first.
    """

    folder: Path
    subject: str
    alg: str
    expires: datetime
    fingerprint: str
    development: bool
    mark_keys: int
    key: str
    former: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignerSource:
    """A signer that the settings name, in place of the one in the key store: a key, and a file with its chain
    (PEM). Without a key, `address.secret` opens the one in the store."""

    address: KeyAddress | None = None
    certificates: Path | None = None
    secret: str | None = field(default=None, repr=False)
    timestamps: tuple[TimestampAuthority, ...] = ()


class KeyStore:
    """The signing key with its certificates, the trusted roots, and the ring of watermark keys."""

    def __init__(self, home: Path, source: SignerSource | None = None) -> None:
        self.folder = home / "keys"
        self._files = KeyFiles(self.folder)
        self._source = source or SignerSource()

    def init_development(self, force: bool = False) -> DevelopmentKeys:
        """Make a development authority, a signer under it, and a watermark key.

        `force` replaces the signer. Former authorities stay trusted and former watermark keys stay in the
        ring, since files released under them are still out there.
        Raises `KeyStoreError` if a signer exists and `force` is off, or the folder cannot be written.
        """
        with self._files.locked():
            if self._files.has(_SIGNER) and not force:
                raise KeyStoreError(f"{self.folder} already holds keys.", "Replace them with --force.")
            key, leaf, authority = issue_development()
            self._replace_signer(key + leaf, authority)
        status = self.status()
        return DevelopmentKeys(self.folder, status.fingerprint, status.expires)

    def import_signer(self, key: str, certificates: str, anchors: str = "") -> None:
        """Let the signer with this chain (PEM, leaf first) sign from now on; servers that run follow at once.

        `key` is a private key (PEM) or the address of one, see `guard.provenance.signers.address`; an
        encrypted key stays so. `anchors` are the roots of the chain. The signer before it stays on record
        and its authorities stay trusted.
        """
        head = key.rstrip("\n") if "-----BEGIN" in key else _ELSEWHERE + key
        with self._files.locked():
            self._replace_signer(f"{head}\n{certificates}", anchors)

    def signer(self) -> Signer:
        """The signer. Raises `KeyStoreError` if it is absent, open to others, unreadable or expired."""
        signer = self._load_signer()
        try:
            signer.require_current()
        except CredentialError as error:
            raise KeyStoreError(error.message, error.remedy) from error
        return replace(signer, timestamps=self._source.timestamps)

    def anchors(self) -> str:
        """The certificates (PEM) whose signers this Guard trusts, newest first."""
        return self._files.read(_ANCHORS)

    def former(self) -> tuple[x509.Certificate, ...]:
        """The certificates of the signers before this one, newest first."""
        text = self._files.read(_FORMER) if self._files.has(_FORMER) else ""
        return tuple(x509.load_pem_x509_certificates(text.encode())) if text else ()

    def stamp(self) -> object:
        """Something that differs once signer, roots or watermark keys were replaced."""
        files = self._files.stamp((_SIGNER, _ANCHORS, _MARKS))
        chain = self._source.certificates
        return files if chain is None else (*files, *KeyFiles(chain.parent).stamp([chain.name]))

    def mark_keys(self) -> tuple[bytes, ...]:
        """The ring of watermark keys, 32 bytes each, newest first: that one embeds, all are tried to read."""
        try:
            keys = tuple(bytes.fromhex(line) for line in self._files.read(_MARKS).split())
        except ValueError:
            keys = ()
        if not keys or any(len(key) != _MARK_KEY_BYTES for key in keys):
            raise KeyStoreError(
                f"{self.folder / _MARKS} is damaged: a line is not 64 hexadecimal digits.",
                "Restore it from a backup: marks made under lost keys cannot be read.",
            )
        return keys

    def add_mark_key(self) -> None:
        """Put a fresh watermark key at the head of the ring; the others stay for reading."""
        with self._files.locked():
            self.mark_keys()
            self._files.write(_MARKS, _new_mark_key() + self._files.read(_MARKS))

    def log_keys(self, make: Callable[[], str]) -> tuple[str, ...]:
        """The transparency log's keys, newest first: that one signs, those before it are public and verify.

        Where there is none yet, `make` gives it. Raises `KeyStoreError` in a key store that was never filled.
        """
        self.mark_keys()
        if not self._files.has(_LOG):
            with self._files.locked():
                if not self._files.has(_LOG):
                    self._files.write(_LOG, make() + "\n")
        return tuple(self._files.read(_LOG).split())

    def log_stamp(self) -> object:
        """Something that differs once the log's keys were replaced; None where there are none."""
        return self._files.stamp((_LOG,))[0]

    def replace_log_keys(self, keys: Sequence[str]) -> None:
        """Put `keys` in the place of `log_keys`."""
        with self._files.locked():
            self._files.write(_LOG, "".join(f"{key}\n" for key in keys))

    def status(self) -> KeyStatus:
        """What `guard keys show` prints. An expired signer still has a status."""
        signer, where = self._load_signer(), self._where()
        leaf = signer.chain[0]
        return KeyStatus(
            folder=self.folder,
            subject=leaf.subject.rfc4514_string(),
            alg=signer.alg,
            expires=signer.expires,
            fingerprint=_fingerprint(leaf),
            development=_organisation(leaf.issuer) == DEVELOPMENT,
            mark_keys=len(self.mark_keys()),
            key=where,
            former=tuple(_fingerprint(each) for each in self.former()),
        )

    def _replace_signer(self, text: str, anchors: str) -> None:
        """Put a signer in the place of the one before, in an order that a crash may break off anywhere."""
        files = self._files
        trusted = files.read(_ANCHORS) if files.has(_ANCHORS) else ""
        files.write(_ANCHORS, anchors + trusted)
        if not files.has(_MARKS):
            files.write(_MARKS, _new_mark_key())
        if files.has(_SIGNER):
            _, chain = _parted(files.read(_SIGNER))
            leaves = x509.load_pem_x509_certificates(chain.encode()) if chain else []
            # The same certificate once more, its key in another place, makes no former signer.
            former = [to_pem(leaf) for leaf in (*leaves[:1], *self.former())]
            files.write(_FORMER, "".join(pem for pem in former if pem not in text))
        files.write(_SIGNER, text)

    def _where(self) -> str:
        if self._source.address is not None:
            return self._source.address.text
        head, _ = _parted(self._files.read(_SIGNER))
        return head.removeprefix(_ELSEWHERE).strip() if head.startswith(_ELSEWHERE) else _SIGNER

    def _load_signer(self) -> Signer:
        source = self._source
        if source.address is not None and source.certificates is not None:
            return open_signer(_text(source.certificates), source.address)
        head, chain = _parted(self._files.read(_SIGNER))
        try:
            if head.startswith(_ELSEWHERE):
                return open_signer(chain, KeyAddress(head.removeprefix(_ELSEWHERE).strip(), source.secret))
            return Signer.from_pem(chain, head, source.secret)
        except CredentialError as error:
            raise KeyStoreError(f"{self.folder / _SIGNER}: {error.message}", error.remedy) from error


def _parted(text: str) -> tuple[str, str]:
    """What is before the certificates, and the certificates."""
    head, marker, chain = text.partition(_BEGIN_CERTIFICATE)
    return head, marker + chain


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeError) as error:
        raise KeyStoreError(
            f"{path} cannot be read.", "Set GUARD_SIGNER_CERTIFICATES to the chain of GUARD_SIGNER (PEM)."
        ) from error


def _new_mark_key() -> str:
    return secrets.token_hex(_MARK_KEY_BYTES) + "\n"


def _fingerprint(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex()


def _organisation(name: x509.Name) -> str | None:
    attributes = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(attributes[0].value) if attributes else None
