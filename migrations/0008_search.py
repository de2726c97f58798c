"""The words that the search finds things by, and where each of them stands."""

from typing import Any

from peewee import CharField, IntegerField, Model, MySQLDatabase, PostgresqlDatabase

OWNED = ("contact_id", "owner_id")


def up(migrator: Any, db: Any) -> None:
    # Compared letter by letter, so that the words with one begin stand side by side: by the rules
    # of a language they would not, and MariaDB would take some different words for one.
    exactly = None
    if isinstance(db, PostgresqlDatabase):
        exactly = '"C"'
    elif isinstance(db, MySQLDatabase):
        exactly = "utf8mb4_bin"

    class Word(Model):
        text = CharField(unique=True, max_length=40, collation=exactly)

        class Meta:
            database = db
            table_name = "words"

    class Mention(Model):
        word = IntegerField()
        kind = CharField(max_length=8)
        row = IntegerField()

        class Meta:
            database = db
            table_name = "mentions"
            indexes = ((("word", "kind", "row"), True), (("row", "kind", "word"), False))

    db.create_tables([Word, Mention])
    if OWNED not in {tuple(index.columns) for index in db.get_indexes("deals")}:
        migrator.migrate(migrator.add_index("deals", OWNED, False))


def down(migrator: Any, db: Any) -> None:
    named = {tuple(index.columns): index.name for index in db.get_indexes("deals")}
    migrator.migrate(migrator.drop_index("deals", named[OWNED]))
    for table in ("mentions", "words"):
        migrator.migrate(migrator.drop_table(table))
