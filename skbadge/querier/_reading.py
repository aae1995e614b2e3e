"""Reading from a model just what a strategy needs, pool and labelled rows."""

from dataclasses import replace

from skbadge.outputs import Labeled, Needs
from skbadge.outputs._options import ReadingOptions
from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers import read_model
from skbadge.pools._identity import row_ids
from skbadge.querier._codecs import LabelCodec
from skbadge.utils._streams import stream_seed


def needs_of(strategy):
    """What a strategy needs, as `Needs`.

    Parameters
    ----------
    strategy : Strategy
        Its ``needs`` are `Needs`, or names. With names, its attributes ``n_samples``
        and ``sketch_size`` give the numbers.
    """
    needs = Needs.of(strategy.needs)
    if isinstance(strategy.needs, Needs):
        return needs
    if needs.posterior:
        needs = replace(needs, n_posterior=strategy.n_samples)
    if needs.gradients:
        needs = replace(needs, n_columns=strategy.sketch_size)
    return needs


def reading_options(strategy, random_state, feature_layer="auto", batch_size="auto"):
    """How a model is read for a strategy.

    Parameters
    ----------
    strategy : Strategy
        What is to be asked.

    random_state : None, int or RandomState
        Source of the one seed for pool and labelled rows: they must have the same
        dropout masks and be sketched alike. Nothing is drawn from it unless the
        strategy needs posterior samples or gradients.

    feature_layer, batch_size
        As for `skbadge.outputs.model_outputs`.

    Returns
    -------
    options : ReadingOptions
    """
    needs, seed = needs_of(strategy), None
    if needs.posterior or needs.gradients:
        seed = stream_seed(random_state, "posterior")
    return ReadingOptions(feature_layer, batch_size, seed)


def read_pool(estimator, X, needs, codec, options):
    """What a model says about a pool.

    Parameters
    ----------
    estimator : estimator object
        Fitted.

    X : array-like, or other container of rows
        The pool.

    needs : Needs
        What the strategy needs.

    codec : LabelCodec, NumberCodec or None
        The classes, if there are any and they are known.

    options : ReadingOptions
        How to read it.

    Returns
    -------
    outputs : Outputs
        With the fields that are needed.
    """
    outputs = read_model(estimator, X, needs, options)
    for part in (outputs.proba, outputs.posterior):
        if part is not None and isinstance(codec, LabelCodec):
            codec.check_width(part.shape[-1])
    return outputs


def read_labeled(estimator, rows, needs, codec, options):
    """What a model says about the labelled rows.

    Parameters
    ----------
    estimator, needs, codec, options
        As in `read_pool`.

    rows : LabeledRows or None
        The labelled rows, if there are any.

    Returns
    -------
    labeled : Labeled or None
        None if the strategy does not look at them.
    """
    if not needs.labeled or rows is None:
        return None
    outputs = read_pool(estimator, rows.X, needs, codec, options)
    if isinstance(codec, LabelCodec) and not codec.is_coded:
        # The columns are those of the classes the model has seen.
        codec = LabelCodec(innermost(estimator).classes_, is_coded=False)
    ids = row_ids(rows.X) if needs.ids else None
    return Labeled(outputs, rows.y, codec.encode(rows.y), ids)
