"""Since when calls may be missing that nobody heard, until they are found in Asterisk's records."""

from typing import Any

from peewee import CharField, Model

from fields import UTCDateTimeField


def up(migrator: Any, db: Any) -> None:
    class Silence(Model):
        pbx = CharField(max_length=64, unique=True)
        since = UTCDateTimeField()
        until = UTCDateTimeField()

        class Meta:
            database = db
            table_name = "silences"

    db.create_tables([Silence])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("silences"))
