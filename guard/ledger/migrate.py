"""Brings a database to the newest schema through Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

from guard.errors import InputError
from guard.ledger.databases import WRITING

__all__ = ["HEAD", "downgrade", "revision", "upgrade"]

HEAD = "0005"


def upgrade(engine: Engine) -> None:
    """Apply the migrations that `engine`'s database lacks."""
    if revision(engine) != HEAD:  # Alembic takes longer to import than a look-up takes to answer.
        _migrate(engine, "upgrade", "head")


def downgrade(engine: Engine, to: str) -> None:
    """Take back the migrations after revision `to`, with all that they brought: below 0003 the log goes.

    Raises `InputError` where there is no such revision below the present one.
    """
    now = revision(engine)
    if now is None or not to.isdecimal() or not 0 < int(to) <= int(now):
        raise InputError(f"The ledger is at revision {now} and cannot go down to {to}.", "Name one below.")
    _migrate(engine, "downgrade", to)


def revision(engine: Engine) -> str | None:
    """The schema's revision; None in a database without one."""
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _migrate(engine: Engine, way: str, to: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    # The write lock comes first, so that of two processes that start together one waits for the other.
    with engine.execution_options(**WRITING).begin() as connection:
        config.attributes["connection"] = connection
        getattr(command, way)(config, to)
