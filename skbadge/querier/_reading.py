"""Reading from a model just what a strategy needs, pool and labelled rows."""

from skbadge.outputs import Labeled
from skbadge.outputs._pipeline import innermost
from skbadge.outputs.readers import read_model
from skbadge.pools import row_ids
from skbadge.querier._codecs import LabelCodec


def read_rows(estimator, X, needs, codec, options):
    """What a model says about rows.

    Parameters
    ----------
    estimator : estimator object
        Fitted.

    X : array-like, or other container of rows
        The rows.

    needs : Needs
        What is needed of them.

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
        As in `read_rows`.

    rows : LabeledRows or None
        The labelled rows, if there are any.

    Returns
    -------
    labeled : Labeled or None
        None if the strategy does not look at them.
    """
    if not needs.labeled or rows is None:
        return None
    outputs = read_rows(estimator, rows.X, needs, codec, options)
    if isinstance(codec, LabelCodec) and not codec.is_coded:
        # The columns are those of the classes the model has seen.
        codec = LabelCodec(innermost(estimator).classes_, is_coded=False)
    ids = row_ids(rows.X) if needs.ids else None
    return Labeled(outputs, rows.y, codec.encode(rows.y), ids)
