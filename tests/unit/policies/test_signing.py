"""What a policy says of signatures."""

from __future__ import annotations

import pytest

from guard.errors import PolicyError
from policies.base import Outage, Timestamps
from policies.policy import default, loads

HEAD = "name: t\nversion: 1\nrules: []\n"


def test_what_is_left_out_blocks_and_prefers() -> None:
    for policy in (default(), loads(HEAD)):
        assert (policy.on_signer_outage, policy.timestamps) == (Outage.BLOCK, Timestamps.PREFERRED)


@pytest.mark.parametrize("wanted", Timestamps)
def test_both_may_be_said(wanted: Timestamps) -> None:
    policy = loads(HEAD + f"on_signer_outage: queue\ntimestamps: {wanted}")
    assert (policy.on_signer_outage, policy.timestamps) == (Outage.QUEUE, wanted)


@pytest.mark.parametrize("line", ["on_signer_outage: wait", "timestamps: sometimes", "timestamps: true"])
def test_anything_else_is_a_mistake_with_its_place(line: str) -> None:
    with pytest.raises(PolicyError) as caught:
        loads(HEAD + line)
    assert caught.value.line == 4
