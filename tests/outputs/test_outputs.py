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


@pytest.mark.parametrize("name", ["proba", "features", "inputs", "prediction"])
def test_lists_and_other_numbers_become_floats(name):
    numbers = [[1, 0, 0], [0, 1, 0]]
    for given in (numbers, np.array(numbers), np.array(numbers, dtype=np.float16)):
        array = getattr(Outputs(**{name: given}), name)
        assert isinstance(array, np.ndarray)
        assert array.dtype in (np.float32, np.float64)
        np.testing.assert_array_equal(array, numbers)
    kept = np.array(numbers, dtype=np.float32)
    assert getattr(Outputs(**{name: kept}), name) is kept


@pytest.mark.parametrize("name", ["proba", "features", "inputs", "prediction"])
def test_arrays_of_another_shape_or_kind_are_refused_by_name(name):
    with pytest.raises(ValueError, match=rf"`{name}` must be 2-D. Got.* \(3,\)"):
        Outputs(**{name: [1.0, 0.0, 0.0]})
    with pytest.raises(ValueError, match=rf"`{name}` must be of real numbers"):
        Outputs(**{name: np.ones((2, 3)) * 1j})
    with pytest.raises(ValueError, match=f"`{name}` has masked entries"):
        Outputs(**{name: np.ma.masked_greater([[1.0, 2.0]], 1)})
    with pytest.raises(TypeError, match=f"`{name}` must be an array.*an embedding"):
        Outputs(**{name: GRADIENTS[0]})


def test_gradients_are_an_embedding():
    with pytest.raises(TypeError, match=r"`gradients` must be an embedding.*ndarray"):
        Outputs(gradients=np.ones((2, 3)))


def test_posterior_samples_may_be_lists_and_other_numbers():
    samples = [[[0.5, 0.5]], [[1.0, 0.0]]]
    for given in (
        samples,
        np.array(samples, dtype=np.float16),
        np.ones((2, 1, 2), int),
    ):
        outputs = Outputs(posterior=given)
        assert outputs.posterior.shape == (2, 1, 2)
        assert outputs.posterior.dtype in (np.float32, np.float64)
    with pytest.raises(ValueError, match="`posterior` must be of real numbers"):
        Outputs(posterior=np.ones((2, 1, 2)) * 1j)
    with pytest.raises(ValueError, match="`posterior` must have shape"):
        Outputs(posterior=[[0.5, 0.5]])


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
