"""Objects written down in TOML: where to import them from, and their parameters."""

import sys
import tomllib
from importlib import import_module
from pathlib import Path

from skbadge.utils._shown import did_you_mean


def read_toml(path):
    """Read a TOML file; a ValueError if it is none."""
    try:
        # Some editors begin a file with a byte order mark.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no file {str(path)!r}.") from None
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{str(path)!r} is not a TOML file: {error}. Save it as UTF-8."
        ) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ValueError(f"{str(path)!r} is not a TOML file: {error}.") from error


def check_keys(table, allowed, where=None):
    """Raise if a table has other keys than these; the message names near ones."""
    for key in table:
        if key not in allowed:
            hint = did_you_mean(key, allowed, n=1)
            place = "" if where is None else f"{where}: "
            raise ValueError(
                f"{place}{key!r} is not known.{hint} Allowed are {sorted(allowed)}."
            )


def build(value, where, folder):
    """What a TOML value stands for; ``where`` it is written is for errors.

    ``{object = "module:attribute", ...}`` stands for the result of calling that
    attribute with the other keys as keyword parameters, or, if it is not callable, for
    itself; ``{import = "module:attribute"}`` for the attribute, uncalled;
    ``{tuple = [...]}`` for a tuple; ``{dict = [[key, value], ...]}`` for a dict, whose
    keys need be no strings. All may occur at any depth, within lists and within
    parameters. All else stands for itself. Modules may lie in ``folder``, besides those
    installed.
    """
    if isinstance(value, list):
        return [build(each, f"{where}[{i}]", folder) for i, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if "import" in value:
        check_keys(value, ("import",), where)
        return import_attribute(value["import"], where, folder)
    parameters = build_parameters(value, where, folder)
    if "object" not in value:
        return _container(parameters, where)
    target = import_attribute(value["object"], where, folder)
    if not callable(target):
        if parameters:
            raise ValueError(
                f"{where}: {value['object']!r} is not callable, so it takes no "
                f"parameters. Got {sorted(parameters)}."
            )
        return target
    try:
        return target(**parameters)
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{where}: calling {value['object']!r} with {sorted(parameters)} failed "
            f"with {type(error).__name__}: {error}"
        ) from error


def _container(parameters, where):
    for name, kind in ("tuple", tuple), ("dict", dict):
        if parameters.keys() == {name} and isinstance(parameters[name], list):
            try:
                return kind(parameters[name])
            except (TypeError, ValueError) as error:
                raise ValueError(
                    f"{where}: a dict is written as a list of pairs, such as "
                    f"{{dict = [[0, 1.0], [1, 2.0]]}}. Got {parameters[name]!r}."
                ) from error
    return parameters


def build_parameters(table, where, folder):
    """What the values in a table stand for, by key, without its ``object``."""
    return {
        key: build(value, f"{where}.{key}", folder)
        for key, value in table.items()
        if key != "object"
    }


def import_attribute(path, where, folder):
    """Import what stands at ``"module:attribute"``, dotted names on both sides.

    It is a ValueError if there is no such thing, or if a module of that name in
    ``folder`` gives way to another of the same name.
    """
    module_name, colon, attribute = str(path).partition(":")
    if not (module_name and colon and attribute):
        raise ValueError(
            f'{where}: an object is written as "module:attribute". Got {path!r}.'
        )
    add_to_path(folder)
    try:
        module = import_module(module_name)
    except (Exception, SystemExit) as error:
        raise ValueError(
            f"{where}: importing {module_name!r} failed with {type(error).__name__}: "
            f"{error}"
        ) from error
    _check_is_from(folder, module, module_name, where)
    found = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise ValueError(f"{where}: {module_name!r} has no {attribute!r}.")
        found = getattr(found, name)
    return found


def add_to_path(folder):
    """Let the modules of a folder be imported, after all others."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


class ImportFolder:
    """A folder that is on the path of any process as soon as this is unpickled there.

    Sent before objects whose classes come from modules in the folder, None for none.
    """

    def __init__(self, folder):
        self.folder = folder
        if folder is not None:
            add_to_path(folder)

    def __reduce__(self):
        return ImportFolder, (self.folder,)


def _check_is_from(folder, module, module_name, where):
    """Raise if a module was taken from elsewhere though the folder has it too."""
    top = module_name.partition(".")[0]
    is_beside = (folder / f"{top}.py").exists() or (folder / top).is_dir()
    file = getattr(module, "__file__", None)
    if is_beside and (file is None or folder not in Path(file).resolve().parents):
        raise ValueError(
            f"{where}: the module {top!r} in {str(folder)!r} is hidden by another of "
            f"the same name, {file or 'a built-in one'}. Rename yours."
        )
