"""Trainings that do not influence each other, side by side or one after another."""

from hashlib import blake2b

from skorch import NeuralNet
from skorch.callbacks import Callback, LoadInitState, TrainEndCheckpoint

from skbadge.nn._own_files import OwnFiles, callback_of
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
    folds of a search have one seed, and differ by their rows. It must be the first of
    all callbacks: it draws the initial weights anew, since skorch initialises a net
    before it sees any rows.

    Parameters
    ----------
    seed : int
        Of 32 bits.

    random_state : int, default=0
        Joins the seed. By this name, ensembles give each of their members another.
    """

    def __init__(self, seed, random_state=0):
        self.seed = seed
        self.random_state = random_state

    def initialize(self):
        """Start over; seed the global generators for the modules, which come next."""
        self.is_new_ = True
        self.found_ = generator_states()
        seed_generators(self._seed_for())
        return self

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        """Seed the global generators; draw new weights for a new net."""
        if not hasattr(self, "found_"):
            self.found_ = generator_states()
        seed_generators(self._seed_for(X, y))
        # A class of the user's own may have loaded weights while it initialised.
        if self.is_new_ and type(net).initialize is NeuralNet.initialize:
            _draw_weights(net)
        self.is_new_ = False

    def on_train_end(self, net, **kwargs):
        """Put the generators back."""
        restore_generators(self.found_)
        del self.found_

    def _seed_for(self, *parts):
        """A seed of 32 bits for training on these rows and labels."""
        seeds = f"{self.seed}-{self.random_state}"
        digest = blake2b(seeds.encode(), digest_size=4)
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


def give_own_training(net, seed=None):
    """Let a clone of the user's net train without regard to what else is trained.

    Its files stay apart from those of others. With a seed, all randomness follows from
    it and the rows.
    """
    callbacks = [] if net.callbacks == "disable" else net.callbacks or []
    # Without those that an earlier call of this function added.
    own = OwnRandomness | OwnFiles
    callbacks = [item for item in callbacks if not isinstance(callback_of(item), own)]
    for callback in map(callback_of, callbacks):
        if isinstance(callback, LoadInitState):
            _let_load(callback)
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
    if first:
        # Callbacks of a net that is not initialised are no parameters to others.
        net.callbacks__own_randomness__random_state = 0


def _let_load(callback):
    """Name the files to load in a way that a clone keeps."""
    if isinstance(callback.checkpoint, TrainEndCheckpoint):
        callback.checkpoint = callback.checkpoint.initialize().checkpoint_
