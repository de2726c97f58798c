"""Set-up: the servers and the browser of the tests, and what the pinned packages promise."""

import configparser
import json
import re
import subprocess
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from playhouse import db_url

from tests import programs
from tests.browser import NewPage

# peewee's db_url still says passwd.
pytestmark = pytest.mark.filterwarnings("ignore:'passwd' is deprecated:DeprecationWarning")

ROOT = programs.CHECKOUT
PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if not line.startswith("#")
)
PINNED = {canonicalize_name(name): version for name, version in PINS.items()}


@pytest.fixture(scope="module")
def declared() -> list[Requirement]:
    """What setup.cfg asks for, extras included."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    blocks = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    lines = [line.partition("#")[0].strip() for block in blocks for line in block.splitlines()]
    return [Requirement(line) for line in lines if line]


def test_database_is_empty_writable_and_speaks_all_of_unicode(database_url: str) -> None:
    text = "Größe Привет ☎ 😀"
    database = db_url.connect(database_url)
    with database.connection_context():
        assert database.get_tables() == []
        database.execute_sql("CREATE TABLE note (text VARCHAR(40))")
        database.execute_sql(f"INSERT INTO note VALUES ({database.param})", [text])
        assert database.execute_sql("SELECT text FROM note").fetchone() == (text,)


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_each_test_gets_a_database_of_its_own(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    first, second = server.create(), server.create()
    left_open = db_url.connect(server.url(first))
    left_open.connect()
    left_open.execute_sql("CREATE TABLE note (id INTEGER)")
    other = db_url.connect(server.url(second))
    with other.connection_context():
        assert other.get_tables() == []
    server.drop(first)  # with a connection still open, as after a failed test
    server.drop(second)
    left_open.close()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_server_asks_for_the_password(kind: str, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue(f"{kind}_server")
    wrong = server.url("postgres").replace(server.password, "wrong")
    with pytest.raises(Exception, match=r"(?i)password|denied"):
        db_url.connect(wrong).connect()


def test_browser_shows_a_page_in_our_fonts(new_page: NewPage) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.set_content("<p style='font: 40px system-ui'><b>Größe</b> Привет</p>")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert page.evaluate("window.innerWidth") == 390
    assert len(page.screenshot()) > 2000


def test_pages_do_not_share_cookies(new_page: NewPage) -> None:
    first, second = new_page(), new_page()
    first.context.add_cookies([{"name": "a", "value": "b", "url": "http://127.0.0.1"}])
    assert len(first.context.cookies()) == 1
    assert second.context.cookies() == []


def test_constraints_pin_all_that_is_declared(declared: list[Requirement]) -> None:
    wrong = [
        str(need)
        for need in declared
        if not need.specifier.contains(PINNED.get(canonicalize_name(need.name), "0"))
    ]
    assert wrong == []


def test_constraints_match_what_is_installed() -> None:
    """Nothing came in unpinned. pip belongs to Python; the project itself has no pin."""
    installed = {canonicalize_name(d.metadata["Name"]): d.version for d in metadata.distributions()}
    others = {"pip", "trichter", "wheel"}
    assert {
        name: v for name, v in installed.items() if PINNED.get(name) != v and name not in others
    } == {}


def test_every_dependency_has_a_lower_bound(declared: list[Requirement]) -> None:
    operators = {"==", ">="}
    bare = [str(need) for need in declared if not operators & {s.operator for s in need.specifier}]
    assert bare == []


def test_lock_names_versions_and_digests_but_no_addresses() -> None:
    text = (ROOT / "package-lock.json").read_text()
    assert not re.search(r"resolved|https?:|//", text)
    packages = {name: p for name, p in json.loads(text)["packages"].items() if name}
    assert all(p["version"] and p["integrity"].startswith("sha512-") for p in packages.values())


def test_lock_is_for_this_package_json() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert locked[kind] == wanted[kind]


def test_wheel_has_every_module_and_package() -> None:
    config = configparser.ConfigParser(allow_no_value=True)
    config.read(ROOT / "setup.cfg")
    listed = {
        kind: [word for word in config["options"][kind].splitlines() if word and word[0] != "#"]
        for kind in ("py_modules", "packages")
    }
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert listed["py_modules"] == sorted(path.stem for path in ROOT.glob("*.py"))
    assert set(listed["packages"]) == packages | {"asterisk_conf"}


def test_second_set_up_has_nothing_to_do() -> None:
    subprocess.run([ROOT / "bin" / "setup"], check=True)
    done = subprocess.run([ROOT / "bin" / "setup"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
