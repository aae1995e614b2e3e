"""Reading from a model just what a strategy needs, pool and labelled rows."""

from dataclasses import replace
from functools import partial

from skbadge.outputs import Labeled, Outputs, innermost, model_outputs
from skbadge.pools import n_rows, row_ids
from skbadge.querier._codecs import LabelCodec
from skbadge.utils._streams import stream_seed


def reading_options(strategy, random_state):
    """Arguments of `skbadge.outputs.model_outputs` that are a strategy's to choose.

    Parameters
    ----------
    strategy : Strategy
        What is to be asked.

    random_state : None, int or RandomState
        Source of the one seed for pool and labelled rows: they must have the same
        dropout masks and be sketched alike.

    Returns
    -------
    options : dict
        Empty for strategies that need neither posterior samples nor gradients.
    """
    options = {}
    if "posterior" in strategy.needs:
        options["n_posterior"] = strategy.n_samples
    if "gradients" in strategy.needs:
        options["sketch_size"] = strategy.sketch_size
    if options:
        options["random_state"] = stream_seed(random_state, "posterior")
    return options


def read_pool(estimator, X, needs, codec, options):
    """What a model says about a pool.

    Parameters
    ----------
    estimator : estimator object
        Fitted.

    X : array-like, or other container of rows
        The pool.

    needs : tuple of str
        What the strategy needs, see `skbadge.strategies.Strategy`.

    codec : LabelCodec, NumberCodec or None
        The classes, if there are any and they are known.

    options : dict
        Further arguments of `skbadge.outputs.model_outputs`.

    Returns
    -------
    outputs : Outputs
        With the fields that are needed.
    """
    fields = tuple(name for name in needs if name not in ("labeled", "ids"))
    if not fields:
        return Outputs(n_rows=n_rows(X))
    outputs = model_outputs(estimator, X, needs=fields, **options)
    for part in (outputs.proba, outputs.posterior):
        if part is not None and isinstance(codec, LabelCodec):
            codec.check_width(part.shape[-1])
    if "ids" in needs:
        outputs = replace(outputs, identify=partial(row_ids, X))
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
    if "labeled" not in needs or rows is None:
        return None
    outputs = read_pool(estimator, rows.X, needs, codec, options)
    if isinstance(codec, LabelCodec) and not codec.is_coded:
        # The columns are those of the classes the model has seen.
        codec = LabelCodec(innermost(estimator).classes_, is_coded=False)
    ids = row_ids(rows.X) if "ids" in needs else None
    return Labeled(outputs, rows.y, codec.encode(rows.y), ids)
