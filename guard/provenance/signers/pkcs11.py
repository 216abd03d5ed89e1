"""A private key in a token or hardware security module, through PKCS#11 (OASIS, version 2.40 and later)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from hashlib import new
from threading import Lock
from typing import Any

from guard.errors import MissingExtraError, SigningOutageError

__all__ = ["Pkcs11Key"]

_DIGESTS = {"es256": "sha256", "es384": "sha384", "es512": "sha512"}
_SESSIONS: dict[tuple[str, str], Any] = {}
_LOCK = Lock()


@dataclass(frozen=True, slots=True)
class Pkcs11Key:
    """The private key labelled `label` on the token `token`, by way of the shared library `module`.

    One session is kept open for each token: logging in takes longer than signing does, and a session works
    on one signature at a time.
    """

    module: str
    token: str
    label: str
    alg: str
    pin: str | None = field(default=None, repr=False)

    def __call__(self, data: bytes) -> bytes:
        """The signature of `data`. Raises `SigningOutageError` where the token does not give one."""
        try:
            import pkcs11
        except ImportError as error:
            raise MissingExtraError("Signing with a PKCS#11 token", "hsm") from error
        with _LOCK:
            known = (self.module, self.token) in _SESSIONS
            try:
                return self._sign(data)
            except (pkcs11.PKCS11Error, RuntimeError) as error:
                _SESSIONS.pop((self.module, self.token), None)
                if not known:
                    raise self._outage(error) from error
            try:  # The token may have been restarted since: a session from before is worth nothing.
                return self._sign(data)
            except (pkcs11.PKCS11Error, RuntimeError) as error:
                _SESSIONS.pop((self.module, self.token), None)
                raise self._outage(error) from error

    def _sign(self, data: bytes) -> bytes:
        from pkcs11 import MGF, Mechanism, ObjectClass

        key = self._session().get_key(object_class=ObjectClass.PRIVATE_KEY, label=self.label)
        if self.alg == "ed25519":
            return bytes(key.sign(data, mechanism=Mechanism.EDDSA))
        if self.alg == "ps256":
            pss = (Mechanism.SHA256, MGF.SHA256, 32)
            return bytes(key.sign(data, mechanism=Mechanism.SHA256_RSA_PKCS_PSS, mechanism_param=pss))
        # Hashed here: not every token knows ECDSA_SHA384.
        return bytes(key.sign(new(_DIGESTS[self.alg], data).digest(), mechanism=Mechanism.ECDSA))

    def _session(self) -> Any:
        import pkcs11

        place = (self.module, self.token)
        if place not in _SESSIONS:
            token = pkcs11.lib(self.module).get_token(token_label=self.token)
            try:
                _SESSIONS[place] = token.open(user_pin=self.pin)
            except pkcs11.UserAlreadyLoggedIn:  # by another session of this process: one login serves all
                _SESSIONS[place] = token.open()
        return _SESSIONS[place]

    def _outage(self, error: Exception) -> SigningOutageError:
        said = type(error).__name__ + (f": {error}" if str(error) else "")
        return SigningOutageError(
            f"The token '{self.token}' does not sign with its key '{self.label}' ({said}).",
            f"Check that {self.module} sees them: pkcs11-tool --module {self.module} --login --list-objects",
        )


def _after_fork() -> None:
    """A child has no part in its parent's sessions and has to open the module anew (PKCS#11 §6.7.1)."""
    if not _SESSIONS:
        return
    import pkcs11

    for module in {module for module, _ in _SESSIONS}:
        pkcs11.lib(module).reinitialize()
    _SESSIONS.clear()


os.register_at_fork(after_in_child=_after_fork)
