"""Docstrings of public names say what numpydoc asks for, by the checks below."""

import dataclasses
import inspect
import re
from importlib import import_module

import pytest

import skbadge
from tests.docs.test_site import public_names

validate = pytest.importorskip("numpydoc.validate")

# Of numpydoc's checks those for form (GL), the summary (SS), parameters (PR), what is
# returned (RT) or yielded (YD), and examples (EX). Not among them:
#
# GL01, GL02: where the text begins and ends is ruff's to say.
# SS05: it takes nouns in -s for verbs.
# PR03: parameters that go by keyword stand in the order that reads best.
# PR08, RT04: a description may begin with a dtype or a formula.
# RT02: what is returned has a name, as in scikit-learn.
# ES01, SA01: not all there is to say needs a second paragraph, or has neighbours.
CHECKS = {
    *("GL03", "GL05", "GL06", "GL07", "GL08", "GL09", "GL10"),
    *("SS01", "SS02", "SS03", "SS04", "SS06"),
    *("PR01", "PR02", "PR04", "PR05", "PR06", "PR07", "PR09", "PR10"),
    *("RT01", "RT03", "RT05", "YD01", "EX01"),
}

# Names of which a line is enough.
BRIEF = {
    # Small predicates and conversions for authors of readers.
    "skbadge.pools": lambda name: not name.startswith("from_") and name.islower(),
}


def documented():
    """Full names of all that is public: classes, functions, methods, properties."""
    for package, name in public_names():
        value = getattr(import_module(package), name)
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        yield f"{package}.{name}"
        if inspect.isclass(value):
            for member, defined in vars(value).items():
                kinds = (property, classmethod, staticmethod)
                if not member.startswith("_") and (
                    inspect.isfunction(defined) or isinstance(defined, kinds)
                ):
                    yield f"{package}.{name}.{member}"


def resolve(full):
    """Package, the name in it, and the member of a class or None."""
    parts = full.split(".")
    n = 2 if parts[1] in skbadge._SUBPACKAGES else 1
    package, (name, *member) = ".".join(parts[:n]), parts[n:]
    return package, name, member[0] if member else None


def errors_of(full):
    """What the checks say against a docstring."""
    package, name, member = resolve(full)
    owner = getattr(import_module(package), name)
    doc = inspect.getdoc(owner) or ""
    for code, message in validate.validate(full)["errors"]:
        if code not in CHECKS:
            continue
        if code in ("PR01", "RT01", "EX01"):
            if package in BRIEF and BRIEF[package](name):
                continue
            # A method that takes the place of another says what is special about it.
            if member and any(
                getattr(getattr(base, member, None), "__doc__", None)
                for base in owner.__mro__[1:]
            ):
                continue
        # The fields of a data class are its attributes.
        if code == "PR01" and not member and dataclasses.is_dataclass(owner):
            attributes = doc.partition("Attributes\n")[2]
            fields = [field.name for field in dataclasses.fields(owner)]
            if all(field in attributes for field in fields):
                continue
        # What is explained elsewhere has its type there.
        if code == "PR04" and re.search(r"\n +(As|See|Of) ", doc_of(owner, member)):
            continue
        # Some names begin in lower case.
        if code == "SS02" and doc_of(owner, member).startswith(("k-", "skorch")):
            continue
        if code == "EX01" and (member or is_made_by_others(owner)):
            continue
        yield f"{code}: {message}"


def is_made_by_others(owner):
    """Whether users meet a class as a result, as an error, or to derive from it."""
    if not inspect.isclass(owner):
        return False
    is_result = dataclasses.is_dataclass(owner) or "Result" in owner.__name__
    return is_result or inspect.isabstract(owner) or issubclass(owner, Exception)


def doc_of(owner, member):
    """The docstring of a class, a function or a member."""
    value = inspect.getattr_static(owner, member) if member else owner
    return inspect.getdoc(value) or ""


@pytest.mark.parametrize("full", sorted(set(documented())))
def test_a_docstring_says_what_there_is_to_say(full):
    assert not list(errors_of(full))
