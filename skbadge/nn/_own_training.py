"""Trainings that do not influence each other, side by side or one after another."""

import os
from contextlib import contextmanager
from hashlib import blake2b
from shutil import rmtree
from tempfile import mkdtemp
from weakref import WeakKeyDictionary, finalize

from skorch import NeuralNet
from skorch.callbacks import Callback

from skbadge.outputs._pipeline import is_skorch_net
from skbadge.pools import is_dataset, n_rows
from skbadge.pools._identity import row_bytes
from skbadge.utils._shared_state import (
    generator_states,
    restore_generators,
    seed_generators,
)


class OwnRandomness(Callback):
    """Gives a training random numbers that depend on its seed and its rows alone.

    A net that an ensemble or a search trains is a clone, maybe in another process, in
    which nobody has seeded anything. A callback is a parameter, and goes along. The
    members of a bagging have one seed, and differ by their rows. It must be the first
    of all callbacks: it draws the initial weights anew, since skorch initialises a net
    before it sees any rows.

    Parameters
    ----------
    seed : int
        Of 32 bits.
    """

    def __init__(self, seed):
        self.seed = seed

    def initialize(self):
        """Start over."""
        self.is_new_ = True
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Seed the global generators; draw new weights for a new net."""
        self.found_ = generator_states()
        seed_generators(_seed_for(self.seed, X, y))
        # A class of the user's own may have loaded weights while it initialised.
        if self.is_new_ and type(net).initialize is NeuralNet.initialize:
            _draw_weights(net)
        self.is_new_ = False

    def on_train_end(self, net, **kwargs):
        """Put the generators back."""
        restore_generators(self.found_)
        del self.found_


def _seed_for(seed, *parts):
    """A seed of 32 bits for training on these rows and labels."""
    digest = blake2b(str(seed).encode(), digest_size=4)
    for part in parts:
        if part is None:
            continue
        digest.update(str(n_rows(part)).encode())
        if not is_dataset(part):
            # A dataset would be read a second time, from files perhaps.
            for row in row_bytes(part):
                digest.update(row)
    return int.from_bytes(digest.digest(), "little")


def _draw_weights(net):
    """Initialise modules, criteria and optimisers of an initialised net again."""
    verbose, net.verbose = net.verbose, 0
    net._initialize_module()
    net._initialize_criterion()
    net._initialize_optimizer()
    net.verbose = verbose


class OwnFiles(Callback):
    """Keeps the files that other callbacks write apart until training has ended.

    Trainings side by side, in folds or in runs, write to files of the same names, and
    would read each other's weights. Last of all callbacks, it sends what is written to
    a new folder, and moves it to where it belongs in the end, each file whole.
    """

    def on_train_begin(self, net, **kwargs):
        """Send files to a new folder."""
        self._put_back()
        for _, callback in net.callbacks_:
            home = getattr(callback, "dirname", None)
            if isinstance(home, str):
                folder = mkdtemp(dir=os.path.abspath(home), prefix=".training-")
                removal = finalize(callback, rmtree, folder, ignore_errors=True)
                _REDIRECTED.setdefault(self, []).append((callback, home, removal))
                callback.dirname = folder

    def on_train_end(self, net, **kwargs):
        """Move the files to where they belong."""
        for callback, home, _ in _REDIRECTED.get(self, ()):
            folder = callback.dirname
            for name in os.listdir(folder):
                os.replace(os.path.join(folder, name), os.path.join(home, name))
        self._put_back()

    def _put_back(self):
        """Let callbacks write where they did, and remove the folders.

        If training fails, skorch does not say that it has ended.
        """
        for callback, home, removal in _REDIRECTED.pop(self, ()):
            callback.dirname = home
            removal()


# What each `OwnFiles` has redirected. It is not kept in nets, which may be pickled.
_REDIRECTED: WeakKeyDictionary = WeakKeyDictionary()


def give_own_training(net, seed=None):
    """Let a clone of the user's net train without regard to what else is trained.

    Its files stay apart from those of others. With a seed, all randomness follows from
    it and the rows.
    """
    callbacks = [] if net.callbacks == "disable" else net.callbacks or []
    # Without those that an earlier call of this function added.
    own = OwnRandomness | OwnFiles
    callbacks = [item for item in callbacks if not isinstance(_callback_of(item), own)]
    # Only callbacks write files.
    last = [("own_files", OwnFiles())] if callbacks else []
    first = [] if seed is None else [("own_randomness", OwnRandomness(seed))]
    if not first and not last:
        return
    if net.callbacks == "disable":
        # skorch adds callbacks by default. None in place of one turns it off.
        for name, _ in net.get_default_callbacks():
            setattr(net, f"callbacks__{name}", None)
    net.callbacks = [*first, *callbacks, *last]


def _callback_of(item):
    """The callback, or its class, in an entry of a net's list."""
    return item[1] if isinstance(item, list | tuple) else item


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
            callback = _callback_of(item)
            # The callback that loads an initial state holds the one that wrote it.
            for each in (callback, getattr(callback, "checkpoint", None)):
                if isinstance(getattr(each, "dirname", None), str):
                    callbacks[id(each)] = each
    return callbacks.values()
