"""What an installation gives to editors and type checkers."""

import sys
from importlib.resources import files


def test_the_package_says_that_it_is_typed():
    assert files("skbadge").joinpath("py.typed").is_file()


def test_an_editable_install_is_found_on_the_path():
    # Editors and type checkers do not run hooks of setuptools.
    assert not [finder for finder in sys.meta_path if "editable" in repr(finder)]
