"""What a signature is worth once its certificate has expired: as much as its time stamp says."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from guard.provenance.certificates import to_pem
from guard.provenance.codes import explain
from guard.provenance.read import read
from guard.provenance.sign import sign
from guard.provenance.signer import Signer
from guard.provenance.timestamp import TimestampAuthority
from guard.provenance.trust import ListKind, Trust, TrustList
from tests.unit.provenance.certifying import Authority, key_of, key_pem
from tests.unit.provenance.media import image, text
from tests.unit.provenance.stamping import serving
from tests.unit.provenance.test_read import Maker

LIFE = timedelta(seconds=4)  # nobody signs with an expired certificate, so the test has to wait for its end


def test_only_a_time_stamp_by_a_trusted_authority_outlives_the_certificate(claim: Maker) -> None:
    authority, key = Authority(), key_of("p256")
    own = TrustList("signers", authority.pem)
    with serving() as responder:
        leaf = authority.issue(key, end=datetime.now(UTC) + LIFE)
        bare = Signer.from_pem(to_pem(leaf), key_pem(key))
        stamping = replace(bare, timestamps=(TimestampAuthority(responder.url),))
        pictures = [sign(image(), claim(), each).artifact for each in (bare, stamping)]
        words = sign(text("The hill is green.\n"), claim(), stamping).artifact
    known = Trust().plus(own, TrustList("stamps", responder.root, ListKind.TIMESTAMPS))
    time.sleep(max(0.0, (leaf.not_valid_after_utc - datetime.now(UTC)).total_seconds() + 1.1))
    for artifact, trust, state in (
        (pictures[0], known, "invalid"),
        (pictures[1], known, "trusted"),
        (words, known, "trusted"),
        (pictures[1], Trust().plus(own), "invalid"),
        (words, Trust().plus(own), "invalid"),
    ):
        found = read(artifact, trust=trust)
        assert found.state == state, found.codes
        if state == "invalid":
            assert "signingCredential.expired" in found.codes
            assert explain("signingCredential.expired") in found.explanation
