"""Credentials as people read them, and whom `guard credential show` is told to trust."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from guard.cli.output import printable
from guard.errors import InputError

if TYPE_CHECKING:
    from guard.provenance.credential import Credential, Ingredient
    from guard.provenance.trust import ListKind, Trust, TrustList

__all__ = ["credential_text", "require_today", "trust_in"]

_STYLES = {"trusted": "bold green", "valid": "green", "absent": "yellow"}


def trust_in(signers: Sequence[Path], timestamps: Sequence[Path]) -> Trust:
    """Trust in the certificates of these files and in no others. Raises `InputError`."""
    from guard.provenance.trust import ListKind, Trust

    lists = [_list(path, ListKind.SIGNERS) for path in signers]
    return Trust().plus(*lists, *(_list(path, ListKind.TIMESTAMPS) for path in timestamps))


def require_today(at: datetime | None) -> None:
    """Raise `InputError` for any other day: the library knows no clock but the machine's."""
    today = datetime.now(UTC).date()
    if at is not None and at.date() != today:
        raise InputError(
            f"Credentials can be judged as of today, {today}, and not as of {at.date()}.",
            "Leave --at out, or set the machine's clock: the library reads no other.",
        )


def credential_text(file: str, credential: Credential) -> Text:
    """The state, what the manifest states, where it comes from, and why, in that order."""
    state = credential.state.value
    text = Text.assemble(_styled(state), f"  {printable(file)}\n")
    facts = {
        "issuer": credential.issuer,
        "trusted by": credential.trusted_by,
        "generator": credential.generator,
        "created": credential.created,
        "release": credential.release_id,
        "soft binding": ", ".join(": ".join(binding) for binding in credential.soft_bindings),
        "codes": ", ".join(credential.codes),
    }
    for name, value in facts.items():
        if value:
            text.append(f"  {name:<13}{printable(value)}\n")
    for branch in _tree(credential.ingredients, "  "):
        text.append_text(branch)
    for warning in credential.warnings:
        text.append(f"  warning: {printable(warning)}\n", "yellow")
    for line in credential.explanation:
        text.append(f"    {printable(line)}\n", "dim")
    return text


def _tree(ingredients: Sequence[Ingredient], indent: str) -> Iterator[Text]:
    for number, each in enumerate(ingredients, 1):
        last = number == len(ingredients)
        title = printable(each["title"] or "without a title")
        line = Text.assemble(f"{indent}{'└' if last else '├'} ", _styled(each["state"]), f"  {title}")
        parts = (each["relationship"], each["issuer"], ", ".join(each["codes"]))
        line.append("".join(f"  {printable(part)}" for part in parts if part) + "\n", "dim")
        yield line
        yield from _tree(each["ingredients"], indent + ("  " if last else "│ "))


def _styled(state: str) -> tuple[str, str]:
    return state, _STYLES.get(state, "bold red")


def _list(path: Path, kind: ListKind) -> TrustList:
    from guard.provenance.trust import TrustList
    from guard.provenance.trust_store import certificates_in

    try:
        return TrustList(path.name, certificates_in(path.read_bytes()), kind)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path} cannot be used as a trust list.", "Give a file of certificates in PEM form."
        ) from error
