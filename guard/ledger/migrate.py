"""Brings a database to the newest schema through Alembic."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, inspect, text

__all__ = ["HEAD", "upgrade"]

HEAD = "0002"


def upgrade(engine: Engine) -> None:
    """Apply the migrations that `engine`'s database lacks."""
    if _revision(engine) == HEAD:
        return  # Alembic takes longer to import than a look-up takes to answer.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    # The write lock comes first, so that of two processes that start together one waits for the other.
    with engine.execution_options(immediate=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
