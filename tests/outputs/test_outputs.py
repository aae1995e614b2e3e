"""The container of what a model says."""

import numpy as np
import pytest

from skbadge.embeddings import DenseEmbedding, OuterProductEmbedding, StackedEmbedding
from skbadge.outputs import Outputs

rng = np.random.default_rng(0)
PROBA, FEATURES, INPUTS = rng.random((9, 3)), rng.random((9, 4)), rng.random((9, 2))
POSTERIOR = rng.random((5, 9, 3))
GRADIENTS = [
    DenseEmbedding(rng.random((9, 6))),
    OuterProductEmbedding(PROBA, FEATURES),
    StackedEmbedding([DenseEmbedding(INPUTS), OuterProductEmbedding(PROBA, INPUTS)]),
]
ROWS = [slice(2, 6), slice(None), np.array([7, 0, 3, 3]), np.array([], dtype=np.int64)]


def everything(gradients):
    return Outputs(
        PROBA,
        FEATURES,
        one_logit=True,
        posterior=POSTERIOR,
        inputs=INPUTS,
        gradients=gradients,
        identify=lambda rows: [f"row {row}" for row in rows],
        feature_factors=(0.5, 0.0),
        device="cuda:0",
    )


@pytest.mark.parametrize("gradients", GRADIENTS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_some_rows_of_everything(gradients, rows):
    part = everything(gradients).take(rows)
    assert len(part) == len(PROBA[rows])
    np.testing.assert_array_equal(part.proba, PROBA[rows])
    np.testing.assert_array_equal(part.features, FEATURES[rows])
    np.testing.assert_array_equal(part.inputs, INPUTS[rows])
    np.testing.assert_array_equal(part.posterior, POSTERIOR[:, rows])
    np.testing.assert_array_equal(part.gradients.to_dense(), gradients.to_dense()[rows])
    assert part.one_logit is True
    assert part.feature_factors == (0.5, 0.0)
    assert part.device == "cuda:0"
    positions = np.arange(9)[rows]
    wanted = np.arange(len(positions))[::-1]
    assert part.identify(wanted) == [f"row {row}" for row in positions[::-1]]


def test_rows_of_rows():
    outputs = everything(GRADIENTS[0])
    twice = outputs.take(np.array([8, 2, 5])).take(np.array([2, 0]))
    np.testing.assert_array_equal(twice.proba, PROBA[[5, 8]])
    assert twice.identify(np.array([1])) == ["row 8"]


def test_arrays_are_shown_by_their_shapes():
    found = Outputs(PROBA, posterior=POSTERIOR, gradients=GRADIENTS[0])
    assert repr(found) == (
        "Outputs(n_rows=9, proba=ndarray of shape (9, 3), gradients=DenseEmbedding of "
        "shape (9, 6), posterior=ndarray of shape (5, 9, 3))"
    )
    assert repr(Outputs(n_rows=3)) == "Outputs(n_rows=3)"


def test_slices_copy_nothing():
    part = everything(GRADIENTS[0]).take(slice(3, 7))
    assert np.shares_memory(part.proba, PROBA)
    assert np.shares_memory(part.posterior, POSTERIOR)


def test_what_is_not_there_stays_away():
    part = Outputs(proba=PROBA).take(np.array([1, 2]))
    for name in ("features", "inputs", "gradients", "posterior", "identify"):
        assert getattr(part, name) is None
    assert len(Outputs(n_rows=9).take(slice(4))) == 4
