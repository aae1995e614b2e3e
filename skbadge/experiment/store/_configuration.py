"""What identifies a run: its configuration as JSON, and the objects described in it."""

import json
import platform
from functools import partial
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from inspect import Parameter, isroutine, signature

import numpy as np
from sklearn.frozen import FrozenEstimator

from skbadge._version import __version__
from skbadge.experiment.store._content_hash import content_hash
from skbadge.pools import kind_of

_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "skorch")


def config_hash(config):
    """Identity of a run: the SHA-256 of its configuration as canonical JSON.

    Parameters
    ----------
    config : dict
        All that determines the result, of what JSON can hold.

    Returns
    -------
    hash : str
        64 hexadecimal digits, which do not depend on the order of the keys.

    Examples
    --------
    >>> from skbadge.experiment.store import config_hash
    >>> config_hash({"a": 1, "b": 2}) == config_hash({"b": 2, "a": 1})
    True
    """
    return sha256(canonical(config).encode()).hexdigest()


def short_hash(run):
    """The beginning of the hash of a run, by which files of results name it."""
    return run[:16]


def canonical(config):
    """JSON with sorted keys and no spaces; numbers that are not finite are refused."""
    return json.dumps(
        config, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_item
    )


def _item(value):
    """A number of NumPy's as one of Python's."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} of type {type(value).__name__} has no place in JSON.")


def current_versions():
    """Versions of what a result may depend on, by package; None if not installed."""
    versions = {"python": platform.python_version(), "skbadge": __version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return versions


def describe(value, name):
    """What an object is, as JSON that is the same in every process.

    Numbers, strings, lists and dicts stand for themselves; estimators and strategies
    for their class and the public parameters that differ from the defaults, those of
    base classes included; functions and classes for the place they can be imported
    from; arrays, tables and frozen estimators for a hash of their content; all else for
    a hash of its pickle. An object that cannot be known again, such as a lambda
    function, is an error that calls it ``name``.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else {"float": str(value)}
    if isinstance(value, list | tuple):
        return [describe(each, name) for each in value]
    if isinstance(value, dict):
        items = sorted(value.items(), key=lambda item: str(item[0]))
        return {"dict": [[describe(part, name) for part in item] for item in items]}
    if isinstance(value, partial):
        parts = {"partial": value.func, "args": value.args, "keywords": value.keywords}
        return {key: describe(part, name) for key, part in parts.items()}
    if isinstance(value, type | np.ufunc) or isroutine(value):
        return {"import": _import_path(value, name)}
    if isinstance(value, FrozenEstimator):
        # What it has learned counts.
        return _describe_pickle(value, name)
    if hasattr(value, "get_params"):
        changed = {
            key: describe(each, f"{name}'s `{key}`")
            for key, each in sorted(value.get_params(deep=False).items())
            if not (key.startswith("_") or _is_default(type(value), key, each))
        }
        kind = getattr(type(value), "_known_as", type(value))
        return {"object": _import_path(kind, name), "parameters": changed}
    if kind_of(value) in ("pandas", "polars", "sparse") or isinstance(
        value, np.ndarray
    ):
        return {"content": content_hash(value)}
    return _describe_pickle(value, name)


def _import_path(value, name):
    # The methods of objects have no place of their own.
    owner = getattr(value, "__self__", None)
    is_bound = owner is not None and not isinstance(owner, type | type(np))
    module = getattr(value, "__module__", None) or "numpy"
    path = f"{module}:{getattr(value, '__qualname__', value.__name__)}"
    if is_bound or "<" in path:
        raise ValueError(
            f"{name} must be importable, to be known again when the benchmark is "
            f"resumed. Got {path}. Define it by def or class at the top level of a "
            "module."
        )
    return path


def _is_default(kind, key, value):
    default = _default(kind, key)
    if default is Parameter.empty:
        return False
    try:
        # To Python, 1, 1.0 and True are equal.
        return canonical(describe(value, key)) == canonical(describe(default, key))
    except ValueError:
        return False


def _default(kind, key):
    # A class may take parameters of its bases by **kwargs, as nets of skorch do.
    for each in kind.__mro__:
        if "__init__" in vars(each):
            found = signature(vars(each)["__init__"]).parameters.get(key)
            if found is not None:
                return found.default
    return Parameter.empty


def _describe_pickle(value, name):
    kind = _import_path(type(value), name)
    try:
        return {"object": kind, "pickle": content_hash(value)}
    except Exception as error:
        raise ValueError(
            f"{name} cannot be known again when the benchmark is resumed: {value!r} "
            "cannot be pickled. Have a function at the top level of a module make it."
        ) from error
