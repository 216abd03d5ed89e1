"""`guard log`: the transparency log, for its operator and for whoever wants to check it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from guard.cli.failures import FINE, NO
from guard.cli.files import check_output, write_file
from guard.cli.output import JsonFlag, emit, printable, say
from guard.errors import InputError, LedgerError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from guard.app import App
    from guard.ledger.audit import Report
    from guard.ledger.log.note import VerifierKey

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Checkpoints and proofs of the transparency log; check it.")

_Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it there instead.")]
_Keys = Annotated[
    list[str] | None,
    typer.Option("--public-key", metavar="KEY", help="The log's key, or a file of keys; may be repeated."),
]
_SHOWN = 20


@app.command("checkpoint")
def checkpoint(out: _Out = None) -> None:
    """Show the newest signed checkpoint: put it aside, and later check the log against it."""
    with _opened() as opened:
        _give(opened.ledger.log.checkpoint(), out)


@app.command("key")
def key(
    rotate: Annotated[bool, typer.Option("--rotate", help="Sign with a fresh key from now on.")] = False,
) -> None:
    """Show the log's public keys, newest first: those before it verify older checkpoints."""
    with _opened() as opened:
        if rotate:
            opened.rotate_log_key()
        say("\n".join(map(str, opened.log_keys())))


@app.command("prove")
def prove(
    what: Annotated[
        str | None,
        typer.Argument(metavar="RELEASE|FILE", help="A release's id, or a file.", show_default=False),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="SIZE|FILE", help="Prove instead that the log continues that checkpoint."
        ),
    ] = None,
    out: _Out = None,
) -> None:
    """Give the receipt of a release, which proves that the log has it; or a proof of consistency.

    Exits 1 where the ledger knows no such release.
    """
    if (what is None) == (since is None):
        raise InputError("Name a release or a file, or --since a checkpoint.", "One of them.")
    with _opened() as opened:
        proof = _receipt(opened, what) if what is not None else _continuation(opened, str(since))
    if proof is None:
        say(f"The ledger knows no release of {printable(str(what))}.", to_stderr=True)
        raise typer.Exit(NO)
    _give(json.dumps(proof) + "\n", out)


@app.command("verify")
def verify(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="The released file that a receipt is of.", show_default=False),
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option("--receipt", metavar="F", help="Check this receipt, without a ledger.")
    ] = None,
    checkpoints: Annotated[
        list[Path] | None,
        typer.Option("--checkpoint", metavar="F", help="A checkpoint that was put aside; may be repeated."),
    ] = None,
    consistency: Annotated[
        Path | None,
        typer.Option(
            "--consistency", metavar="F", help="Check this proof against --checkpoint, without a ledger."
        ),
    ] = None,
    public_keys: _Keys = None,
    tsa_roots: Annotated[
        Path | None, typer.Option("--tsa-roots", metavar="PEM", help="Check time-stamps of checkpoints too.")
    ] = None,
    as_json: Annotated[bool, JsonFlag] = False,
) -> None:
    """Check a receipt, a proof of consistency, or else the whole ledger against its log.

    Each row that was rewritten, dropped, moved or slipped in is named; that the log was cut short shows
    against a checkpoint that was put aside. Exits 0 where all is as the log says.
    """
    from guard.cli import logchecks

    try:
        if receipt is not None:
            record, text = logchecks.receipt(receipt, files or [], _keys(public_keys))
        elif consistency is not None:
            record, text = logchecks.consistency(consistency, checkpoints or [], _keys(public_keys))
        else:
            record, text = _whole(checkpoints or [], public_keys, tsa_roots)
    except LedgerError as error:
        record, text = {"valid": False, "problems": [str(error)]}, Text(printable(str(error)), "bold red")
    emit(record) if as_json else say(text)
    raise typer.Exit(FINE if record["valid"] else NO)


@app.command("attach")
def attach(
    cosigned: Annotated[
        Path, typer.Argument(metavar="FILE", help="The checkpoint as witnesses cosigned it.")
    ],
    witness: Annotated[list[str], typer.Option(metavar="KEY", help="A witness's key; may be repeated.")],
) -> None:
    """Keep the cosignatures of witnesses; they are shown with the checkpoint from then on."""
    from guard.cli.logchecks import read_keys, read_text

    with _opened() as opened:
        names = opened.ledger.log.attach(read_text(cosigned), read_keys(witness))
    say(f"Cosigned by {printable(', '.join(names))}.")


@app.command("anchor")
def anchor(
    authority: Annotated[
        str | None, typer.Option("--tsa", metavar="URL", help="Ask this one, not those of GUARD_TIMESTAMPS.")
    ] = None,
) -> None:
    """Have the newest checkpoint time-stamped (RFC 3161), and keep the token."""
    from guard.ledger.log.checkpoint import Checkpoint
    from guard.ledger.log.note import Note
    from guard.provenance.timestamp import TimestampAuthority, stamp

    with _opened() as opened:
        addresses = [authority] if authority else opened.settings.timestamps
        if not addresses:
            raise InputError("No time-stamping authority is set.", "Give --tsa URL, or set GUARD_TIMESTAMPS.")
        newest = Checkpoint.parse(Note.parse(opened.ledger.log.checkpoint()).text)
        token = stamp([TimestampAuthority(address) for address in addresses], str(newest).encode())
        opened.ledger.log.anchor(newest, ", ".join(addresses)[:255], token)
    say(f"The checkpoint of {newest.size} leaves is time-stamped.")


def _opened() -> Any:
    from guard.app import open_app
    from guard.settings import load_settings

    return open_app(load_settings())


def _give(text: str, out: Path | None) -> None:
    if out is None:
        typer.echo(text, nl=False)
        return
    check_output(out)
    write_file(out, text.encode())


def _receipt(opened: App, what: str) -> dict[str, Any] | None:
    import hashlib

    path = Path(what)
    if path.is_file():
        entry = opened.ledger.by_sha256(hashlib.sha256(path.read_bytes()).hexdigest())
        known = entry.id if entry else ""
    else:
        known = what.lower()
    found = opened.ledger.receipt(known)
    return found.as_json() if found else None


def _continuation(opened: App, since: str) -> dict[str, Any]:
    from guard.cli.logchecks import open_checkpoint
    from guard.ledger.log.checkpoint import Checkpoint
    from guard.ledger.log.note import Note

    old = int(since) if since.isdecimal() else open_checkpoint(Path(since), opened.log_keys()).size
    note = opened.ledger.log.checkpoint()
    new = Checkpoint.parse(Note.parse(note).text).size
    proof = opened.ledger.log.consistency(old, new)
    return {"from": old, "to": new, "consistency_proof": [each.hex() for each in proof], "checkpoint": note}


def _keys(public_keys: list[str] | None) -> tuple[VerifierKey, ...]:
    """The keys given, else this Guard's own."""
    from guard.cli.logchecks import read_keys

    if public_keys:
        return read_keys(public_keys)
    with _opened() as opened:
        own: tuple[VerifierKey, ...] = opened.log_keys()
        return own


def _whole(
    checkpoints: list[Path], public_keys: list[str] | None, tsa_roots: Path | None
) -> tuple[dict[str, Any], Text]:
    from guard.cli.logchecks import open_checkpoint, read_certificates, read_keys
    from guard.ledger.audit import audit

    roots = read_certificates(tsa_roots) if tsa_roots else []
    with _opened() as opened:
        keys = read_keys(public_keys) if public_keys else opened.log_keys()
        kept = [open_checkpoint(path, keys) for path in checkpoints]
        report = audit(opened.ledger.engine, keys, kept)
        stamped = _anchors(opened, report, roots) if roots else []
    record = {
        "valid": not report.problems,
        "leaves": report.leaves,
        "records": report.rows,
        "checkpoints": report.checkpoints,
        "root": report.root.hex(),
        "anchors": stamped,
        "problems": report.problems,
    }
    return record, _audit_text(report, stamped)


def _anchors(opened: App, report: Report, roots: list[Certificate]) -> list[dict[str, Any]]:
    from guard.ledger.log.anchor import check_anchor

    stamped = []
    for anchored, authority, token in opened.ledger.log.anchors():
        try:
            moment = check_anchor(anchored, token, roots)
        except (InputError, LedgerError) as error:
            report.found(error.message)
        else:
            stamped.append({"size": anchored.size, "authority": authority, "at": moment.isoformat()})
    return stamped


def _audit_text(report: Report, stamped: list[dict[str, Any]]) -> Text:
    counts = f"{report.rows} records, {report.leaves} leaves, {report.checkpoints} checkpoints"
    if not report.problems:
        text = Text.assemble(("as the log says", "bold green"), f"  {counts}")
    else:
        text = Text.assemble(("not as the log says", "bold red"), f"  {counts}")
        for problem in report.problems[:_SHOWN]:
            text.append(f"\n  {printable(problem)}")
        if len(report.problems) > _SHOWN:
            text.append(f"\n  and {len(report.problems) - _SHOWN} more: see --json")
    for each in stamped:
        text.append(f"\n  {each['size']} leaves time-stamped at {each['at']}", "dim")
    return text
