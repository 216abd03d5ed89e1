"""C2PA status codes in plain words (C2PA 2.4 §15, status code tables)."""

from __future__ import annotations

__all__ = ["UNTRUSTED", "explain", "is_success"]

UNTRUSTED = "signingCredential.untrusted"
"""Listed among the failures by the specification, although a manifest that has it is Valid."""

_SENTENCES = {
    UNTRUSTED: "The signer's certificate leads to no authority on the trust list.",
    "signingCredential.invalid": "The signer's certificate is of a kind that may not sign credentials.",
    "signingCredential.expired": "The signer's certificate has expired, and no time stamp helps.",
    "signingCredential.ocsp.revoked": "The signer's certificate was revoked by its authority.",
    "signingCredential.ocsp.skipped": "Whether the signer's certificate was revoked has not been asked.",
    "signingCredential.ocsp.inaccessible": "The authority could not be asked about the signer's certificate.",
    "claimSignature.mismatch": "The signature does not fit the claim: one of them was changed.",
    "claimSignature.missing": "The claim is not signed.",
    "claimSignature.outsideValidity": "Nothing shows that the signer's certificate was in force at signing.",
    "claim.missing": "The manifest holds no claim.",
    "claim.multiple": "The manifest holds more than one claim, so none can be relied on.",
    "claim.malformed": "The claim is not built as the specification requires.",
    "claim.cbor.invalid": "The claim is damaged: it cannot be decoded.",
    "claim.hardBindings.missing": "The claim is not tied to any content, so it could be moved to any file.",
    "assertion.dataHash.mismatch": "The content was changed after it was signed, or belongs to another file.",
    "assertion.bmffHash.mismatch": "The media was changed after it was signed, or belongs to another file.",
    "assertion.boxesHash.mismatch": "A part of the file was changed after it was signed.",
    "assertion.boxesHash.unknownBox": "The file holds a part that the signature does not cover.",
    "assertion.collectionHash.mismatch": "A file of the signed collection was changed.",
    "assertion.multiAssetHash.mismatch": "A part of the file that is signed separately was changed.",
    "assertion.dataHash.malformed": "The claim's tie does not fit the content: some was added or removed.",
    "assertion.dataHash.additionalExclusionsPresent": "The signature leaves out more than the manifest.",
    "assertion.bmffHash.additionalExclusionsPresent": "The signature leaves out parts of the file.",
    "assertion.bmffHash.malformed": "The tie between claim and media data is malformed.",
    "assertion.hashedURI.mismatch": "A statement in the manifest was changed after it was signed.",
    "assertion.missing": "A statement that the claim refers to is gone.",
    "assertion.undeclared": "The manifest holds a statement that the signature does not cover.",
    "assertion.inaccessible": "A statement that is kept elsewhere was not fetched.",
    "assertion.notRedacted": "A statement that was to be removed is still there.",
    "assertion.selfRedacted": "The manifest claims to have removed one of its own statements.",
    "assertion.action.malformed": "The file's history does not begin with its creation or opening.",
    "assertion.action.ingredientMismatch": "A step of the file's history names no matching ingredient.",
    "assertion.action.softBindingMissing": "The history says the file was watermarked, but not with what.",
    "assertion.action.redactionMismatch": "The history tells of a removed statement, but not of which.",
    "assertion.multipleHardBindings": "The claim is tied to the content twice, so neither tie counts.",
    "assertion.outsideManifest": "The claim vouches for a statement outside its own manifest.",
    "assertion.cbor.invalid": "A statement in the manifest is damaged: it cannot be decoded.",
    "assertion.json.invalid": "A statement in the manifest is damaged: it is not JSON.",
    "hashedURI.missing": "Something that a statement refers to is gone.",
    "hashedURI.mismatch": "Something that a statement refers to was changed.",
    "ingredient.manifest.missing": "The credentials of an ingredient are gone.",
    "ingredient.manifest.mismatch": "The credentials of an ingredient were changed.",
    "ingredient.claimSignature.mismatch": "The signature in an ingredient's credentials was changed.",
    "ingredient.unknownProvenance": "An ingredient came without credentials.",
    "manifest.inaccessible": "The credentials are kept elsewhere and were not fetched.",
    "manifest.multipleParents": "The file claims to have been made from two parents at once.",
    "manifest.compressed.invalid": "The compressed credentials cannot be unpacked.",
    "manifest.update.invalid": "An update to the credentials changes what an update may not change.",
    "manifest.timestamp.invalid": "A time stamp added later is not built as the specification requires.",
    "manifest.text.corruptedWrapper": "The invisible characters that carry a text's credentials are damaged.",
    "manifest.text.multipleWrappers": "The text carries two sets of credentials that both claim it.",
    "timeStamp.mismatch": "The time stamp belongs to another signature.",
    "timeStamp.malformed": "The time stamp is damaged.",
    "timeStamp.untrusted": "The time stamp is from an authority that is not on the trust list.",
    "timeStamp.outsideValidity": "The time stamp's authority had no certificate in force.",
    "algorithm.unsupported": "The credentials use an algorithm that C2PA does not allow.",
    "algorithm.deprecated": "The credentials use an algorithm that C2PA is giving up.",
    "cawg.x509.credential.untrusted": "The person or organisation named in it is not confirmed.",
    "cawg.ica.signature_mismatch": "The statement about a person or organisation is forged.",
    "cawg.ica.untrusted_issuer": "The statement about a person or organisation comes from an unknown source.",
    "general.error": "The credentials break a rule that has no code of its own.",
}

_SUCCESS_ENDINGS = (".validated", ".match", ".trusted", ".insideValidity", ".notRevoked", ".accessible")


def explain(code: str) -> str:
    """One sentence on `code`, for people who never read the specification."""
    return _SENTENCES.get(code, f"Validation reported {code}.")


def is_success(code: str) -> bool:
    """Whether `code` reports a check that passed: manifests of old versions mix them with failures."""
    return code.endswith(_SUCCESS_ENDINGS)
