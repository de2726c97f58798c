"""What all tests share; the fixtures themselves live in the plugins."""

import os
import signal
import time

# Who starts the tests in the background has SIGINT ignored, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# "Today" must not end between two lines of a test: wherever and whenever they run, these tests and
# all programs that they start live where it is about noon now. (Etc/GMT-3 is east of Greenwich.)
os.environ["TZ"] = f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"
time.tzset()

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
