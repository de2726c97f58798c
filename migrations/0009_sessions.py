"""Log-ins that are over although a copy of their cookie may be about."""

from typing import Any

from peewee import BigIntegerField, CharField, ForeignKeyField, Model


def up(migrator: Any, db: Any) -> None:
    # MariaDB can't roll back: after a run that broke off it is there.
    if "session_mark" not in {known.name for known in db.get_columns("users")}:
        column = CharField(max_length=32, default="")
        migrator.migrate(migrator.add_column("users", "session_mark", column))

    class User(Model):
        class Meta:
            database = db
            table_name = "users"

    class EndedSession(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        key = CharField(unique=True, max_length=64)
        at = BigIntegerField(index=True)

        class Meta:
            database = db
            table_name = "ended_sessions"

    db.create_tables([EndedSession])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("ended_sessions"))
    migrator.migrate(migrator.drop_column("users", "session_mark"))
