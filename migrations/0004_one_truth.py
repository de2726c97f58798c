"""Requests to the exchange and its state (devices, queues), numbers to ignore, users' mobiles, and
what rules say of missed calls and repeat deals."""

from typing import Any

from peewee import BigIntegerField, CharField, ForeignKeyField, IntegerField, Model

COLUMNS = (
    ("users", "mobile", CharField(null=True, unique=True, max_length=20)),
    ("calls", "queue", CharField(null=True, max_length=80)),
    ("call_rules", "missed_owner", CharField(max_length=10, default="last")),
    ("call_rules", "repeat_after", IntegerField(default=0)),
)
TABLES = ("call_requests", "devices", "ignored_numbers", "queue_states")


def up(migrator: Any, db: Any) -> None:
    for table, name, column in COLUMNS:
        # MariaDB can't roll back: after a run that broke off some of them are there.
        if name not in {known.name for known in db.get_columns(table)}:
            migrator.migrate(migrator.add_column(table, name, column))
    _add_numbers(db)
    _add_requests(db)
    _add_states(db)


def down(migrator: Any, db: Any) -> None:
    for table in TABLES:
        migrator.migrate(migrator.drop_table(table))
    for table, name, _column in reversed(COLUMNS):
        migrator.migrate(migrator.drop_column(table, name))


def _add_numbers(db: Any) -> None:
    class IgnoredNumber(Model):
        e164 = CharField(unique=True, max_length=20)
        note = CharField(max_length=120, default="")

        class Meta:
            database = db
            table_name = "ignored_numbers"

    db.create_tables([IgnoredNumber])


def _table(db: Any, name: str) -> Any:
    class Known(Model):
        class Meta:
            database = db
            table_name = name

    return Known


def _add_requests(db: Any) -> None:
    class CallRequest(Model):
        pbx = CharField(max_length=64)
        kind = CharField(max_length=10)
        user = ForeignKeyField(_table(db, "users"))
        number = CharField(null=True, max_length=20)
        contact = ForeignKeyField(_table(db, "contacts"), null=True, on_delete="SET NULL")
        deal = ForeignKeyField(_table(db, "deals"), null=True, on_delete="SET NULL")
        call = ForeignKeyField(_table(db, "calls"), null=True, on_delete="SET NULL")
        channel = CharField(unique=True, max_length=150)
        state = CharField(max_length=10, default="new")
        reason = CharField(max_length=120, default="")
        created_at = BigIntegerField()
        claimed_at = BigIntegerField(null=True)
        ended_at = BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "call_requests"
            indexes = ((("pbx", "state", "created_at"), False), (("user", "state"), False))

    db.create_tables([CallRequest])


def _add_states(db: Any) -> None:
    class Device(Model):
        pbx = CharField(max_length=64)
        endpoint = CharField(max_length=80)
        state = CharField(max_length=10)
        at = BigIntegerField()

        class Meta:
            database = db
            table_name = "devices"
            indexes = ((("pbx", "endpoint"), True),)

    class QueueState(Model):
        pbx = CharField(max_length=64)
        name = CharField(max_length=80)
        waiting = IntegerField(default=0)
        talking = IntegerField(default=0)
        longest_since = BigIntegerField(null=True)
        at = BigIntegerField()

        class Meta:
            database = db
            table_name = "queue_states"
            indexes = ((("pbx", "name"), True),)

    db.create_tables([Device, QueueState])
