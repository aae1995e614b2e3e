"""Monte Carlo dropout for skorch nets, with masks that all rows share."""

from contextlib import ExitStack, contextmanager
from itertools import chain

import torch
from sklearn.utils import check_random_state
from torch import nn

from skbadge.outputs.readers._inference import in_this_thread, roots_of

DROPOUTS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)

HINT = (
    "Add `torch.nn.Dropout` modules with p > 0 and train again, or query an ensemble, "
    "such as BaggingClassifier(net). Dropout inside other modules (the parameter "
    "`dropout` of recurrent and attention layers, `torch.nn.functional.dropout`) is "
    "not seen."
)


class NetMasks:
    """Dropout masks of a net, shared by all rows until they are renewed.

    Each set of masks is one thinned net, applied to all rows (Gal and Ghahramani): the
    masks are drawn for one row, once for each call of a dropout module within a forward
    pass, and broadcast over the rows of all batches. Just the dropout modules act as
    in training, batch normalisation among others does not.

    Parameters
    ----------
    net : skorch net
        Fitted.

    random_state : None, int or RandomState
        Draws the masks. The first ones do not depend on how many will follow, nor any
        on the batches.

    Raises
    ------
    ValueError
        If the net has no dropout module with ``p > 0``.
    """

    def __init__(self, net, random_state):
        rng = check_random_state(random_state)
        # A criterion is no part of the prediction, hence just the modules.
        self.masks = [
            SharedMasks(getattr(root, "_orig_mod", root), int(rng.randint(2**31 - 1)))
            for root in roots_of(net).values()
        ]
        if not any(masks.modules for masks in self.masks):
            raise ValueError(f"The net has no dropout module with p > 0. {HINT}")

    @contextmanager
    def applied(self):
        """Replace the output of the dropout modules inside the block."""
        with ExitStack() as stack:
            for masks in self.masks:
                stack.enter_context(masks.applied())
            yield

    def renew(self):
        """Forget the masks, so that the next pass over the rows draws new ones."""
        for masks in self.masks:
            masks.renew()

    def check_drawn(self):
        """Raise if the last pass over the rows met no dropout module."""
        if not any(masks.n_drawn for masks in self.masks):
            raise ValueError(
                f"None of the net's dropout modules is run when it predicts. {HINT}"
            )


class SharedMasks:
    """Dropout masks of one module, shared by all rows until they are renewed.

    Parameters
    ----------
    root : torch.nn.Module
        The module that is called on batches of rows.

    seed : int
        Seeds the masks. They are drawn on the CPU, whatever the module's device.
    """

    def __init__(self, root, seed):
        self.root = root
        self.modules = [
            m for m in root.modules() if isinstance(m, DROPOUTS) and m.p > 0
        ]
        self._state = torch.Generator().manual_seed(seed).get_state()
        self.renew()

    def renew(self):
        """Forget the masks, so that the next pass over the rows draws new ones."""
        self._masks = {}
        self._in_batch = False

    @property
    def n_drawn(self):
        """Number of masks since they were last renewed."""
        return len(self._masks)

    def _start_batch(self, module, args):
        """A hook that marks where a batch begins."""
        self._in_batch = True
        self._calls = dict.fromkeys(self.modules, 0)
        self._n_rows = set()

    @contextmanager
    def applied(self):
        """Replace the output of the dropout modules inside the block."""
        with ExitStack() as stack:
            root = self.root
            start, drop, end = map(
                in_this_thread, (self._start_batch, self._drop, self._end_batch)
            )
            stack.enter_context(root.register_forward_pre_hook(start))
            for module in self.modules:
                handle = module.register_forward_hook(drop, with_kwargs=True)
                stack.enter_context(handle)
            stack.enter_context(root.register_forward_hook(end))
            yield

    def _end_batch(self, module, args, output):
        """A hook that marks where a batch ends."""
        output = output[0] if isinstance(output, tuple) and output else output
        if isinstance(output, torch.Tensor) and self._n_rows - {len(output)}:
            raise ValueError(
                "Dropout modules must be given the rows along their first dimension, "
                f"for one mask to be shared by all of them. Got {len(output)} rows, "
                f"and inputs of length {sorted(self._n_rows)}. Query an ensemble of "
                "such nets instead, such as BaggingClassifier(net)."
            )
        self._in_batch = False

    def _drop(self, module, args, kwargs, output):
        """A hook that replaces what a dropout module returns."""
        rows = next(chain(args, kwargs.values()))
        if not self._in_batch:
            # Without knowing where a batch ends, masks could not be told from new ones.
            raise ValueError(
                f"The net must run its {type(self.root).__name__} by calling it, for "
                "dropout masks to be shared by all rows, not one of its submodules or "
                "another of its methods."
            )
        key = module, self._calls[module]
        self._calls[module] += 1
        self._n_rows.add(rows.shape[0] if rows.ndim else 0)
        if key not in self._masks:
            mask = self._drawn(module, rows.shape[1:])
            self._masks[key] = [part.to(rows.device, rows.dtype) for part in mask]
        scale, shift = self._masks[key]
        if scale.shape[1:] != rows.shape[1:]:
            raise ValueError(
                "Rows must have the same shape in all batches, for one dropout mask to "
                f"be shared by all of them. Got {tuple(scale.shape[1:])} first and "
                f"{tuple(rows.shape[1:])} later."
            )
        return rows * scale + shift

    def _drawn(self, module, shape):
        """What the module, in train mode, multiplies one row by, and adds to it."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._state)
            shift = _in_training(module, torch.zeros(1, *shape))
            # Again from the same state: the same mask.
            torch.set_rng_state(self._state)
            scale = _in_training(module, torch.ones(1, *shape)) - shift
            self._state = torch.get_rng_state()
        return scale, shift


def _in_training(module, row):
    """What a dropout module returns in train mode."""
    mode = module.training
    module.training = True
    try:
        return module.forward(row)
    finally:
        module.training = mode
