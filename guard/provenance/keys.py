"""Where Guard keeps its keys: `GUARD_HOME/keys`, readable by its owner alone."""

from __future__ import annotations

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from guard.errors import CredentialError, KeyStoreError
from guard.provenance.certificates import DEVELOPMENT, issue_development
from guard.provenance.signer import Signer

__all__ = ["DevelopmentKeys", "KeyStatus", "KeyStore"]

_SIGNER = "signer.pem"  # key and chain in one file, so that one atomic rename replaces both
_ANCHORS = "anchors.pem"
_MARKS = "mark-keys"
_MARK_KEY_BYTES = 32
_BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----"


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
    """What may be shown of a key store: no secrets. `fingerprint` is the leaf's SHA-256, hexadecimal."""

    folder: Path
    subject: str
    alg: str
    expires: datetime
    fingerprint: str
    development: bool
    mark_keys: int


class KeyStore:
    """The signing key with its certificates, the trusted roots, and the ring of watermark keys."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "keys"

    def init_development(self, force: bool = False) -> DevelopmentKeys:
        """Make a development authority, a signer under it, and a watermark key.

        `force` replaces the signer. Former authorities stay trusted and former watermark keys stay in the
        ring, since files released under them are still out there.
        Raises `KeyStoreError` if a signer exists and `force` is off, or the folder cannot be written.
        """
        with self._locked():
            if (self.folder / _SIGNER).exists() and not force:
                raise KeyStoreError(f"{self.folder} already holds keys.", "Replace them with --force.")
            key, leaf, authority = issue_development()
            former = self.anchors() if (self.folder / _ANCHORS).exists() else ""
            # The signer comes last: a crash before it leaves the former one, or none, and all it needs.
            self._write(_ANCHORS, authority + former)
            if not (self.folder / _MARKS).exists():
                self._write(_MARKS, _new_mark_key())
            self._write(_SIGNER, key + leaf)
        status = self.status()
        return DevelopmentKeys(self.folder, status.fingerprint, status.expires)

    def signer(self) -> Signer:
        """The signer. Raises `KeyStoreError` if it is absent, open to others, unreadable or expired."""
        signer = self._load_signer()
        try:
            signer.require_current()
        except CredentialError as error:
            raise KeyStoreError(error.message, error.remedy) from error
        return signer

    def anchors(self) -> str:
        """The certificates (PEM) whose signers this Guard trusts, newest first."""
        return self._read(_ANCHORS)

    def mark_keys(self) -> tuple[bytes, ...]:
        """The ring of watermark keys, 32 bytes each, newest first: that one embeds, all are tried to read."""
        try:
            keys = tuple(bytes.fromhex(line) for line in self._read(_MARKS).split())
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
        with self._locked():
            self.mark_keys()
            self._write(_MARKS, _new_mark_key() + self._read(_MARKS))

    def status(self) -> KeyStatus:
        """What `guard keys show` prints. An expired signer still has a status."""
        signer = self._load_signer()
        leaf = signer.chain[0]
        return KeyStatus(
            folder=self.folder,
            subject=leaf.subject.rfc4514_string(),
            alg=signer.alg,
            expires=signer.expires,
            fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
            development=_organisation(leaf.issuer) == DEVELOPMENT,
            mark_keys=len(self.mark_keys()),
        )

    def _load_signer(self) -> Signer:
        key, marker, chain = self._read(_SIGNER).partition(_BEGIN_CERTIFICATE)
        try:
            return Signer.from_pem(marker + chain, key)
        except CredentialError as error:
            raise KeyStoreError(f"{self.folder / _SIGNER}: {error.message}", error.remedy) from error

    def _read(self, name: str) -> str:
        path = self.folder / name
        _refuse_open(self.folder, "700")
        _refuse_open(path, "600")
        try:
            return path.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise KeyStoreError(f"{path} cannot be read.", "Check its owner and contents.") from error

    def _write(self, name: str, text: str) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.folder / name)
        except BaseException:
            os.unlink(temporary)
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder, which is made if absent, against other processes that change it."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise KeyStoreError(
                f"{self.folder} cannot be made: {error.strerror}.", "Set GUARD_HOME."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise KeyStoreError(f"{self.folder} cannot be written: {error.strerror}.") from error
        finally:
            os.close(descriptor)


def _refuse_open(path: Path, mode: str) -> None:
    """Raise `KeyStoreError` if `path` is absent or anyone but its owner may use it."""
    try:
        open_to = path.stat().st_mode & 0o077
    except FileNotFoundError as error:
        raise KeyStoreError(
            f"There are no keys: {path} is missing.", "Make some with: guard keys init"
        ) from error
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be read: {error.strerror}.", "Check its owner.") from error
    if open_to:
        raise KeyStoreError(f"{path} is open to other users.", f"Close it with: chmod {mode} {path}")


def _new_mark_key() -> str:
    return secrets.token_hex(_MARK_KEY_BYTES) + "\n"


def _organisation(name: x509.Name) -> str | None:
    attributes = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(attributes[0].value) if attributes else None
