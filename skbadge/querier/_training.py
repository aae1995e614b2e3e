"""Training estimators on labelled rows, and on unlabelled ones beside them."""

import warnings
from contextlib import nullcontext

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.ensemble import (
    BaseEnsemble,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.feature_selection import SelectorMixin, VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.semi_supervised import (
    LabelPropagation,
    LabelSpreading,
    SelfTrainingClassifier,
)
from sklearn.utils import get_tags
from torch import inference_mode

from skbadge.nn._adapt import (
    adapt_net,
    check_weights,
    encoded_target,
    shape_before_training,
    untrained,
)
from skbadge.nn._adapt_regressor import adapt_regressor, check_output_shape
from skbadge.nn._validation_split import RelabeledDataset
from skbadge.outputs._output_shape import n_outputs, output_shape
from skbadge.outputs._pipeline import (
    innermost,
    is_search,
    is_skorch_net,
    sets_threshold,
    transforms_target,
    wrapped,
)
from skbadge.outputs.readers._feature_layer import choose_feature_layer, named_modules
from skbadge.outputs.readers._inference import roots_of
from skbadge.outputs.readers._other import no_layers
from skbadge.pools import concatenate_rows, first_rows, is_dataset, is_several, n_rows
from skbadge.querier._backup import put_back_if_it_fails
from skbadge.querier._checks import resolve_classes
from skbadge.querier._codecs import (
    LabelCodec,
    NumberCodec,
    is_pretrained,
    speaks_codes,
    trained_classes,
)
from skbadge.querier._explain import check_keeps_rows, check_saw_rows, explain
from skbadge.querier._label_params import translate_labels
from skbadge.querier._labeled_rows import is_aligned
from skbadge.querier._members import adapt_members, check_members_labels, members_of
from skbadge.querier._seeding import set_random_states, train_apart
from skbadge.utils._shared_state import one_job_a_process, seeded
from skbadge.utils._shown import listed, shown


class MarkError(ValueError):
    """The mark of unlabelled rows is a label too."""


def unlabeled_mark(estimator):
    """The label by which a model's training knows unlabelled rows.

    None if it trains on labelled rows only, or is not trained at all.
    """
    predictor = innermost(estimator)
    semi_supervised = LabelPropagation | LabelSpreading | SelfTrainingClassifier
    if is_pretrained(estimator):
        return None
    if isinstance(predictor, semi_supervised):
        return -1
    if getattr(predictor, "trains_on_unlabeled", False):
        return predictor.unlabeled_label
    return None


def check_feature_layer(estimator, feature_layer):
    """Raise if a model that is to be trained will have no module of this name.

    A net that cannot be made before it is trained, or that a search changes, may have
    any.
    """
    if feature_layer == "auto" or is_pretrained(estimator):
        return
    model = innermost(estimator)
    if any(map(is_search, wrapped(estimator))):
        return
    if not is_skorch_net(model):
        raise no_layers(model, feature_layer)
    try:
        with warnings.catch_warnings():
            # Of a trial, which says nothing about the training.
            warnings.simplefilter("ignore")
            modules = named_modules(roots_of(untrained(model)))
    except Exception:
        return
    choose_feature_layer(modules, feature_layer, None)


def check_takes_unlabeled(estimator, rows):
    """Raise if an estimator cannot train on these rows and unlabelled ones together."""
    if unlabeled_mark(estimator) is None:
        raise ValueError(
            "`X_unlabeled` needs an estimator that trains on unlabelled rows: "
            "skbadge.nn.JointEntropyClassifier or JointEntropyTabularClassifier, "
            "scikit-learn's SelfTrainingClassifier, LabelPropagation or "
            "LabelSpreading, or one with `trains_on_unlabeled = True` and a parameter "
            "`unlabeled_label`; itself or at the end of a Pipeline, and not frozen. "
            f"Got {type(innermost(estimator)).__name__} instead."
        )
    readers = _label_readers(estimator)
    if readers:
        raise ValueError(
            "With `X_unlabeled`, the steps before the model see rows without labels, "
            f"but these learn from labels: {readers}. Leave them out, or apply them "
            "beforehand."
        )
    aligned = [name for name in rows.params if is_aligned(rows.params[name], rows.y)]
    if aligned:
        raise ValueError(
            "With `X_unlabeled`, parameters of `fit` cannot have one entry for each "
            f"row, for unlabelled rows have none. Got {aligned}."
        )


def _label_readers(estimator):
    """Names of the steps before the model that take labels or make up rows."""
    model = innermost(estimator)
    own = [model, *model.get_params().values()]
    return [
        name
        for name, part in estimator.get_params().items()
        if not isinstance(part, type)
        and not any(part is mine for mine in own)
        and (hasattr(part, "fit_resample") or learns_from_labels(part))
    ]


def learns_from_labels(step):
    """Whether a transformer does, as far as scikit-learn lets one know."""
    if not hasattr(step, "transform") or not hasattr(step, "__sklearn_tags__"):
        return False
    if isinstance(step, SelectorMixin):
        # Their tags do not tell, for some score functions ignore labels.
        return not isinstance(step, VarianceThreshold)
    # A pipeline has the tags of its last step, and its steps are asked one by one.
    return not hasattr(step, "steps") and get_tags(step).target_tags.required


def _with_unlabeled(X, y, X_unlabeled, mark):
    """Labelled rows followed by unlabelled ones, and the labels of both."""
    marks = np.full(n_rows(X_unlabeled), mark)
    if isinstance(y[0], str) != isinstance(mark, str):
        # NumPy would turn the number into a string.
        y, marks = y.astype(object), marks.astype(object)
    X = concatenate_rows(X, X_unlabeled, "X_unlabeled")
    return X, np.concatenate([y, marks])


def make_codec(estimator, rows, classes, *, seed, fit_params):
    """How a model is to write what it predicts, see `fit_clone`.

    Without ``classes``, they are those of a trained model, or else those of the rows.
    """
    if not is_classifier(estimator):
        return NumberCodec(rows.y.shape[1:])
    if classes is None and is_pretrained(estimator):
        # A trained net may stand behind steps that are not fitted yet.
        rows = rows.lent()
        model = fit_clone(estimator, rows, None, seed=seed, fit_params=fit_params)
        classes = trained_classes(model, first_rows(rows.X, 2))
    by_units = speaks_codes(estimator)
    members = [] if by_units else members_of(estimator)
    if any(member.speaks_codes for member in members):
        check_members_labels(estimator, classes, rows.y)
    keep_order = is_pretrained(estimator) or any(each.is_frozen for each in members)
    classes = resolve_classes(classes, rows.y, keep_order=keep_order)
    is_coded = by_units or any(member.speaks_codes for member in members)
    return LabelCodec(classes, classes if is_coded else None, by_units)


def train(trainer, estimator, rows, codec, **options):
    """Train by `fit_clone` or `fit_further`; return the fitted estimator and its codec.

    Where labels are no codes and the training fails, it is tried on codes: some models
    take 0, 1, ... only. If that fails as well, the first error stands, with a note of
    what the second one says.
    """
    try:
        return trainer(estimator, rows, codec, **options), codec
    except MarkError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        coded = codec.in_codes(rows.y)
        if coded is None:
            raise
        try:
            return trainer(estimator, rows, coded, **options), coded
        except Exception as second:
            if str(second) == str(error):
                raise error from None
            # The first one may be about the labels alone, and hide what is wrong.
            error.add_note(
                "The training was tried again on 0, 1, ... in place of the labels, and "
                f"failed with a {type(second).__name__}: {second}"
            )
            raise error from second


def fit_clone(estimator, rows, codec, *, seed, fit_params, X_unlabeled=None):
    """Train a clone of an estimator from scratch; a frozen one is returned as it is.

    The seed makes training reproducible, torch included; None leaves all to the
    estimator. ``codec`` is None if no net is to be trained.
    """
    if isinstance(estimator, FrozenEstimator):
        return estimator
    original, estimator = estimator, clone(estimator)
    let_copy(estimator, original)
    if codec is not None and codec.is_coded:
        translate_labels(estimator, codec)
    adapt_members(estimator, rows.X, codec)
    train_apart(estimator, original, seed)
    if seed is not None:
        set_random_states(estimator, seed)
    return _fit(estimator, rows, codec, seed, fit_params, X_unlabeled)


# With `warm_start` they add members, if they are asked for more, and change none.
_GROWS = (BaseEnsemble, HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def check_no_new_labels(estimator, y):
    """Raise if a fitted classifier that is to go on training has not seen a label."""
    new = np.setdiff1d(y, getattr(estimator, "classes_", y)).tolist()
    if new:
        raise ValueError(
            f"`y` holds labels that did not occur before: {listed(new)}. With "
            f"`warm_start=True`, {shown(estimator)} cannot learn new classes. Set "
            "`warm_start=False`."
        )


def fit_further(estimator, rows, codec, *, seed, fit_params, X_unlabeled=None):
    """Go on training a fitted estimator, from the weights it has.

    If that fails, it is put back as it was.
    """
    if isinstance(estimator, FrozenEstimator):
        return estimator
    names = [
        name
        for name in estimator.get_params()
        if name == "warm_start" or name.endswith("__warm_start")
    ]
    # These train clones of their estimator, which start over, as do ensembles without
    # a `warm_start` of their own.
    starts_over = any(
        is_search(part) or transforms_target(part) or sets_threshold(part)
        for part in wrapped(estimator)
    )
    if isinstance(innermost(estimator), _GROWS):
        raise ValueError(
            f"`warm_start=True` cannot go on training {shown(estimator)}: its members "
            "stay as they are, and would never see the new rows. Set "
            "`warm_start=False`."
        )
    if starts_over or "warm_start" not in innermost(estimator).get_params(deep=False):
        raise ValueError(
            "`warm_start=True` needs an estimator with a parameter `warm_start`, and "
            "no search, threshold or transformed target. Got "
            f"{shown(estimator)} instead."
        )
    with put_back_if_it_fails(estimator):
        estimator.set_params(**dict.fromkeys(names, True))
        return _fit(estimator, rows, codec, seed, fit_params, X_unlabeled)


def _fit(estimator, rows, codec, seed, fit_params, X_unlabeled):
    X, y = rows.X, rows.y
    predictor = innermost(estimator)
    trains_net = is_skorch_net(predictor) and not is_pretrained(estimator)
    target_shape = None
    check_keeps_rows(estimator)
    if trains_net:
        y, target_shape = _adapt_to_rows(predictor, rows, codec)
    elif codec is not None and codec.is_coded:
        y = codec.encode(y)
    mark = unlabeled_mark(estimator)
    if mark is not None:
        if np.any((y if trains_net else rows.y) == mark):
            raise MarkError(
                f"The label {mark!r} stands for unlabelled rows, but labelled rows "
                "have it too. Name another, in `y` or in the net's `unlabeled_label` "
                "(a net sees labels as 0, 1, ...)."
            )
        if X_unlabeled is not None:
            X, y = _with_unlabeled(X, y, X_unlabeled, mark)
    if trains_net and is_dataset(X):
        X = RelabeledDataset(X, y)
    has_nets = any(map(is_skorch_net, estimator.get_params().values()))
    jobs = one_job_a_process() if has_nets else nullcontext()
    with seeded(seed), jobs, inference_mode(False):
        try:
            estimator.fit(X, y, **fit_params)
        except Exception as error:
            explain(error, estimator, rows, getattr(codec, "classes", None))
            raise
    check_saw_rows(estimator, len(rows.y))
    # A search may have found another kind of model better.
    if trains_net and is_skorch_net(innermost(estimator)):
        _check_trained(estimator, first_rows(rows.X, 2), codec, target_shape)
    return estimator


def _adapt_to_rows(net, rows, codec):
    """Let a net take the rows; return what to train it on, and its shape for a row."""
    several = is_several(rows.X)
    if isinstance(codec, NumberCodec):
        return adapt_regressor(net, rows.X, rows.y, several_inputs=several)
    y = encoded_target(net, codec.encode(rows.y))
    adapt_net(net, codec.coded, several_inputs=several)
    # It raises if the module returns no tensor.
    shape_before_training(net, rows.X)
    return y, None


def _check_trained(estimator, X, codec, target_shape):
    """Raise if training left a net that is of no use."""
    net = innermost(estimator)
    check_weights(net)
    if isinstance(codec, LabelCodec):
        # A single logit tells two classes apart.
        codec.check_width(max(n_outputs(estimator, X), 2))
    elif target_shape is not None:
        check_output_shape(net, output_shape(estimator, X), target_shape)


def let_copy(estimator, original):
    """Let all parts copy the rows that they are given, instead of writing on them.

    The rows are the user's, who asks again about the same pool. Frozen parts, which a
    clone shares with the original, stay as they are.
    """
    kept = {id(part) for part in original.get_params().values()}
    for part in [estimator, *estimator.get_params().values()]:
        is_estimator = hasattr(part, "get_params") and not isinstance(part, type)
        if not is_estimator or id(part) in kept:
            continue
        # A parameter of this name may mean anything in the classes of others.
        owner = getattr(type(part).__init__, "__module__", "")
        if owner.startswith("sklearn."):
            own = part.get_params(deep=False)
            saving = [name for name in _SAVES_A_COPY if own.get(name) is False]
            part.set_params(**dict.fromkeys(saving, True))


_SAVES_A_COPY = ("copy", "copy_X", "copy_x")
