"""Labels among the parameters of an estimator that is trained on codes."""

import numpy as np
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer

from skbadge._compat import with_labels
from skbadge.outputs._pipeline import is_skorch_net
from skbadge.querier._members import IN_PAIRS, owners_of
from skbadge.querier._seeding import models_in, tried_values
from skbadge.utils._shown import listed

# The members of these see codes already, of the ensemble's making.
_ENCODING = (BaggingClassifier, StackingClassifier, VotingClassifier, *IN_PAIRS)
# What goes by class; the second one is that of imbalanced-learn's samplers.
_BY_CLASS = ("class_weight", "sampling_strategy")


def translate_labels(estimator, codec):
    """Put codes in place of labels in the parameters of a clone that speaks codes.

    These are `pos_label`, also of the scorers of a search, weights and numbers of rows
    by class, and the `classes` of nets; those among the values that a search tries,
    too. Frozen parts keep theirs.

    Raises a ValueError for what is no label and could be taken for a code.
    """
    params = {"": estimator, **estimator.get_params()}
    changed = {}
    for path, value in params.items():
        owners = owners_of(path, params)
        if any(isinstance(owner, FrozenEstimator) for owner in owners):
            continue
        translated = _translate(path, value, owners, codec)
        # Parameters of callbacks that a net lists cannot all be set.
        if translated is not value:
            changed[path] = translated
        if is_skorch_net(value) and getattr(value, "classes", None) is not None:
            # Codes may stand there already.
            named = np.asarray(value.classes).tolist()
            if set(named) <= set(codec.coded.tolist()):
                changed[f"{path}__classes".removeprefix("__")] = _rename(named, codec)
    for path, _, _, grid, name in tried_values(estimator):
        path = f"{path}__estimator__{name}".removeprefix("__")
        owners = owners_of(path, params)
        values = [_translate(path, value, owners, codec) for value in grid[name]]
        if any(new is not old for new, old in zip(values, grid[name], strict=True)):
            grid[name] = values
        for _, model in models_in(values):
            translate_labels(model, codec)
    estimator.set_params(**changed)


def _translate(path, value, owners, codec):
    """A parameter with codes for labels, or the value itself."""
    name = path.rpartition("__")[2]
    if name == "scoring":
        return _translate_scoring(value, codec)
    if name == "pos_label":
        code = _rename(value, codec)
        if code is value and value in range(len(codec.coded)):
            raise _no_label(path, [value], codec)
        return code
    is_encoded = any(isinstance(owner, _ENCODING) for owner in owners)
    if name not in _BY_CLASS or is_encoded or not isinstance(value, dict | list):
        return value
    coded, classes = codec.coded.tolist(), codec.classes.tolist()
    unknown = [label for label in value if label not in classes]
    # As scikit-learn: where each label is named, others may be so, too.
    if unknown and not set(coded) <= set(value):
        raise _no_label(path, unknown, codec)
    # Of the classes, some may have no row yet.
    known = [label for label in value if label in coded]
    codes = _rename(known, codec)
    if isinstance(value, list):
        return codes
    return {code: value[label] for label, code in zip(known, codes, strict=True)}


def _no_label(path, named, codec):
    return ValueError(
        f"`{path}` must name labels. Got {listed(named)}, and the labels are "
        f"{listed(codec.classes)}. Those that have no row yet are named with `classes`."
    )


def _rename(labels, codec):
    """The codes of labels, in lists too; what is no label is left."""
    if isinstance(labels, list | tuple | np.ndarray):
        return [_rename(label, codec) for label in labels]
    coded = codec.coded.tolist()
    return coded.index(labels) if labels in coded else labels


def _translate_scoring(scoring, codec):
    if isinstance(scoring, list | tuple | set):
        scoring = {name: name for name in scoring}
    if isinstance(scoring, dict):
        return {name: _translate_scoring(scoring[name], codec) for name in scoring}
    scorer = get_scorer(scoring) if isinstance(scoring, str) else scoring
    translated = with_labels(scorer, lambda labels: _rename(labels, codec))
    return scoring if translated is scorer else translated
