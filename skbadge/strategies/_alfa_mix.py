"""ALFA-Mix: rows whose prediction changes as labelled features are mixed in."""

from numbers import Real

import numpy as np

from skbadge._compat import Interval
from skbadge.outputs import Needs
from skbadge.strategies._base import Strategy
from skbadge.strategies._candidate_set import unlike_candidates
from skbadge.utils._chunks import row_chunks
from skbadge.utils._threads import small_products


class AlfaMix(Strategy):
    r"""ALFA-Mix: different rows whose prediction changes as labelled features mix in.

    By Parvaneh et al. [1]_. Into the features :math:`z` of a row those of an anchor
    :math:`z^*`, the mean of a class among the labelled rows, are mixed by the weights
    that raise the loss :math:`\ell` at the predicted class most, to first order:

    .. math:: \alpha = \varepsilon \, \frac{\|z^* - z\|}{\|\nabla_z \ell\|} \,
              \nabla_z \ell \oslash (z^* - z), \qquad
              (1 - \alpha) z + \alpha z^*,

    element by element. Candidates are the rows whose predicted class changes for some
    anchor, as :math:`\varepsilon` grows until there are more than ``n``. Their
    features, at length 1, are clustered by k-means into ``n`` clusters, and the row
    nearest to each centre is selected.

    Parameters
    ----------
    step : float, default=0.03125
        By how much :math:`\sqrt d \, \varepsilon` grows at a time, up to 1, for
        :math:`d` features; in (0, 1]. The default is that of the authors' code.

    Notes
    -----
    The mixture is :math:`z` moved along the gradient by :math:`\varepsilon \|z^* -
    z\|`, but for coordinates where :math:`z^* = z`, which stay as they are. Logits are
    linear on the way, so that the least :math:`\sqrt d \, \varepsilon` at which a row's
    prediction changes is known in closed form; it is the value of a selection. The
    authors' code runs the last layer anew for each.

    The loss is the cross-entropy of the softmax of the last layer's logits. A class
    without labelled rows has the mean of all of them as its anchor. Without any, all
    rows are candidates. If fewer than ``n`` rows are candidates in the end, the others
    are drawn uniformly without replacement, with a `QueryWarning`. A pending row takes
    the centre that is nearest to it.

    Takes ``O(n_rows * n_classes * n_features)`` time, as much for each further class
    where coordinates stay as they are, and that of scikit-learn's k-means. Memory is
    that of the candidates' features, once more. The model must have a last linear
    layer.

    References
    ----------
    .. [1] A. Parvaneh, E. Abbasnejad, D. Teney, R. Haffari, A. van den Hengel, J. Q.
       Shi. "Active learning by feature mixing". CVPR 2022.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skbadge import BadgeQuerier
    >>> X, y = load_digits(return_X_y=True)
    >>> model = MLPClassifier(max_iter=1000)
    >>> querier = BadgeQuerier(model, strategy="alfa_mix", random_state=0)
    >>> querier.fit(X[:50], y[:50]).query(X[50:], n=5).shape
    (5,)
    """

    _parameter_constraints: dict = {"step": [Interval(Real, 0, 1, closed="right")]}

    # Probabilities, since only classifiers have predictions that change.
    needs = Needs(proba=True, features=True, head=True, labeled=True)

    def __init__(self, *, step: float = 0.03125):
        self.step = step

    def _run(self, pool, n, labeled, feasible, rng):
        if labeled is None or not len(labeled):
            caps, greatest = np.zeros(len(pool)), 1.0
        else:
            anchors = class_anchors(labeled, len(pool.head.bias))
            caps = changing_caps(pool.features, pool.head, anchors)
            # Of a group no more rows count than may be selected.
            rows = feasible.open().first(np.argsort(caps), feasible.n_left)
            greatest = grown_cap(caps[rows], n, self.step)
        return unlike_candidates(
            pool.take,
            caps < greatest,
            np.minimum(caps, greatest),
            n,
            feasible,
            rng,
            value_name="mixing cap",
            found="changed their prediction as features were mixed in",
        )


def class_anchors(labeled, n_classes):
    """Mean features of each class of the labelled rows, and of all if one is absent.

    Parameters
    ----------
    labeled : Labeled
        With codes, at least one row.

    n_classes : int
        Number of classes.

    Returns
    -------
    anchors : ndarray of shape (n_anchors, n_features)
        float64.
    """
    if labeled.codes is None:
        raise ValueError(
            "AlfaMix needs `labeled.codes`, the classes of the labelled rows as "
            "columns of `proba`. Got None instead."
        )
    features = labeled.outputs.features.astype(np.float64)
    present = np.intersect1d(labeled.codes, np.arange(n_classes))
    anchors = [features[labeled.codes == code].mean(axis=0) for code in present]
    if len(present) < n_classes:
        anchors.append(features.mean(axis=0))
    return np.stack(anchors)


def grown_cap(caps, n, step):
    """The first multiple of a step that is above more than ``n`` caps, about 1 at most.

    Where there is none, the first that is not below 1.
    """
    last = np.ceil(1 / step)
    if len(caps) <= n:
        return last * step
    least = np.partition(caps, n)[n]
    return min(np.floor(least / step) + 1, last) * step


def changing_caps(features, head, anchors):
    r"""The least :math:`\sqrt d \, \varepsilon` at which each prediction changes.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        Floating.

    head : Head
        Makes logits of features.

    anchors : ndarray of shape (n_anchors, n_features)
        float64.

    Returns
    -------
    caps : ndarray of shape (n_rows,)
        float64, above 0 or 0 where two logits are equal, infinite where no anchor
        changes the prediction.
    """
    weight = head.weight.astype(np.float64)
    caps = np.full(len(features), np.inf)
    if len(weight) == 1:
        # There is no other class.
        return caps
    with small_products():
        for rows in row_chunks(len(features), sum(weight.shape)):
            block = features[rows].astype(np.float64)
            caps[rows] = _caps_of_block(block, weight, head.bias, anchors)
    return caps


def _caps_of_block(block, weight, bias, anchors):
    n_rows, n_features = block.shape
    predicted, direction, gaps = _ascent(block, weight, bias)
    caps = np.full(n_rows, np.inf)
    slopes = direction @ weight.T
    for anchor in anchors:
        difference = anchor - block
        # Coordinates that stay as they are take their part of each logit's slope away.
        stays = difference == 0
        columns = np.flatnonzero(stays.any(axis=0))
        kept = (direction[:, columns] * stays[:, columns]) @ weight[:, columns].T
        rates = slopes - kept
        rates -= rates[np.arange(n_rows), predicted, None]
        # How far along the direction the first other logit is as great.
        lengths = np.divide(
            gaps, rates, out=np.full_like(gaps, np.inf), where=rates > 0
        )
        norms = np.sqrt(np.einsum("ij,ij->i", difference, difference))
        with np.errstate(divide="ignore", invalid="ignore"):
            # eps |z* - z| = length, and the cap is sqrt(d) eps.
            reached = np.sqrt(n_features) * lengths.min(axis=1) / norms
        caps = np.fmin(caps, np.where(norms > 0, reached, np.inf))
    return caps


def _ascent(block, weight, bias):
    """Predicted classes, unit gradients of the loss, and how far other logits are off.

    The gradient is the mean of w_k - w_y over the other classes k, by their
    probabilities: as a direction it does not vanish where the prediction is certain.
    """
    logits = block @ weight.T + bias
    every = np.arange(len(block))
    predicted = logits.argmax(axis=1)
    gaps = logits[every, predicted, None] - logits
    gaps[every, predicted] = np.inf
    shares = np.exp(gaps.min(axis=1, keepdims=True) - gaps)
    shares /= shares.sum(axis=1, keepdims=True)
    direction = shares @ weight - weight[predicted]
    norms = np.sqrt(np.einsum("ij,ij->i", direction, direction))
    norms[norms == 0] = 1
    return predicted, direction / norms[:, None], gaps
