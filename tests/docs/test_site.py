"""The pages of the site are whole: every public name, every link, every example."""

import re
from importlib import import_module
from pathlib import Path

import pytest

import skbadge
from tests.examples._constants import constants_of

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture
def extension(monkeypatch):
    """From a name to an extension of docs/_ext."""
    pytest.importorskip("sphinx")
    pytest.importorskip("sphinx_gallery")
    monkeypatch.syspath_prepend(DOCS / "_ext")
    return import_module


def public_names():
    """All names of the lists of all public packages."""
    packages = ["skbadge", *(f"skbadge.{name}" for name in skbadge._SUBPACKAGES)]
    for package in packages:
        for name in getattr(import_module(package), "__all__", ()):
            if not name.startswith("__"):
                yield package, name
    yield "skbadge.exceptions", "MonitoringWarning"
    yield "skbadge.exceptions", "QueryWarning"


def test_every_public_name_is_in_the_reference_once(extension, tmp_path):
    extension("reference").write_reference(tmp_path)
    for package, name in public_names():
        text = (tmp_path / f"{package}.rst").read_text(encoding="utf-8")
        listed = rf"^   {name}$|^\.\. autodata:: {name}$"
        assert len(re.findall(listed, text, re.MULTILINE)) == 1, f"{package}.{name}"


def test_the_groups_of_the_reference_name_what_there_is(extension):
    reference = extension("reference")
    for package, groups in reference.GROUPS.items():
        grouped = [name for names in groups.values() for name in names]
        assert len(grouped) == len(set(grouped))
        assert set(grouped) <= set(reference.names_of(package))


def test_a_single_backtick_finds_objects_and_nothing_else(extension):
    find = extension("reference")._documented
    assert find("BadgeQuerier.query", None) == "skbadge.BadgeQuerier.query"
    assert find("query", "BadgeQuerier") == "skbadge.BadgeQuerier.query"
    # An attribute is told with its class.
    assert find("Outputs.proba", None) == "skbadge.outputs.Outputs"
    assert find("skbadge.nn.TabularNetClassifier", None) is not None
    assert find("X_pool", "BadgeQuerier") is None
    # What is not there is not found, so that the build can warn of it.
    assert find("skbadge.nn.NoSuchNet", None) == "skbadge.nn.NoSuchNet"


def test_examples_are_made_smaller_by_constants_that_they_have(extension):
    sizes = extension("small_gallery").SIZES
    for name, values in sizes.items():
        source = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
        assert values.keys() <= constants_of(source)


def test_links_of_pages_lead_to_files_and_pages():
    for page in DOCS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
            if not target.startswith(("http", "auto_examples/")):
                assert (DOCS / target).is_file(), f"{page.name}: {target}"


def test_every_page_is_in_the_guide_or_on_the_first_page():
    linked = "\n".join(
        (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("index", "guide")
    )
    for page in DOCS.glob("*.md"):
        assert page.stem == "index" or re.search(rf"^{page.stem}$", linked, re.M), page
