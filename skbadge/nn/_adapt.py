"""Making a user's unmodified net take tables and class codes."""

import warnings
from functools import partial
from inspect import Parameter, signature

import torch
from sklearn.base import clone, is_classifier
from skorch import NeuralNet, NeuralNetBinaryClassifier, NeuralNetRegressor
from skorch.dataset import Dataset, ValidSplit

from skbadge.nn._dataset import ArrayDataset
from skbadge.nn._target_dataset import TargetDataset
from skbadge.nn._validation_split import CodedSplit
from skbadge.outputs._casting import input_dtype, looks_up_integers
from skbadge.outputs._output_shape import output_shape
from skbadge.outputs.readers._inference import modules_of
from skbadge.outputs.readers._net_batches import NotATensorError
from skbadge.pools import first_rows


def adapt_net(net, classes=None, *, several_inputs=False):
    """Let a clone of the user's net train on any table and with missing classes.

    A net with skorch's own ``Dataset`` gets `ArrayDataset`, which casts rows to the
    module's floating dtype. A regressor gets `TargetDataset`, which casts the targets
    as well. A net with another data set keeps it. A module with several inputs also
    keeps skorch's, unless `several_inputs` says that rows are dicts or lists of
    arrays: skorch splits data frames by column. The codes of `classes` become the
    ``classes`` of a net without any, and the targets of validation rows that are a data
    set of their own. The module, the criterion and the training do not change.
    """
    params = {}
    if net.dataset is Dataset and not net.get_params_for("dataset"):
        modules = modules_of(untrained(net))
        if several_inputs or not _has_several_inputs(modules[0]):
            is_regressor = isinstance(net, NeuralNetRegressor)
            params["dataset"] = TargetDataset if is_regressor else ArrayDataset
            params["dataset__dtype"] = str(
                input_dtype(modules) or torch.get_default_dtype()
            ).removeprefix("torch.")
            codes = "codes" if looks_up_integers(modules) else True
            # Integers among several inputs may be codes, masks or lengths.
            params["dataset__cast_integers"] = False if several_inputs else codes
            if is_classifier(net):
                # Ensembles write codes in dtypes of their own.
                params["dataset__target_dtype"] = _target_dtype(net)
    if classes is not None and getattr(net, "classes", ()) is None:
        params["classes"] = list(range(len(classes)))
    split = net.train_split
    split = split.split if isinstance(split, CodedSplit) else split
    is_own = split is not None and not isinstance(split, ValidSplit)
    if is_own and (classes is not None or isinstance(net, NeuralNetRegressor)):
        dtype = None if classes is None else _target_dtype(net)
        params["train_split"] = CodedSplit(split, classes, dtype)
    if params:
        net.set_params(**params)


def encoded_target(net, codes):
    """Class codes in the dtype that the net's criterion takes."""
    return codes.astype(_target_dtype(net))


def _target_dtype(net):
    losses = torch.nn.BCEWithLogitsLoss | torch.nn.BCELoss
    # With any criterion, skorch's own class for two classes has one logit.
    is_binary = isinstance(net, NeuralNetBinaryClassifier)
    return "float32" if is_binary or issubclass(criterion_of(net), losses) else "int64"


def predicts_itself(net):
    """Whether a net's class has a ``predict`` of its own."""
    return type(net).predict.__module__.partition(".")[0] != "skorch"


def criterion_of(net):
    """The class of a net's criterion."""
    criterion = net.criterion
    while isinstance(criterion, partial):
        criterion = criterion.func
    return criterion if isinstance(criterion, type) else type(criterion)


def has_own_dataset(net):
    """Whether a net reads its rows in a way of its own, whatever they are."""
    if isinstance(net.dataset, type) and issubclass(net.dataset, ArrayDataset):
        return False
    # Instances and functions are datasets of the user's own, too.
    overridden = type(net).get_dataset is not NeuralNet.get_dataset
    return overridden or net.dataset is not Dataset


def check_weights(net):
    """Raise a ValueError if training left NaN or infinite weights."""
    for module in modules_of(net):
        for name, weight in module.named_parameters():
            if not torch.isfinite(weight).all():
                raise ValueError(
                    f"Training diverged: the net's parameter {name!r} holds NaN or "
                    f"infinite values. Lower `lr` (now {net.lr}), standardise the "
                    "input, or remove the NaN from what reaches the net."
                )


def untrained(net):
    """An initialised clone of a net, on the CPU; torch's generators do not advance."""
    with torch.random.fork_rng(devices=[]):
        return clone(net).set_params(device="cpu", verbose=0).initialize()


def shape_before_training(net, X):
    """Shape of an untrained net's output for a row; None if it cannot take these rows.

    Raises a TypeError if it returns no tensor. Rows may be other ones than in training
    where steps before the net change them, and a net may learn its widths in training.
    """
    try:
        with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
            # Of a trial, which says nothing about the training.
            warnings.simplefilter("ignore")
            return output_shape(untrained(net), first_rows(X, 2))
    except NotATensorError:
        raise
    except Exception:
        return None


def _has_several_inputs(module):
    """Whether `forward` needs more than one argument."""
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    required = [
        parameter
        for parameter in signature(module.forward).parameters.values()
        if parameter.kind in kinds and parameter.default is Parameter.empty
    ]
    return len(required) > 1
