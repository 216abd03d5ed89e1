"""A folder of secrets: readable by its owner alone, changed whole or not at all, by one process at a time."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from guard.errors import KeyStoreError

__all__ = ["KeyFiles"]


class KeyFiles:
    """Text files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.folder / name).exists()

    def stamp(self, names: Sequence[str]) -> tuple[tuple[int, int] | None, ...]:
        """Something that differs once one of the files was replaced: costs a look at each, no reading."""
        return tuple(_identity(self.folder / name) for name in names)

    def read(self, name: str) -> str:
        """The text. Raises `KeyStoreError` where it is absent, unreadable, or open to others."""
        path = self.folder / name
        _refuse_open(self.folder, "700")
        _refuse_open(path, "600")
        try:
            return path.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise KeyStoreError(f"{path} cannot be read.", "Check its owner and contents.") from error

    def write(self, name: str, text: str) -> None:
        """Replace the file; hold the folder with `locked` meanwhile."""
        descriptor, temporary = tempfile.mkstemp(dir=self.folder, prefix=f".{name}.")  # mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.folder / name)
        except BaseException:
            os.unlink(temporary)
            raise

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder, which is made if absent, against other processes that change it."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise KeyStoreError(
                f"{self.folder} cannot be made: {error.strerror}.", "Set GUARD_HOME."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise KeyStoreError(f"{self.folder} cannot be written: {error.strerror}.") from error
        finally:
            os.close(descriptor)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _refuse_open(path: Path, mode: str) -> None:
    """Raise `KeyStoreError` if `path` is absent or anyone but its owner may use it."""
    try:
        open_to = path.stat().st_mode & 0o077
    except FileNotFoundError as error:
        raise KeyStoreError(
            f"There are no keys: {path} is missing.", "Make some with: guard keys init"
        ) from error
    except OSError as error:
        raise KeyStoreError(f"{path} cannot be read: {error.strerror}.", "Check its owner.") from error
    if open_to:
        raise KeyStoreError(f"{path} is open to other users.", f"Close it with: chmod {mode} {path}")
