"""What `guard log verify` checks without a ledger: a receipt, or that one checkpoint continues another."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography import x509
from rich.text import Text

from guard.cli.output import printable
from guard.errors import InputError
from guard.ledger.log.checkpoint import Checkpoint
from guard.ledger.log.inclusion import Inclusion
from guard.ledger.log.merkle import check_consistency
from guard.ledger.log.note import VerifierKey

if TYPE_CHECKING:
    Result = tuple[dict[str, Any], Text]

__all__ = ["consistency", "open_checkpoint", "read_certificates", "read_keys", "read_text", "receipt"]

_MOST_BYTES = 1 << 20
_BLOCK = 1 << 20


def receipt(path: Path, files: Sequence[Path], keys: Sequence[VerifierKey]) -> Result:
    """Whether a receipt (JSON, or the value of the header `x-guard-receipt`) is proved, and of which files it
    is. Raises `LedgerError` where it is not, `InputError` where it cannot be read."""
    proved = Inclusion.from_json(_record(path))
    checkpoint = proved.check(keys)
    facts = proved.facts()
    known = {facts.get("sha256"), facts.get("content_sha256")} - {None}
    others = [file for file in files if _sha256(file) not in known]
    problems = [f"{file} is not what this receipt is of." for file in others]
    record = {
        "valid": not problems,
        "release_id": facts.get("id"),
        "status": facts.get("status"),
        "sha256": facts.get("sha256"),
        "at": facts.get("at"),
        "leaf_index": proved.index,
        "tree_size": checkpoint.size,
        "origin": checkpoint.origin,
        "problems": problems,
    }
    return record, _text(problems, f"release {facts.get('id')} is leaf {proved.index} of {checkpoint.origin}")


def consistency(path: Path, checkpoints: Sequence[Path], keys: Sequence[VerifierKey]) -> Result:
    """Whether a proof of `guard log prove --since` shows that its checkpoint continues each of those kept.
    Raises `LedgerError` where it does not, `InputError` where it cannot be read."""
    if not checkpoints:
        raise InputError("A proof of consistency starts from a checkpoint.", "Name it: --checkpoint F")
    record = _record(path)
    try:
        proof = [bytes.fromhex(each) for each in record["consistency_proof"]]
        new = Checkpoint.opened(str(record["checkpoint"]), keys)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is no proof of consistency.", "See guard log prove --since.") from error
    for each in checkpoints:
        old = open_checkpoint(each, keys)
        check_consistency(old.size, new.size, proof, old.root, new.root)
    told = f"{new.origin} of {new.size} leaves continues the checkpoint kept"
    return {"valid": True, "origin": new.origin, "to": new.size, "problems": []}, _text([], told)


def open_checkpoint(path: Path, keys: Sequence[VerifierKey]) -> Checkpoint:
    """The checkpoint in a file, signed by one of `keys`. Raises `InputError` or `LedgerError`."""
    return Checkpoint.opened(read_text(path), keys)


def read_keys(named: Iterable[str]) -> tuple[VerifierKey, ...]:
    """Keys as they are written, and those in files. Raises `InputError`."""
    texts = [line for each in named for line in (read_text(Path(each)).split() if _is_file(each) else [each])]
    return tuple(map(VerifierKey.parse, texts))


def read_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates in a PEM file. Raises `InputError`."""
    try:
        return x509.load_pem_x509_certificates(read_text(path).encode())
    except ValueError as error:
        raise InputError(f"{path} holds no certificates.", "Give a PEM file.") from error


def read_text(path: Path) -> str:
    """A small file. Raises `InputError`."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) <= _MOST_BYTES:
            return data.decode()
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path} cannot be read.", "Check its name and contents.") from error
    raise InputError(f"{path} is too large.", "Receipts, keys and checkpoints are small.")


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except OSError:  # too long for a name
        return False


def _record(path: Path) -> Mapping[str, Any]:
    text = read_text(path).strip()
    try:
        if not text.startswith("{"):
            text = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is neither JSON nor a receipt's header.") from error
    if not isinstance(record, dict):
        raise InputError(f"{path} is no JSON object.")
    inner = record.get("receipt")
    return inner if isinstance(inner, dict) else record


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def _text(problems: Sequence[str], told: str) -> Text:
    if problems:
        return Text("\n".join(map(printable, problems)), "bold red")
    return Text.assemble(("proved", "bold green"), f"  {printable(told)}")
