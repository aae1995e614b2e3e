"""TargetDataset: targets in the dtype of the rows and the shape of the outputs."""

import numpy as np
import pandas as pd
import pytest
import torch

from skbadge.nn._target_dataset import TargetDataset

X = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("shape", "target_shape", "expected"),
    [
        ((3,), None, (3, 1)),
        ((3, 1), None, (3, 1)),
        ((3, 2), None, (3, 2)),
        ((3,), (1,), (3, 1)),
        ((3,), (), (3,)),
        ((3, 1), (), (3,)),
    ],
)
def test_targets_get_the_shape_asked_for(shape, target_shape, expected):
    y = np.arange(np.prod(shape)).reshape(shape)
    dataset = TargetDataset(X, y, target_shape=target_shape)
    assert dataset.y.shape == expected
    assert dataset.y.ravel().tolist() == y.ravel().tolist()
    assert dataset.take_batch(slice(0, 2))[1].shape == (2, *expected[1:])
    assert dataset[0][1].shape == expected[1:]


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
@pytest.mark.parametrize("kind", [list, np.array, pd.Series, torch.tensor])
def test_targets_are_cast_along_with_the_rows(dtype, kind):
    y = [1 + 2**-40, 2.0, 3.0]
    if kind is torch.tensor:
        y = np.float32(y).tolist()
    dataset = TargetDataset(X, kind(y), dtype=dtype)
    expected = torch.tensor(y, dtype=getattr(torch, dtype))
    torch.testing.assert_close(dataset.y[:, 0], expected, rtol=0, atol=0)
    assert dataset.X.dtype == dtype


def test_the_targets_of_the_user_are_copied():
    y = np.zeros(3, dtype=np.float64)
    dataset = TargetDataset(X, y, dtype="float64")
    y[:] = 1
    assert not dataset.y.any()


def test_targets_that_torch_could_not_share_are_no_trouble():
    y = np.arange(3.0)[::-1]
    y.flags.writeable = False
    assert TargetDataset(X, y).y.ravel().tolist() == [2, 1, 0]


def test_there_may_be_none():
    assert TargetDataset(X).y is None
