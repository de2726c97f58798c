"""What all tests share; the fixtures themselves live in the plugins."""

import os
import signal
import time

import hypothesis

# Who starts the tests in the background has SIGINT ignored, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# "Today" must not end between two lines of a test: wherever and whenever they run, these tests and
# all programs that they start live where it is about noon now. (Etc/GMT-3 is east of Greenwich.)
os.environ["TZ"] = f"Etc/GMT{time.gmtime().tm_hour - 12:+d}"
time.tzset()

# How long an example takes is the machine's doing, and a run must not fail by an example that it
# happened to think of: it tries the same ones each time. --hypothesis-profile search tries others.
hypothesis.settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "search", hypothesis.settings.get_profile("steady"), derandomize=False, print_blob=True
)
hypothesis.settings.load_profile("steady")

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
