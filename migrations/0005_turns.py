"""Whose turn it is: missed calls that a rule gives to users one after the other."""

from typing import Any

from peewee import ForeignKeyField, IntegerField, Model


def up(migrator: Any, db: Any) -> None:
    class User(Model):
        class Meta:
            database = db
            table_name = "users"

    class Turn(Model):
        user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
        given = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "turns"

    db.create_tables([Turn])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("turns"))
