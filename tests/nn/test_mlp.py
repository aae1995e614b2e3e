"""MLP: standardisation inside the module."""

import numpy as np
import pytest
import torch
from scipy import sparse
from torch import nn

from skbadge.nn import MLP
from skbadge.nn._mlp import column_statistics


def standardized(module, X):
    """What reaches the first layer."""
    seen = []
    first = next(part for part in module.modules() if isinstance(part, nn.Linear))
    handle = first.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    with torch.no_grad():
        module(torch.as_tensor(X))
    handle.remove()
    return seen[0].numpy()


@pytest.mark.parametrize("offset", [0.0, 1e6, 1e9])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_float64_columns_are_standardized_whatever_their_offset_and_unit(offset, unit):
    Z = np.random.default_rng(0).normal(size=(500, 2))
    X = (Z + offset) * unit
    module = MLP(2, clip=None).set_statistics(*column_statistics(X))
    seen = standardized(module, X)
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, (Z - Z.mean(0)) / Z.std(0), atol=1e-5)


def test_float32_columns_lose_no_more_than_their_own_rounding():
    Z = np.random.default_rng(0).normal(size=(500, 2))
    X = (Z + 1e6).astype(np.float32)
    module = MLP(2, clip=None).set_statistics(*column_statistics(X))
    np.testing.assert_allclose(
        standardized(module, X), (Z - Z.mean(0)) / Z.std(0), atol=0.05
    )


@pytest.mark.parametrize("value", [0.0, 0.1, -1e9, 1e-20])
def test_constant_columns_have_scale_one_and_become_zero(value):
    X = np.full((7, 1), value)
    mean, scale = column_statistics(X)
    assert scale.tolist() == [1.0]
    np.testing.assert_allclose(mean, value)
    module = MLP(1).set_statistics(mean, scale)
    np.testing.assert_allclose(standardized(module, X), 0, atol=1e-6)


def test_a_single_row_is_constant():
    assert column_statistics(np.array([[3.0, -2.0]]))[1].tolist() == [1.0, 1.0]


def test_statistics_of_huge_values_do_not_overflow():
    mean, scale = column_statistics(np.array([[1e200], [3e200]]))
    np.testing.assert_allclose(mean, 2e200)
    np.testing.assert_allclose(scale, 1e200)


@pytest.mark.parametrize("make", [sparse.csr_matrix, torch.as_tensor])
def test_statistics_are_the_same_for_every_container(make):
    X = np.random.default_rng(0).normal(size=(50, 4))
    X[X < 0.5] = 0
    X[:, 3] = 2.0
    kept = make(X.copy())
    for found, expected in zip(
        column_statistics(kept), column_statistics(X), strict=True
    ):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    unchanged = kept.toarray() if sparse.issparse(kept) else kept.numpy()
    np.testing.assert_array_equal(unchanged, X)


@pytest.mark.parametrize("values", [[[1e40], [2e40]], [[1e-41], [2e-41]]])
def test_columns_beyond_float32_are_refused(values):
    with pytest.raises(ValueError, match=r"columns \[0\] of X are too large or too"):
        MLP(1).set_statistics(*column_statistics(np.array(values)))


def test_outliers_are_bounded_and_ordinary_values_kept():
    X = np.array([[-1e30], [-1.0], [0.5], [1.0], [10.0], [1e30]])
    seen = standardized(MLP(1, clip=5.0), X).ravel()
    assert (np.diff(seen) > 0).all()
    np.testing.assert_allclose(seen[[0, -1]], [-5, 5])
    np.testing.assert_allclose(seen[1:4], X[1:4, 0], rtol=0.02)


def test_statistics_are_saved_with_the_weights():
    module = MLP(2).set_statistics(np.array([1.0, 1e9 + 0.5]), np.array([3.0, 4.0]))
    other = MLP(2)
    other.load_state_dict(module.state_dict())
    X = torch.tensor([[5.0, 1e9]], dtype=torch.float64)
    assert torch.equal(module(X), other(X))
    assert not {"mean", "scale"} & dict(module.named_parameters()).keys()


@pytest.mark.parametrize("hidden_sizes", [(), (5,), [7, 3]])
def test_layers_have_the_widths_asked_for_and_end_in_a_linear_one(hidden_sizes):
    module = MLP(4, 3, hidden_sizes)
    layers = [part for part in module.modules() if isinstance(part, nn.Linear)]
    assert [layer.out_features for layer in layers] == [*hidden_sizes, 3]
    assert layers[0].in_features == 4
    assert layers[-1] is module.output
    assert module(torch.zeros(2, 4)).shape == (2, 3)


def test_dropout_acts_in_training_only():
    module = MLP(4, 3, (50,), dropout=0.5)
    X = torch.ones(1, 4)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        assert not torch.equal(module(X), module(X))
    module.eval()
    assert torch.equal(module(X), module(X))


def test_outputs_follow_the_dtype_of_the_weights():
    for dtype in (torch.float32, torch.float64):
        module = MLP(2).to(dtype)
        assert module(torch.ones(1, 2, dtype=torch.float64)).dtype == dtype
        assert module(torch.ones(1, 2, dtype=torch.float32)).dtype == dtype
