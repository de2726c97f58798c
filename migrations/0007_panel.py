"""What sellers and administrators work with: companies, tasks, notes, reasons, merges, receipts of
erasures, the index of the search, own wordings, and archived funnels and stages."""

from typing import Any

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)

COLUMNS = (
    ("funnels", "archived", BooleanField(default=False)),
    ("stages", "archived", BooleanField(default=False)),
    ("contacts", "position", CharField(max_length=80, default="")),
    ("contacts", "email", CharField(max_length=200, default="")),
    ("contacts", "tags", CharField(max_length=200, default="")),
    ("contacts", "checked_at", BigIntegerField(null=True)),
    ("deals", "next_due", BigIntegerField(null=True)),
)
INDEXES = (
    ("contacts", ("name",)),
    ("deals", ("stage_id", "next_due")),
    ("deals", ("stage_id", "amount")),
    ("deals", ("contact_id", "closed_at")),
)
TABLES = (
    "wordings", "grams", "receipts", "merges", "notes", "tasks", "reasons", "companies",
)  # fmt: skip


def up(migrator: Any, db: Any) -> None:
    _add_companies(db)
    companies = _table(db, "companies")
    company = ForeignKeyField(companies, companies.id, null=True, on_delete="SET NULL")
    for table, name, column in (*COLUMNS, ("contacts", "company_id", company)):
        # MariaDB can't roll back: after a run that broke off some of them are there.
        if name not in {known.name for known in db.get_columns(table)}:
            migrator.migrate(migrator.add_column(table, name, column))
    for table, columns in INDEXES:
        if columns not in _named(db, table):
            migrator.migrate(migrator.add_index(table, columns, False))
    _add_work(db)
    _add_notes(db)
    _add_records(db)


def down(migrator: Any, db: Any) -> None:
    for table, columns in INDEXES:
        migrator.migrate(migrator.drop_index(table, _named(db, table)[columns]))
    migrator.migrate(migrator.drop_column("contacts", "company_id"))
    for table, name, _column in reversed(COLUMNS):
        migrator.migrate(migrator.drop_column(table, name))
    for table in TABLES:
        migrator.migrate(migrator.drop_table(table))


def _named(db: Any, table: str) -> dict[tuple[str, ...], str]:
    return {tuple(index.columns): index.name for index in db.get_indexes(table)}


def _table(db: Any, name: str) -> Any:
    class Known(Model):
        class Meta:
            database = db
            table_name = name

    return Known


def _add_companies(db: Any) -> None:
    class Company(Model):
        name = CharField(max_length=120, index=True)
        website = CharField(max_length=200, default="")
        notes = TextField(default="")
        owner = ForeignKeyField(_table(db, "users"), null=True)
        created_at = BigIntegerField()

        class Meta:
            database = db
            table_name = "companies"

    class Reason(Model):
        name = CharField(unique=True, max_length=120)
        position = IntegerField(default=0)
        active = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "reasons"

    db.create_tables([Company, Reason])


def _add_work(db: Any) -> None:
    class Task(Model):
        kind = CharField(max_length=10, default="todo")
        title = CharField(max_length=120)
        due_at = BigIntegerField(null=True)
        deal = ForeignKeyField(_table(db, "deals"), null=True, on_delete="SET NULL")
        contact = ForeignKeyField(_table(db, "contacts"), null=True, on_delete="SET NULL")
        call = ForeignKeyField(_table(db, "calls"), null=True, on_delete="SET NULL")
        owner = ForeignKeyField(_table(db, "users"), null=True)
        created_at = BigIntegerField()
        reminded_at = BigIntegerField(null=True)
        done_at = BigIntegerField(null=True)
        result = CharField(max_length=500, default="")

        class Meta:
            database = db
            table_name = "tasks"
            indexes = (
                (("owner", "done_at", "due_at"), False),
                (("deal", "done_at", "due_at"), False),
                (("done_at", "due_at"), False),
            )

    db.create_tables([Task])


def _add_notes(db: Any) -> None:
    class Note(Model):
        kind = CharField(max_length=10, default="note")
        text = TextField()
        deal = ForeignKeyField(_table(db, "deals"), null=True, on_delete="CASCADE")
        contact = ForeignKeyField(_table(db, "contacts"), null=True, on_delete="CASCADE")
        company = ForeignKeyField(_table(db, "companies"), null=True, on_delete="CASCADE")
        call = ForeignKeyField(_table(db, "calls"), null=True, on_delete="SET NULL")
        author = ForeignKeyField(_table(db, "users"), null=True)
        at = BigIntegerField()

        class Meta:
            database = db
            table_name = "notes"
            indexes = ((("deal", "at"), False), (("contact", "at"), False))

    db.create_tables([Note])


def _add_records(db: Any) -> None:
    class Merge(Model):
        kept = ForeignKeyField(_table(db, "contacts"), on_delete="CASCADE")
        by = ForeignKeyField(_table(db, "users"), null=True)
        at = BigIntegerField()
        undone_at = BigIntegerField(null=True)
        before = TextField()

        class Meta:
            database = db
            table_name = "merges"

    class Receipt(Model):
        at = BigIntegerField()
        by = ForeignKeyField(_table(db, "users"), null=True)
        mark = CharField(max_length=64)
        counts = TextField()

        class Meta:
            database = db
            table_name = "receipts"

    class Gram(Model):
        gram = CharField(max_length=3)
        kind = CharField(max_length=8)
        row = IntegerField()

        class Meta:
            database = db
            table_name = "grams"
            indexes = ((("gram", "kind", "row"), True), (("kind", "row"), False))

    class Wording(Model):
        name = CharField(unique=True, max_length=40)
        text = TextField(default="")

        class Meta:
            database = db
            table_name = "wordings"

    db.create_tables([Merge, Receipt, Gram, Wording])
