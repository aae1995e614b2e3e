"""The face of this layer: what a fitted model says about rows."""

from collections.abc import Iterable
from os import PathLike
from typing import Literal

from skbadge.outputs._needs import FIELDS, Needs
from skbadge.outputs._options import ReadingOptions
from skbadge.outputs._outputs import Outputs
from skbadge.outputs.readers import read_model
from skbadge.pools import check_masked_parts
from skbadge.utils._place import Place, storing_in
from skbadge.utils._typing import RandomState

DEFAULT_NEEDS = Needs(proba=True, features=True)


def model_outputs(
    estimator: object,
    X: object,
    *,
    needs: Needs | str | Iterable[str] = DEFAULT_NEEDS,
    feature_layer: str = "auto",
    batch_size: int | Literal["auto"] = "auto",
    random_state: RandomState = None,
    storage: str | PathLike | None = "auto",
) -> Outputs:
    """Read probabilities and penultimate features of a model in one forward pass.

    Posterior samples of the probabilities, if needed, take a pass for each, and
    gradients a backward pass.

    Nets are run in inference mode, batch by batch. Train modes, hooks, gradients and
    torch's global generators are left as they were found.

    Parameters
    ----------
    estimator : estimator object
        Fitted: a skorch net, or any scikit-learn classifier or regressor. Pipelines,
        searches, frozen estimators and transformed targets around it are opened. A
        regressor has predictions in place of probabilities. What the features are:

        =================================== ==================================
        model                               features
        =================================== ==================================
        net                                 the input of its last linear layer
        ``MLPClassifier``, ``MLPRegressor`` the last hidden layer
        linear model                        its input
        forest, bagging of trees            the leaves a row ends up in
        gradient boosting                   the leaves a row ends up in
        any other                           its input, columns standardised
        =================================== ==================================

        Leaves are columns of their own, with ``1 / sqrt(n_trees)`` where a row is in
        the leaf, so that an inner product is the share of the trees in which two rows
        have the same leaf, the forest's own kernel [2]_. Units do not matter. Boosting
        is scikit-learn's, LightGBM's, XGBoost's and CatBoost's. Models of a single tree
        that splits count among the others: each of its leaves holds labelled rows.

        Standardised columns have mean 0 and variance 1 over ``X``, so that units do not
        matter either. Columns that are mostly zero are divided by their greatest
        absolute value instead. Missing values, if the model takes them, count as the
        mean.

    X : array-like of shape (n_rows, ...)
        Rows as ``estimator`` takes them: arrays, sparse matrices and DataFrames; for
        nets also tensors, torch datasets, dicts and lists of arrays. Nets get them in
        the dtype of their parameters.

    needs : Needs, str or iterable of str, default=Needs(proba=True, features=True)
        What to read: probabilities, features, the last layer, posterior samples,
        inputs, gradients, predictions of a regressor, and identities of the rows.
        Nothing else is computed or held. Of names, "posterior" stands for 20 samples,
        and "gradients" for exact ones.

        Posterior samples are probabilities by samples of the model's posterior. For
        nets, these are random dropout masks [1]_: only the modules ``Dropout``,
        ``Dropout1d`` to ``Dropout3d``, ``AlphaDropout`` and ``FeatureAlphaDropout``
        act as in training, and each sample's masks are shared by all rows. For
        ensembles that predict the mean of their members, such as
        ``BaggingClassifier``, ``VotingClassifier(voting="soft")``,
        ``RandomForestClassifier`` and ``ExtraTreesClassifier``, they are the members'
        probabilities; members may be nets. For classifiers of gradient boosting, they
        are a virtual ensemble [3]_: the model and what it was after fewer stages,
        evenly spaced over the second half of them, as many as asked for or as there
        are. They are stages of one training, and so closer to each other than models
        trained apart. Their mean is not what the model predicts.

        The last layer ("head") are its weights and its bias, see `Outputs`: of a net,
        of a multi-layer perceptron or of a linear model. It is held to what the model
        returns for the first few rows.

        Inputs are what the first linear or convolution layer of a net is given,
        flattened; for other models, their input, which is standardised where features
        are.

        Gradients are those with respect to the weights and biases of all linear
        layers and convolutions of a net, of a multi-layer perceptron or of a linear
        model: the blocks of the layers side by side. With ``n_columns`` they are
        sketched while they are read, by a ``KroneckerSketch``, so that the gradients
        themselves are never held. Those of fewer columns are kept as they are. Without,
        the factors of all layers are held.
        For a regressor it is the output that is differentiated (of a linear model, the
        linear predictor), and each of several outputs has blocks of its own; for a
        classifier the cross-entropy at the predicted label, as in BADGE. Parameters
        that are not trained (``requires_grad=False``) do not count, nor do
        normalisation layers; other trained parameters, such as those of embeddings and
        recurrent layers, do not either, with a `QueryWarning` that names them. For
        bagging and voting, the gradients of the members side by side.

        Predictions are what ``estimator.predict`` says, in the units of the targets, a
        column for each target. They take a pass of their own.

    feature_layer : str, default="auto"
        For nets, the module whose input are the features, by its name in
        ``named_modules()``. ``"auto"`` is the last linear layer whose output is the
        net's output, as it is or after a softmax, log-softmax or sigmoid. The input of
        a module is flattened. A module around the net's last layer stands for that. The
        last layer must be applied once a row, not at several positions, and must share
        its weights with no other: else its gradient is not made of its input. Of calls
        one after another, the last one counts.

    batch_size : int or "auto", default="auto"
        Rows in one forward pass of a net or multi-layer perceptron. ``"auto"`` takes
        up to 2048 rows and 2 MiB of input, which suits the cache of a CPU, or 8192 rows
        and 8 MiB on another device, but no fewer than the net's own batch size. Nets
        with data loading of their own (a dataset class, a ``collate_fn``, an overridden
        ``get_iterator``) keep their own batches.

    random_state : None, int or RandomState, default=None
        Draws the dropout masks and the sketch. The same int gives the same ones: pool
        and labelled rows are to be sketched alike.

    storage : "auto", str, path-like or None, default="auto"
        Where arrays are put that are large: in memory while they take less than half of
        what is available, and else in files; a path names a folder to put all of them
        in; None takes memory only. A file ends with its array.

    Returns
    -------
    outputs : Outputs
        Floating arrays with as many rows as ``X``, float32 for nets of half precision.
        An entry that is not in ``needs`` is None. The features of a linear model may
        share memory with ``X``. Those of sparse rows, and leaf memberships, are sparse
        with ``Needs(..., sparse=True)``. Without, leaf memberships are exact for up to
        256 leaves, and beyond a sketch of 256 columns, the same at all times: squared
        distances are off by at most 9 %, in the root mean square.

    Raises
    ------
    NotFittedError
        If ``estimator`` is not fitted.
    TypeError
        If probabilities are needed and the model has none, or predictions of a
        classifier, or the last layer is and there is no linear one that makes its
        outputs, or posterior samples are
        and it is neither a net nor an ensemble, or gradients are and it is no net,
        multi-layer perceptron, linear model or ensemble of them, or a net's module
        does not return a tensor.
    ValueError
        If a parameter or layer name is not valid, the model's values are NaN or
        infinite, its probabilities do not sum to 1, or posterior samples are needed
        and a net has no dropout, an ensemble's members do not count equally or
        boosting has fewer than 3 stages, or
        gradients are needed and a net's layers are not given the rows along their first
        dimension, or sparse rows are to be dense and would not fit into memory.

    Notes
    -----
    Besides the result, memory holds the activations of one batch. Time is that of one
    forward pass over the rows; with features, ``feature_layer="auto"`` runs a few rows
    (one batch, with data loading of the net's own) a second time. Posterior samples
    add a forward pass each, or one of each member, and are held in float32. Gradients
    add a backward pass, one for each output of a regressor, in batches of an eighth of
    the usual size, and hold ``n_rows * n_columns`` numbers. Exactly, they hold the
    sum of the layers' widths for each row, but a number for each weight of a layer that
    is applied at several positions, as convolutions are. Sparse leaf memberships hold
    8 bytes for each row and tree, and pass through all trees once more. Posterior
    samples of boosting take as long as all stages of a prediction, or with LightGBM,
    XGBoost and CatBoost as one prediction for each sample.

    Torch's fused attention layers are switched off meanwhile: they skip the modules
    inside them. Where they put zeros at padded positions, the layers themselves, as in
    training, put something else.

    Layers are watched by hooks: a subclass of ``torch.nn.Linear`` that scales its
    weights or its bias says so in ``weight_factor`` and ``bias_factor``.

    References
    ----------
    .. [1] Y. Gal, Z. Ghahramani. "Dropout as a Bayesian approximation: representing
       model uncertainty in deep learning". ICML 2016.
    .. [2] L. Breiman. "Some infinity theory for predictor ensembles". Technical report
       579, UC Berkeley, 2000.
    .. [3] A. Malinin, L. Prokhorenkova, A. Ustimenko. "Uncertainty in gradient boosting
       via ensembles". ICLR 2021. They train with added noise, which the models here
       do not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neural_network import MLPClassifier
    >>> from skbadge.outputs import model_outputs
    >>> X, y = load_iris(return_X_y=True)
    >>> mlp = MLPClassifier(8, max_iter=2000, random_state=0).fit(X, y)
    >>> outputs = model_outputs(mlp, X)
    >>> outputs.proba.shape, outputs.features.shape
    ((150, 3), (150, 8))
    """
    needs = Needs.of(needs)
    if not needs.fields:
        raise ValueError(f"`needs` must be one or more of {FIELDS}. Got {needs}.")
    check_masked_parts(X, "X")
    options = ReadingOptions(feature_layer, batch_size, random_state)
    with storing_in(Place.of(storage)):
        return read_model(estimator, X, needs, options)
