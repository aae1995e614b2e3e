"""What an installation gives to editors and type checkers, and what it needs."""

import re
import sys
from configparser import ConfigParser
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_package_says_that_it_is_typed():
    assert files("skbadge").joinpath("py.typed").is_file()


def test_an_editable_install_is_found_on_the_path():
    # Editors and type checkers do not run hooks of setuptools.
    assert not [finder for finder in sys.meta_path if "editable" in repr(finder)]


def declared():
    """The oldest version of each package, in each list of requirements."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    texts = {"install": config["options"]["install_requires"]}
    texts |= config["options.extras_require"]
    return {
        # Without the extras of a package.
        name: dict(re.sub(r"\[.*\]", "", line).split(">=") for line in text.split())
        for name, text in texts.items()
    }


def test_the_oldest_versions_are_those_tested():
    script = (ROOT / "tests" / "oldest.sh").read_text(encoding="utf-8")
    tested = dict(re.findall(r"^([\w-]+)==([\d.]+)$", script, re.MULTILINE))
    lists = declared()
    wanted = lists["install"] | lists["tests"]
    # Its minimum could not be installed.
    assert tested.pop("torch") != wanted.pop("torch")
    assert tested == wanted


def test_a_package_has_one_oldest_version():
    found = {}
    for packages in declared().values():
        for name, version in packages.items():
            assert found.setdefault(name, version) == version
