"""The first tables, as they were on the first day: a frozen copy, independent of models.py."""

from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator: Any, db: Any) -> None:
    class Department(Model):
        name = CharField(unique=True, max_length=80)
        did = CharField(max_length=40, default="")

        class Meta:
            database = db
            table_name = "departments"

    db.create_tables([Department])

    class User(Model):
        login = CharField(unique=True, max_length=40)
        name = CharField(max_length=80)
        password_hash = CharField()
        role = CharField(max_length=10)
        department = ForeignKeyField(Department, null=True)
        endpoint = CharField(unique=True, null=True, max_length=80)
        locale = CharField(max_length=10, default="en")
        active = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "users"

    db.create_tables([User])

    class Contact(Model):
        name = CharField(max_length=80)
        owner = ForeignKeyField(User, null=True)
        created_at = BigIntegerField()

        class Meta:
            database = db
            table_name = "contacts"

    db.create_tables([Contact])

    class Funnel(Model):
        name = CharField(unique=True, max_length=80)
        position = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "funnels"

    db.create_tables([Funnel])

    class Stage(Model):
        funnel = ForeignKeyField(Funnel, on_delete="CASCADE")
        name = CharField(max_length=80)
        position = IntegerField()
        kind = CharField(max_length=10, default="open")
        buyer_phase = CharField(max_length=20, default="")
        advice = TextField(default="")
        probability = IntegerField(default=0)
        stuck_after = IntegerField(null=True)
        required_fields = CharField(max_length=200, default="")
        colour = CharField(max_length=20, default="")

        class Meta:
            database = db
            table_name = "stages"
            indexes = ((("funnel", "name"), True),)

    db.create_tables([Stage])

    class Deal(Model):
        contact = ForeignKeyField(Contact, null=True)
        stage = ForeignKeyField(Stage)
        owner = ForeignKeyField(User, null=True)
        title = CharField(max_length=120)
        amount = DecimalField(null=True, max_digits=14, decimal_places=2)
        currency = CharField(max_length=3, default="EUR")
        priority = IntegerField(default=0)
        source = CharField(max_length=20, default="manual")
        created_at = BigIntegerField()
        stage_since = BigIntegerField()
        closed_at = BigIntegerField(null=True)
        lost_reason = CharField(null=True, max_length=200)
        lost_in_stage = ForeignKeyField(Stage, null=True)

        class Meta:
            database = db
            table_name = "deals"
            indexes = (
                (("stage", "stage_since"), False),
                (("owner", "stage", "stage_since"), False),
            )

    db.create_tables([Deal])

    class Call(Model):
        pbx = CharField(max_length=64)
        linkedid = CharField(max_length=150)
        direction = CharField(max_length=10)
        number = CharField(index=True, null=True, max_length=20)
        number_text = CharField(max_length=40, default="")
        name = CharField(max_length=80, default="")
        did = CharField(null=True, max_length=40)
        contact = ForeignKeyField(Contact, null=True)
        deal = ForeignKeyField(Deal, null=True)
        agent = ForeignKeyField(User, null=True)
        started_at = BigIntegerField()
        answered_at = BigIntegerField(null=True)
        ended_at = BigIntegerField(null=True)
        wait = IntegerField(null=True)
        talk = IntegerField(null=True)
        outcome = CharField(null=True, max_length=10)
        recording = CharField(null=True)
        called_back_at = BigIntegerField(null=True)

        class Meta:
            database = db
            table_name = "calls"
            indexes = (
                (("pbx", "linkedid"), True),
                (("started_at",), False),
                (("ended_at", "pbx"), False),
            )

    db.create_tables([Call])

    class CallRule(Model):
        did = CharField(max_length=40, default="")
        situation = CharField(max_length=10)
        known = BooleanField()
        effects = CharField(max_length=40, default="")

        class Meta:
            database = db
            table_name = "call_rules"
            indexes = ((("did", "situation", "known"), True),)

    db.create_tables([CallRule])

    class Event(Model):
        at = BigIntegerField(index=True)
        kind = CharField(max_length=30)
        deal = ForeignKeyField(Deal, null=True, on_delete="SET NULL")
        call = ForeignKeyField(Call, null=True, on_delete="SET NULL")
        user = ForeignKeyField(User, null=True)
        payload = TextField(default="{}")

        class Meta:
            database = db
            table_name = "events"

    db.create_tables([Event])

    class Leg(Model):
        call = ForeignKeyField(Call, on_delete="CASCADE")
        channel = CharField(max_length=150)
        user = ForeignKeyField(User, null=True)
        endpoint = CharField(max_length=80)
        rang_at = BigIntegerField(null=True)
        answered_at = BigIntegerField(null=True)
        ended_at = BigIntegerField(null=True)
        outcome = CharField(null=True, max_length=10)

        class Meta:
            database = db
            table_name = "legs"
            indexes = ((("call", "channel"), True), (("user", "ended_at"), False))

    db.create_tables([Leg])

    class Phone(Model):
        contact = ForeignKeyField(Contact, on_delete="CASCADE")
        e164 = CharField(unique=True, max_length=20)

        class Meta:
            database = db
            table_name = "phones"

    db.create_tables([Phone])

    class StageChange(Model):
        deal = ForeignKeyField(Deal, on_delete="CASCADE")
        from_stage = ForeignKeyField(Stage, null=True)
        to_stage = ForeignKeyField(Stage)
        actor = ForeignKeyField(User, null=True)
        owner_then = ForeignKeyField(User, null=True)
        at = BigIntegerField()
        reason = CharField(null=True, max_length=200)

        class Meta:
            database = db
            table_name = "stage_changes"

    db.create_tables([StageChange])


def down(migrator: Any, db: Any) -> None:
    migrator.migrate(migrator.drop_table("stage_changes"))
    migrator.migrate(migrator.drop_table("phones"))
    migrator.migrate(migrator.drop_table("legs"))
    migrator.migrate(migrator.drop_table("events"))
    migrator.migrate(migrator.drop_table("call_rules"))
    migrator.migrate(migrator.drop_table("calls"))
    migrator.migrate(migrator.drop_table("deals"))
    migrator.migrate(migrator.drop_table("stages"))
    migrator.migrate(migrator.drop_table("funnels"))
    migrator.migrate(migrator.drop_table("contacts"))
    migrator.migrate(migrator.drop_table("users"))
    migrator.migrate(migrator.drop_table("departments"))
