"""What all tests share; the fixtures themselves live in the plugins."""

# In the order in which one needs another.
pytest_plugins = (
    "tests.db_servers",
    "tests.browser",
    "tests.asterisk_fixtures",
    "tests.world",
    "tests.office",
    "tests.scene",
    "tests.desk",
)
