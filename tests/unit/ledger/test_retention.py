"""Personal data leave on demand and after a time; the log tells that they did and stays verifiable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from guard.errors import InputError
from guard.ledger import Entry, Status
from guard.ledger.audit import audit
from guard.ledger.retention import forget_caller, forget_release, prune
from guard.ledger.text_sketch import make_sketch
from tests.unit.ledger.conftest import Logged
from tests.unit.ledger.test_store import entry, passage

FINDING = {"signal": "insult", "spans": [{"start": 0, "text": "what Alice wrote"}]}


def personal(number: int, **changes: object) -> Entry:
    return entry(number, caller="alice", prompt_sha256="a" * 64, findings=[FINDING], **changes)


def sound(logged: Logged) -> bool:
    return audit(logged.ledger.engine, logged.keys).problems == []


def test_one_release_is_forgotten(logged: Logged) -> None:
    logged.ledger.record([personal(1), personal(2)])
    receipt = logged.ledger.receipt(entry(1).id)
    assert forget_release(logged.ledger, entry(1).id) == 1
    left = logged.ledger.by_id(entry(1).id)
    assert left is not None
    assert (left.caller, left.prompt_sha256, left.findings) == (None, None, [])
    assert (left.sha256, left.manifest, left.sketch) == (entry(1).sha256, b"manifest", b"sketch")
    assert logged.ledger.by_id(entry(2).id).caller == "alice"
    assert logged.ledger.receipt(entry(1).id) == receipt
    assert logged.ledger.log.size() == 3
    assert logged.ledger.log.inclusion(2).facts()["kind"] == "forgotten"
    assert sound(logged)


def test_what_is_forgotten_is_forgotten_once(logged: Logged) -> None:
    logged.ledger.record([personal(1)])
    assert [forget_release(logged.ledger, entry(1).id) for _ in range(2)] == [1, 0]
    assert forget_release(logged.ledger, entry(1).id, content=True) == 1
    assert forget_release(logged.ledger, entry(1).id, content=True) == 0
    assert sound(logged)


def test_a_callers_releases_and_refusals_are_forgotten(logged: Logged) -> None:
    logged.ledger.record([personal(n) for n in range(1, 5)])
    logged.ledger.record([personal(5, status=Status.BLOCKED), entry(6, caller="bob")])
    assert forget_caller(logged.ledger, "alice") == 5
    assert forget_caller(logged.ledger, "alice") == 0
    assert logged.ledger.by_id(entry(6).id).caller == "bob"
    assert sound(logged)


def test_many_are_forgotten_in_steps(logged: Logged) -> None:
    logged.ledger.record([personal(n) for n in range(1, 600)])
    assert forget_caller(logged.ledger, "alice") == 599
    assert sound(logged)


def test_with_its_content_nothing_finds_a_copy(logged: Logged) -> None:
    sketch = make_sketch(passage(1, 60))
    assert sketch is not None
    logged.ledger.record([personal(1, modality="text", sketch=sketch, manifest_label="urn:c2pa:one")])
    assert logged.ledger.by_text(sketch)
    assert logged.ledger.by_manifest("urn:c2pa:one") is not None
    assert forget_release(logged.ledger, entry(1).id, content=True) == 1
    assert logged.ledger.by_text(sketch) == []
    assert logged.ledger.by_manifest("urn:c2pa:one") is None
    left = logged.ledger.by_id(entry(1).id)
    assert left is not None
    assert (left.manifest, left.sketch, left.manifest_label) == (None, None, None)
    assert sound(logged)


def test_what_is_old_is_pruned(logged: Logged) -> None:
    old = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    logged.ledger.record([personal(1, created_at=old), personal(2)])
    assert prune(logged.ledger, 30) == 1
    assert logged.ledger.by_id(entry(1).id).caller is None
    assert logged.ledger.by_id(entry(2).id).caller == "alice"
    assert sound(logged)


def test_a_stream_is_forgotten_after_its_end(logged: Logged) -> None:
    logged.ledger.record([personal(1, status=Status.STREAMING)])
    with pytest.raises(InputError, match="still streaming"):
        forget_release(logged.ledger, entry(1).id)
    assert forget_caller(logged.ledger, "alice") == 0
    logged.ledger.record([personal(1)])
    assert forget_release(logged.ledger, entry(1).id) == 1
    assert sound(logged)


def test_what_is_not_on_record_cannot_be_forgotten(logged: Logged) -> None:
    with pytest.raises(InputError, match="No release has the id"):
        forget_release(logged.ledger, "0" * 16)


@pytest.mark.parametrize("ledger_url", ["sqlite"], indirect=True)
def test_no_byte_of_it_stays_in_the_file(logged: Logged, tmp_path: Path) -> None:
    logged.ledger.record([entry(1, caller="somebody-in-particular", findings=[FINDING])])
    forget_release(logged.ledger, entry(1).id)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files
    for path in files:
        data = path.read_bytes()
        assert b"somebody-in-particular" not in data, path
        assert b"what Alice wrote" not in data, path


def test_a_forged_event_is_not_taken_for_the_logs(logged: Logged) -> None:
    """Whoever drops data themselves would have to log it: without the key they cannot."""
    logged.ledger.record([personal(1)])
    logged.tamper("UPDATE releases SET caller = NULL, prompt_sha256 = NULL, findings = '[]', salt = NULL")
    assert not sound(logged)
    with logged.ledger.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM log_leaves")).scalar() == 1
