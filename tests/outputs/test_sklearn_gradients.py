"""Gradients of scikit-learn models: torch's automatic ones are the oracle."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_classification, make_regression
from sklearn.ensemble import BaggingRegressor, RandomForestRegressor, VotingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skbadge.embeddings import StackedEmbedding, sketch
from skbadge.outputs import Needs, model_outputs
from skbadge.utils._streams import stream_seed

X, y = make_regression(40, 5, random_state=0)
y /= y.std()
_, labels = make_classification(
    40, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0
)
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "logistic": torch.sigmoid}


def read(model, X=X, n_columns=None, **options):
    needs = Needs(gradients=True, n_columns=n_columns)
    return model_outputs(model, X, needs=needs, **options).gradients


def jacobians(mlp, function):
    """Gradients of a function of a row's last layer, a vector for each row."""
    activate = ACTIVATIONS[mlp.activation]
    parameters = tuple(torch.from_numpy(part) for part in mlp.coefs_ + mlp.intercepts_)

    def of_row(parameters, row):
        half = len(parameters) // 2
        for i, (coef, bias) in enumerate(
            zip(parameters[:half], parameters[half:], strict=True)
        ):
            row = row @ coef + bias
            row = activate(row) if i < half - 1 else row
        return function(row)

    per_row = torch.func.vmap(torch.func.jacrev(of_row), in_dims=(None, 0))
    parts = per_row(parameters, torch.from_numpy(X))
    return torch.cat([part.reshape(len(X), -1) for part in parts], dim=1).numpy()


def assert_kernel(gradients, J):
    assert gradients.shape == J.shape
    np.testing.assert_allclose(
        gradients.cross(gradients), J @ J.T, rtol=1e-8, atol=1e-12
    )


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_perceptron_for_regression(activation, n_outputs):
    targets = y if n_outputs == 1 else np.column_stack([y, y**2])
    mlp = MLPRegressor(
        hidden_layer_sizes=(6, 4),
        activation=activation,
        solver="lbfgs",
        max_iter=20000,
        tol=0.1,
        random_state=0,
    )
    mlp.fit(X, targets)
    gradients = read(mlp, batch_size=7)
    assert_kernel(gradients, jacobians(mlp, lambda outputs: outputs))
    assert len(gradients.parts) == 3 * n_outputs


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_perceptron_for_classification(n_classes):
    classes = labels if n_classes == 3 else labels > 0
    mlp = MLPClassifier((6,), solver="lbfgs", alpha=1.0, max_iter=5000, random_state=0)
    mlp.fit(X, classes)

    def loss(outputs):
        if n_classes == 2:
            return torch.nn.functional.softplus(-outputs.abs())
        return -torch.log_softmax(outputs, 0).max()

    assert_kernel(read(mlp), jacobians(mlp.set_params(activation="relu"), loss))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_linear_model_has_its_input_and_the_bias(fit_intercept):
    outputs = model_outputs(
        LinearRegression(fit_intercept=fit_intercept).fit(X, y),
        X,
        needs=("gradients", "inputs", "features"),
    )
    columns = [X, np.ones((40, 1))] if fit_intercept else [X]
    np.testing.assert_array_equal(outputs.gradients.to_dense(), np.hstack(columns))
    np.testing.assert_array_equal(outputs.inputs, X)
    assert outputs.feature_factors == (1.0, float(fit_intercept))


def test_each_target_of_a_linear_model_has_an_output():
    both = read(Ridge().fit(X, np.column_stack([y, -y])))
    one = read(Ridge().fit(X, y))
    np.testing.assert_allclose(both.cross(both), 2 * one.cross(one))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_linear_classifier_has_its_gradient_embedding(n_classes):
    from skbadge.embeddings import gradient_embedding

    model = LogisticRegression().fit(X, labels if n_classes == 3 else labels > 0)
    outputs = model_outputs(model, X, needs=("proba", "features", "gradients"))
    badge = gradient_embedding(
        outputs.proba,
        outputs.features,
        include_bias=True,
        one_logit=outputs.one_logit,
    )
    gradients = outputs.gradients
    assert gradients.shape == badge.shape
    np.testing.assert_allclose(gradients.cross(gradients), badge.cross(badge))


def test_sketches_are_those_of_the_exact_gradients():
    mlp = MLPRegressor(hidden_layer_sizes=(6, 4), max_iter=5, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        mlp.fit(X, y)
    sketched = read(mlp, n_columns=20, random_state=7, batch_size=9)
    expected = sketch(read(mlp), 20, random_state=7)
    np.testing.assert_allclose(sketched.to_dense(), expected.to_dense(), rtol=1e-8)


def test_a_few_columns_are_kept():
    model = LinearRegression().fit(X, y)
    exact = np.hstack([X, np.ones((40, 1))])
    np.testing.assert_array_equal(read(model, n_columns=7).to_dense(), exact)
    assert read(model, n_columns=6).shape == (40, 6)
    assert not np.allclose(read(model, n_columns=6).to_dense(), exact)


def test_pipelines_and_sparse_rows():
    scaled = StandardScaler().fit(X).transform(X)
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(X, y)
    np.testing.assert_allclose(read(model).to_dense()[:, :5], scaled)
    model = Ridge().fit(X, y)
    rows = sparse.csr_matrix(np.where(X > 0, X, 0))
    np.testing.assert_array_equal(
        read(model, rows).to_dense()[:, :5], np.where(X > 0, X, 0)
    )


# Ensembles


def members_of_bagging(bagging):
    for member, columns in zip(
        bagging.estimators_, bagging.estimators_features_, strict=True
    ):
        yield member, X[:, columns]


def bagging():
    return BaggingRegressor(Ridge(), 3, max_features=0.6, random_state=0).fit(X, y)


def test_kernels_of_the_members_add_up():
    gradients = read(bagging())
    assert isinstance(gradients, StackedEmbedding)
    expected = sum(
        read(member, rows).cross(read(member, rows))
        for member, rows in members_of_bagging(bagging())
    )
    np.testing.assert_allclose(gradients.cross(gradients), expected)
    voting = VotingRegressor([("a", Ridge()), ("b", LinearRegression())]).fit(X, y)
    one = read(LinearRegression().fit(X, y))
    products = read(voting).cross(read(voting))
    np.testing.assert_allclose(products, 2 * one.cross(one))


def test_sketches_of_the_members_add_up():
    sketched = read(bagging(), n_columns=3, random_state=5)
    expected = sum(
        read(
            member,
            rows,
            n_columns=3,
            random_state=stream_seed(5, f"member-{i}"),
        ).to_dense()
        for i, (member, rows) in enumerate(members_of_bagging(bagging()))
    )
    np.testing.assert_allclose(sketched.to_dense(), expected)
    again = read(bagging(), n_columns=3, random_state=5)
    np.testing.assert_array_equal(again.to_dense(), sketched.to_dense())


def test_models_without_layers_are_refused():
    forest = RandomForestRegressor(3, random_state=0).fit(X, y)
    with pytest.raises(TypeError, match="RandomForestRegressor has no layers to take"):
        read(forest)
