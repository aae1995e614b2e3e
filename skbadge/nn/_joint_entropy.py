"""Classifiers trained on labelled and unlabelled rows together."""

from typing import Any, Self

from numpy.typing import ArrayLike
from skorch import NeuralNetClassifier

from skbadge.nn._classifier import TabularNetClassifier
from skbadge.nn._entropy_loss import JointEntropyMixin
from skbadge.utils._typing import Rows


class JointEntropyClassifier(JointEntropyMixin, NeuralNetClassifier):
    """skorch classifier trained on labelled and unlabelled rows together.

    A step of the optimiser lowers a sum: the criterion on a mini-batch of labelled
    rows, plus `entropy_weight` times the mean entropy of the predictions on a
    mini-batch of unlabelled rows. `unlabeled_label` in ``y`` marks the unlabelled rows,
    as in scikit-learn's semi-supervised classifiers.

    Without unlabelled rows, or with ``entropy_weight=0``, training is that of
    `skorch.NeuralNetClassifier` on the labelled rows, bit for bit.

    Parameters
    ----------
    *args
        Parameters of `skorch.NeuralNetClassifier` by position. The first is the
        ``module``, a ``torch.nn.Module`` class or instance. It returns logits if
        ``criterion`` is ``torch.nn.CrossEntropyLoss``, and probabilities if it is
        ``torch.nn.NLLLoss``, skorch's default.

    entropy_weight : float, default=0.1
        Weight of the entropy, at least 0, the paper's lambda. Every step reads it, so
        a callback may raise it over the first epochs. The predictions of an untrained
        net are random, and a lower entropy makes random predictions certain.

    unlabeled_label : scalar, default=-1
        The mark of unlabelled rows in ``y``.

    unlabeled_batch_size : int or None, default=None
        Unlabelled rows in a step. None takes the size of the labelled batches, and -1
        all rows.

    **kwargs : dict
        Parameters of `skorch.NeuralNetClassifier`. The batches of unlabelled rows come
        from ``iterator_valid`` with its parameters, except for ``batch_size``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels that occur, without `unlabeled_label`.

    history_ : skorch.history.History
        For each epoch: ``train_cross_entropy``, the criterion on the labelled rows;
        ``train_entropy``, if there are unlabelled rows and the weight is positive;
        and their weighted sum ``train_loss``. All are means over the steps, weighted
        by the size of the labelled batch.

    See Also
    --------
    JointEntropyTabularClassifier : The same for tables, ready to use.

    Notes
    -----
    The objective is that of Ranganathan et al. [1]_, who then query the rows of
    greatest entropy (strategy ``"entropy"``). Its second term is the entropy
    regularisation of Grandvalet and Bengio [2]_. With the labelled batch L, the
    unlabelled batch U and the predicted probabilities p::

        mean of -log p[y] over L  +  entropy_weight * mean of -sum(p * log p) over U

    The paper trains a deep belief network; this class takes any module. The default
    weight is our choice, and so are mini-batches instead of the whole pool.

    The validation split and the callbacks get the labelled rows only. One epoch goes
    through the labelled rows once. The unlabelled batches continue where the last
    epoch stopped, and each pass has a new order. A separate generator draws this
    order and the dropout on unlabelled rows. Labelled batches and their dropout masks
    are therefore those of plain training at any weight.

    Layers with running statistics, such as batch norm, use these statistics on
    unlabelled rows, as in prediction, and do not update them. The entropy of a row
    is therefore that of its prediction and does not depend on the rest of the batch.
    Dropout is the one difference.

    A step costs a forward and a backward pass over both batches.

    References
    ----------
    .. [1] Ranganathan, Venkateswara, Chakraborty, Panchanathan. "Deep active learning
       for image classification". ICIP 2017.

    .. [2] Grandvalet, Bengio. "Semi-supervised learning by entropy minimization".
       NIPS 2004.

    Examples
    --------
    >>> import numpy as np
    >>> import torch
    >>> from sklearn.datasets import load_iris
    >>> from skbadge.nn import JointEntropyClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> X = X.astype(np.float32)
    >>> partly = np.where(np.arange(150) % 10 == 0, y, -1)
    >>> net = JointEntropyClassifier(
    ...     torch.nn.Linear(4, 3),
    ...     criterion=torch.nn.CrossEntropyLoss,
    ...     train_split=None,
    ...     verbose=0,
    ... ).fit(X, partly)
    >>> net.classes_
    array([0, 1, 2])
    >>> sorted(set(net.history[-1]) & {"train_cross_entropy", "train_entropy"})
    ['train_cross_entropy', 'train_entropy']
    """


class JointEntropyTabularClassifier(JointEntropyMixin, TabularNetClassifier):
    """Multi-layer perceptron for tables, trained on unlabelled rows as well.

    `TabularNetClassifier` with the objective of `JointEntropyClassifier`. The labelled
    rows alone decide the widths, the classes, the statistics that standardise
    columns, and the accuracy that stops training.

    Parameters
    ----------
    *args
        Must be empty: all parameters are keywords.

    entropy_weight : float, default=0.1
        Weight of the entropy, at least 0.

    unlabeled_label : scalar, default=-1
        The mark of unlabelled rows in ``y``. With labels that are strings, use a
        string.

    unlabeled_batch_size : int or None, default=None
        Unlabelled rows in a step. None takes `batch_size`, and -1 all rows.

    **kwargs : dict
        Parameters of `TabularNetClassifier`.

    See Also
    --------
    JointEntropyClassifier : The same for any module, with notes on the objective.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_wine
    >>> from skbadge.nn import JointEntropyTabularClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> partly = np.where(np.arange(len(y)) % 10 == 0, y, -1)
    >>> net = JointEntropyTabularClassifier(random_state=0).fit(X, partly)
    >>> bool(net.score(X, y) > 0.9)
    True
    """

    # scikit-learn looks for the name `sample_weight` among the parameters.
    def fit(
        self,
        X: Rows,
        y: ArrayLike | None,
        sample_weight: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Train from scratch, or go on if ``warm_start`` is set.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Labelled and unlabelled rows, in any order.

        y : array-like of shape (n_samples,)
            Labels, `unlabeled_label` for rows without one.

        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights of the rows as in `TabularNetClassifier.fit`. Those of unlabelled
            rows are not used: all count alike in the entropy.

        **fit_params : dict
            There are none.

        Returns
        -------
        self : JointEntropyTabularClassifier
            The trained net.
        """
        return super().fit(X, y, sample_weight=sample_weight, **fit_params)

    def partial_fit(
        self,
        X: Rows,
        y: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **fit_params: Any,
    ) -> Self:
        """Go on training, on these rows only.

        Parameters
        ----------
        X, y
            As in `fit`.

        classes : array-like of shape (n_classes,) or None, default=None
            As in `TabularNetClassifier.partial_fit`.

        sample_weight : array-like of shape (n_rows,) or None, default=None
            As in `fit`.

        **fit_params : dict
            There are none.

        Returns
        -------
        self : JointEntropyTabularClassifier
            The trained net.
        """
        fit_params["sample_weight"] = sample_weight
        return super().partial_fit(X, y, classes, **fit_params)
