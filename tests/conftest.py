"""What all tests share; the fixtures themselves live in the plugins."""

import signal

# Who starts the tests in the background has SIGINT ignored, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

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
