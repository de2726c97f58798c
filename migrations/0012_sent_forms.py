"""Forms that have made something: sent again, they make nothing more."""

from typing import Any

from peewee import BigIntegerField, CharField, IntegerField, Model


def up(migrator: Any, db: Any) -> None:
    class SentForm(Model):
        key = CharField(unique=True, max_length=64)
        made = IntegerField(default=0)
        at = BigIntegerField(index=True)

        class Meta:
            database = db
            table_name = "sent_forms"

    db.create_tables([SentForm])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("sent_forms"))
