"""What an installation gives to editors and type checkers, and what it needs."""

import os
import re
import sys
from configparser import ConfigParser
from importlib import metadata
from importlib.resources import files
from pathlib import Path

from skbadge import __version__
from skbadge.utils._show_versions import OPTIONAL, REQUIRED

ROOT = Path(__file__).parents[1]

# Extras for what users do; the others are for work on the library and its examples.
USERS = ["arrow", "dask", "labeling", "plot", "widgets"]


def test_the_package_says_that_it_is_typed():
    assert files("skbadge").joinpath("py.typed").is_file()


def test_an_editable_install_is_found_on_the_path():
    # Editors and type checkers do not run hooks of setuptools.
    assert not [finder for finder in sys.meta_path if "editable" in repr(finder)]


def test_the_version_is_that_of_the_changelog_and_the_citation():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## [{__version__}]" in changelog
    assert f"\nversion: {__version__}\n" in citation


def config():
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def declared():
    """The oldest version of each package, in each list of requirements."""
    texts = {"install": config()["options"]["install_requires"]}
    texts |= config()["options.extras_require"]
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


def test_the_versions_shown_are_of_the_packages_declared():
    lists = declared()
    assert set(REQUIRED) == set(lists["install"])
    needed = set.union(*(set(lists[extra]) for extra in USERS))
    assert needed <= set(OPTIONAL)


def packages_of(extra):
    text = config().get("options.extras_require", extra)
    # The extras of a package as packages: "dask[distributed]" is both.
    return {
        name
        for line in text.split()
        for name in re.split(r"[\[\],]", line.partition(">=")[0])
        if name not in ("", "array", "dataframe")
    }


def test_nothing_is_skipped_for_want_of_a_package():
    # CI names the extras whose packages must be there, so that no test is skipped.
    for extra in os.environ.get("SKBADGE_EXTRAS", "").split():
        for package in packages_of(extra):
            assert metadata.version(package)


def test_packages_that_tests_skip_for_are_those_of_an_extra():
    sources = [path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py")]
    found = set(re.findall(r'importorskip\("(\w+)', "".join(sources)))
    required = {"numpy", "scipy", "torch"}
    extras = set().union(*map(packages_of, ("tests", "boosters", "docs")))
    assert found <= {name.replace("-", "_") for name in extras} | required
    assert "polars" in found
