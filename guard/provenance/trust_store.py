"""The trust lists that a Guard keeps: the official ones it came with, fresher copies of them, and its owner's
own.

Each list is one file, `GUARD_HOME/trust/NAME.pem`: a few `Field: value` lines, then certificates. A file
there takes the place of the list of the same name that Guard came with.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

from cryptography import x509

from guard.errors import ConfigurationError, InputError
from guard.provenance.trust import CLAIM_SIGNING_EKUS, ListKind, Trust, TrustList

__all__ = ["OFFICIAL", "StoredList", "TrustStore", "certificates_in"]

OFFICIAL = ("c2pa-signers", "c2pa-timestamps")
"""The lists of the C2PA conformance programme; their licence is beside them."""

_BEGIN = "-----BEGIN CERTIFICATE-----"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_OID = re.compile(r"[0-2](\.\d+)+")
_PURPOSES = "store.cfg"
_MOST_BYTES = 4 << 20
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class StoredList:
    """A list as it is kept: `source` is where it came from, an address or a file's name, and `dated` the day
    its publisher gave it or, for want of that, the day it was added."""

    name: str
    title: str
    kind: ListKind
    dated: date
    source: str
    certificates: str

    @property
    def count(self) -> int:
        """How many certificates are on it."""
        return self.certificates.count(_BEGIN)

    def age(self, today: date | None = None) -> int:
        """Days since it was dated."""
        return ((today or datetime.now(UTC).date()) - self.dated).days

    def as_list(self) -> TrustList:
        """What counts of it when a credential is read."""
        return TrustList(self.title, self.certificates, self.kind, self.dated)

    @classmethod
    def parse(cls, name: str, text: str) -> StoredList:
        """A list from its file's text. Raises `ValueError` where that is none."""
        head, begin, rest = text.partition(_BEGIN)
        fields = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
        return cls(
            name=name,
            title=fields.get("Name", name),
            kind=ListKind(fields["Kind"]),
            dated=date.fromisoformat(fields["Dated"]),
            source=fields.get("Source", ""),
            certificates=certificates_in((begin + rest).encode()),
        )

    def text(self) -> str:
        """The file that `parse` reads."""
        fields = {"Name": self.title, "Kind": self.kind, "Dated": self.dated, "Source": self.source}
        lines = (f"{field}: {' '.join(str(value).split())}\n" for field, value in fields.items())
        return "".join(lines) + "\n" + self.certificates


def certificates_in(data: bytes) -> str:
    """The certificates (PEM) in `data`, whatever text is between them.

    Raises `ValueError` where there are none, one is damaged, or the data are too large for a list.
    """
    if len(data) > _MOST_BYTES:
        raise ValueError("it is too large")
    text = data.decode("utf-8")
    blocks = _PEM.findall(text)
    if not blocks or len(blocks) != text.count("-----BEGIN"):
        raise ValueError("it holds no certificates, or a damaged one, or something else")
    found = "\n".join(blocks) + "\n"
    try:
        x509.load_pem_x509_certificates(found.encode())
    except ValueError as error:
        raise ValueError("one of its certificates is damaged") from error
    return found


class TrustStore:
    """The lists under `home`/trust, over those that Guard came with."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "trust"

    def lists(self) -> list[StoredList]:
        """Every list, official ones first. Raises `ConfigurationError` for a damaged one."""
        own = {path.stem: path for path in sorted(self.folder.glob("*.pem"))}
        names = dict.fromkeys([*OFFICIAL, *own])
        return [self._read(name) for name in names]

    def stale(self, days: int) -> list[StoredList]:
        """The official lists that are older than this."""
        return [each for each in self.lists() if each.name in OFFICIAL and each.age() > days]

    def trust(self, *, official: bool = True) -> Trust:
        """Trust in all lists, or in the owner's own alone, under the key purposes of `store.cfg` if there is
        one. Raises `ConfigurationError` for a damaged list or purpose."""
        wanted = (each for each in self.lists() if official or each.name not in OFFICIAL)
        return Trust(ekus=self._purposes()).plus(*(each.as_list() for each in wanted))

    def add(self, added: StoredList) -> None:
        """Keep a list, in the place of any of its name, in one step. Raises `InputError` for a bad name."""
        if not _NAME.fullmatch(added.name):
            raise InputError(
                f"'{added.name}' cannot name a trust list.", "Use small letters, digits and hyphens."
            )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _replace(self.folder / f"{added.name}.pem", added.text())
        except OSError as error:
            raise ConfigurationError(
                f"{self.folder} cannot be written: {error.strerror}.", "Check its owner, or set GUARD_HOME."
            ) from error

    def remove(self, name: str) -> None:
        """Forget a list; of an official one, the fresher copy. Raises `InputError` where there is none."""
        try:
            (self.folder / f"{name}.pem").unlink()
        except FileNotFoundError as error:
            remedy = "See which there are with: guard trust show. To do without the official ones, set "
            raise InputError(
                f"No trust list '{name}' was added here.", f"{remedy}GUARD_TRUST_OFFICIAL=false."
            ) from error

    def _read(self, name: str) -> StoredList:
        path = self.folder / f"{name}.pem"
        try:
            if path.exists():
                found = path.stat()
                return _parsed(name, path, found.st_mtime_ns, found.st_ino)
            return _shipped(name)
        except (OSError, KeyError, ValueError) as error:
            raise ConfigurationError(
                f"{path} is not a trust list.", f"Remove it with: guard trust remove {name}"
            ) from error

    def _purposes(self) -> tuple[str, ...]:
        """Key purposes of `store.cfg`: one OID a line, remarks behind `//` or `#`."""
        path = self.folder / _PURPOSES
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return CLAIM_SIGNING_EKUS
        except (OSError, UnicodeError) as error:
            raise ConfigurationError(f"{path} cannot be read.", "Check it, or remove it.") from error
        oids = [line for raw in lines if (line := re.split(r"//|#", raw)[0].strip())]
        if not oids or not all(map(_OID.fullmatch, oids)):
            raise ConfigurationError(
                f"{path} is not a list of key purposes.", "Give one OID a line, such as 1.3.6.1.5.5.7.3.4."
            )
        return tuple(oids)


@lru_cache(maxsize=32)
def _parsed(name: str, path: Path, _written: int, _inode: int) -> StoredList:
    """The list in a file; to check its certificates again for every file that is read would take longer than
    to read that."""
    return StoredList.parse(name, path.read_text(encoding="utf-8"))


@cache
def _shipped(name: str) -> StoredList:
    return StoredList.parse(name, (files("guard.provenance") / "lists" / f"{name}.pem").read_text("utf-8"))


def _replace(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
