"""Files of callbacks, kept apart from those of trainings side by side."""

import os
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp
from typing import Any
from weakref import WeakKeyDictionary, finalize

from skorch.callbacks import Callback, Checkpoint

from skbadge.outputs._pipeline import is_skorch_net

# In place of a separator of folders, so that the name of a file says its path.
_SEPARATOR = "\N{DIVISION SLASH}"


class OwnFiles(Callback):
    """Keeps the files that other callbacks write apart until training has ended.

    Trainings side by side, in folds or in runs, write to files of the same names, and
    would read each other's weights. Last of all callbacks, it sends what is written to
    a new folder, and moves it to where it belongs in the end, each file whole.
    """

    def on_train_begin(self, net, **kwargs):
        """Send files to a new folder."""
        self._put_back()
        for callback in _writers(item for _, item in net.callbacks_):
            home = os.path.abspath(callback.dirname)
            try:
                folder = mkdtemp(dir=_nearest_folder(home), prefix=".training-")
            except OSError:
                # Whoever only reads from there needs no right to write.
                continue
            removal = finalize(callback, rmtree, folder, ignore_errors=True)
            redirection = (callback, home, folder, removal)
            _REDIRECTED.setdefault(self, []).append(redirection)
            callback.dirname = _in_place_of(callback.dirname, folder)
            for name, value in _file_names(callback):
                flat = os.fspath(value).replace(os.sep, _SEPARATOR)
                if not isinstance(value, str):
                    # skorch adds no folder to a path.
                    flat = Path(folder, flat)
                setattr(callback, name, _in_place_of(value, flat))

    def on_train_end(self, net, **kwargs):
        """Move the files to where they belong."""
        for _, home, folder, _ in _REDIRECTED.get(self, ()):
            for inside, _, names in os.walk(folder):
                for name in names:
                    found = os.path.join(inside, name)
                    path = os.path.relpath(found, folder).replace(_SEPARATOR, os.sep)
                    _move(found, os.path.join(home, path))
        self._put_back()

    def _put_back(self):
        """Let callbacks write where they did, and remove the folders.

        If training fails, skorch does not say that it has ended.
        """
        for callback, _, _, removal in _REDIRECTED.pop(self, ()):
            for name, value in vars(callback).items():
                if isinstance(value, _InPlace):
                    setattr(callback, name, value.original)
            removal()


# What each `OwnFiles` has redirected: no state of a net, which is pickled and put back.
_REDIRECTED: WeakKeyDictionary = WeakKeyDictionary()


class _InPlace:
    """A text or path in place of another, which it is again once it is copied.

    So a net that is pickled while it trains knows its folder, not the passing one.
    """

    original: Any

    def __reduce__(self):
        return _itself, (self.original,)


class _Text(_InPlace, str):
    pass


# It depends on the operating system.
_KIND_OF_PATH: Any = type(Path())


class _Path(_InPlace, _KIND_OF_PATH):
    pass


def _itself(value):
    return value


def _in_place_of(original, value):
    stand_in = (_Text if isinstance(value, str) else _Path)(value)
    stand_in.original = original
    return stand_in


def _writers(callbacks):
    """The callbacks that write to a folder of theirs."""
    for callback in callbacks:
        # The one that saves in the end leaves it to another.
        writer = getattr(callback, "checkpoint_", callback)
        if _has_folder(writer):
            yield writer


def _has_folder(callback):
    # What a property computes cannot be set.
    folder = getattr(callback, "__dict__", {}).get("dirname")
    return isinstance(folder, str | os.PathLike)


def _file_names(callback):
    """The names of the files of a checkpoint, and what they begin with."""
    if not isinstance(callback, Checkpoint):
        return []
    return [
        (name, value)
        for name, value in vars(callback).items()
        if (name == "fn_prefix" or name.startswith("f_"))
        and isinstance(value, str | os.PathLike)
    ]


def _nearest_folder(path):
    """The folder itself, or the first above it that exists."""
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _move(source, target):
    """Move a file in one step, also where another of its name is."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    try:
        os.replace(source, target)
    except OSError:
        # On another file system.
        folder = mkdtemp(dir=os.path.dirname(target), prefix=".training-")
        try:
            copied = copyfile(source, os.path.join(folder, "file"))
            os.replace(copied, target)
        finally:
            rmtree(folder, ignore_errors=True)


@contextmanager
def files_in(folder, model):
    """Let the callbacks of all nets in a model write to folders inside this one.

    After the block they write where they did before, those of nets trained in it too.
    """
    homes = {}
    for callback in _callbacks_with_files(model):
        inside = os.path.join(folder, str(len(homes)))
        inside = homes.setdefault(callback.dirname, inside)
        os.makedirs(inside, exist_ok=True)
        callback.dirname = inside
    before = {inside: home for home, inside in homes.items()}
    try:
        yield
    finally:
        for callback in _callbacks_with_files(model):
            callback.dirname = before.get(callback.dirname, callback.dirname)


def _callbacks_with_files(model):
    """The callbacks of all nets in a model, fitted ones too, that write files."""
    models = [model, *model.get_params().values()]
    models += [part.estimator_ for part in models if hasattr(part, "estimator_")]
    nets = {}
    for part in models:
        inside = part.get_params().values() if hasattr(part, "get_params") else ()
        nets.update({id(net): net for net in (part, *inside) if is_skorch_net(net)})
    callbacks = {}
    for net in nets.values():
        listed = net.callbacks if isinstance(net.callbacks, list) else []
        for item in [*listed, *getattr(net, "callbacks_", [])]:
            callback = callback_of(item)
            # The callback that loads an initial state holds the one that wrote it.
            for each in (callback, getattr(callback, "checkpoint", None)):
                if _has_folder(each):
                    callbacks[id(each)] = each
    return callbacks.values()


def callback_of(item):
    """The callback, or its class, in an entry of a net's list."""
    return item[1] if isinstance(item, list | tuple) else item
