"""Manifests that are signed apart from the file they bind, whose place in it Guard then chooses itself.

The library embeds manifests in files of types that it knows, and holds those in memory. Here it signs a
manifest whose hard binding was computed beforehand, and never sees the file.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import c2pa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from guard.provenance.binding import MISMATCH, Binding
from guard.provenance.codes import UNTRUSTED
from guard.provenance.credential import Credential, CredentialState
from guard.provenance.report import Report
from guard.provenance.sdk import context
from guard.provenance.sdk_signer import sdk_signer
from guard.provenance.signer import Signer
from guard.provenance.trust import Trust

__all__ = ["AddIngredients", "binding_in", "dry_run", "judge", "sign_apart"]

AddIngredients = Callable[[c2pa.Builder], None]
_BYTES = "application/octet-stream"
"""What the library does not look into: it keeps the binding that it is given."""
_SIGNATURES = {"ed25519": 64, "es256": 64, "es384": 96, "es512": 132}


def sign_apart(
    definition: dict[str, Any], binding: Binding, signer: Signer, add_ingredients: AddIngredients
) -> bytes:
    """A manifest store of this definition, bound by `binding` and signed. Raises `c2pa.C2paError`."""
    with sdk_signer(signer) as key:
        return _sign(definition, binding, key, add_ingredients, checked=True)


def dry_run(
    definition: dict[str, Any], binding: Binding, signer: Signer, add_ingredients: AddIngredients
) -> bytes:
    """As `sign_apart`, with ones for a signature: it tells how large a manifest gets and asks no key, which
    may be far away and charge for it. Raises `c2pa.C2paError`."""
    public = signer.chain[0].public_key()
    size = public.key_size // 8 if isinstance(public, RSAPublicKey) else _SIGNATURES[signer.alg]
    algorithm = c2pa.C2paSigningAlg[signer.alg.upper()]
    with c2pa.Signer.from_callback(lambda _: size * b"\xff", algorithm, signer.certificates) as key:
        return _sign(definition, binding, key, add_ingredients, checked=False)


def _sign(
    definition: dict[str, Any],
    binding: Binding,
    key: c2pa.Signer,
    add_ingredients: AddIngredients,
    *,
    checked: bool,
) -> bytes:
    bound = definition | {"assertions": [*definition["assertions"], binding.assertion]}
    with context(checked=checked) as settings, c2pa.Builder(bound, settings) as builder:
        builder.set_no_embed()
        add_ingredients(builder)
        return bytes(builder.sign(key, _BYTES, io.BytesIO(), io.BytesIO()))


def binding_in(store: bytes) -> Binding | None:
    """The tie to its file that a store's active manifest states, if it states one of this kind.

    Raises `c2pa.C2paError`, `ValueError` or `RecursionError` for a store that cannot be read.
    """
    with (
        context() as settings,
        c2pa.Reader("application/c2pa", io.BytesIO(store), context=settings) as reader,
    ):
        return Binding.stated(json.loads(reader.crjson())["manifests"][0])


def judge(store: bytes, trust: Trust, *, fits: bool) -> Credential:
    """What a store is worth to someone with this `trust`, given whether its tie `fits` the file.

    Raises as `binding_in`.
    """
    report = Report.of("application/c2pa", store, trust)
    # The library was shown the store without its file, so it cannot judge the tie.
    failures = [code for code in report.codes("failure") if code != MISMATCH] + [MISMATCH] * (not fits)
    if set(failures) - {UNTRUSTED}:
        state = CredentialState.INVALID
    else:
        state = CredentialState.TRUSTED if report.trusted else CredentialState.VALID
    return report.credential(state, tuple(dict.fromkeys([*failures, *report.codes("informational")])))
