"""TensorBatches: the same batches as the DataLoader, cut in one piece."""

import numpy as np
import pytest
import torch
from scipy import sparse
from skorch.dataset import Dataset, ValidSplit
from torch.utils.data import DataLoader, Subset

from skbadge.nn import ArrayDataset, TensorBatches

N_ROWS = 23


def make_dataset(kind="dense", y=True):
    X = np.random.default_rng(0).normal(size=(N_ROWS, 3))
    X = {
        "dense": X,
        "integers": np.arange(N_ROWS),
        "tensor": torch.as_tensor(X),
        "sparse": sparse.csr_matrix(X * (X > 0)),
        "dict": {"a": X, "b": X[:, 0]},
        "list": [X, X[:, 0]],
    }[kind]
    return ArrayDataset(X, np.arange(N_ROWS) if y else None)


def assert_same(left, right):
    if isinstance(left, dict):
        assert left.keys() == right.keys()
        left, right = list(left.values()), list(right.values())
    if isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            assert_same(one, other)
        return
    torch.testing.assert_close(left, right, rtol=0, atol=0)


def view(dataset, depth):
    rows = np.random.default_rng(1).permutation(N_ROWS)
    for _ in range(depth):
        rows = rows[: len(rows) - 2]
        dataset = Subset(dataset, rows[rows < len(dataset)])
    return dataset


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize(
    "kind", ["dense", "integers", "tensor", "sparse", "dict", "list"]
)
def test_batches_equal_those_of_the_data_loader(kind, depth, drop_last):
    data = view(make_dataset(kind), depth)
    batches = TensorBatches(data, batch_size=5, drop_last=drop_last)
    loader = DataLoader(data, batch_size=5, drop_last=drop_last)
    assert len(batches) == len(loader) == len(list(batches))
    for batch, expected in zip(batches, loader, strict=True):
        assert_same(batch, expected)


def test_missing_target_looks_as_in_the_data_loader():
    data = make_dataset(y=False)
    for batch, expected in zip(
        TensorBatches(data, batch_size=5), DataLoader(data, batch_size=5), strict=True
    ):
        assert_same(batch, tuple(expected))


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_shuffling_visits_every_row_once_in_a_new_order_each_time(depth):
    data = view(make_dataset(), depth)
    plain = [y for _, batch in TensorBatches(data) for y in batch.tolist()]
    batches = TensorBatches(data, batch_size=5, shuffle=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        passes = [[y for _, b in batches for y in b.tolist()] for _ in range(2)]
    assert sorted(passes[0]) == sorted(passes[1]) == sorted(plain)
    assert passes[0] != passes[1]
    assert passes[0] != plain


def test_shuffled_rows_keep_their_targets():
    X = np.arange(N_ROWS).reshape(-1, 1)
    batches = TensorBatches(ArrayDataset(X, X[:, 0]), batch_size=4, shuffle=True)
    for rows, targets in batches:
        assert rows.ravel().tolist() == targets.tolist()


def test_the_order_comes_from_the_global_generator_of_torch():
    batches = TensorBatches(make_dataset(), batch_size=5, shuffle=True)
    with torch.random.fork_rng(devices=[]):
        orders = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            orders.append([y for _, b in batches for y in b.tolist()])
    assert orders[0] == orders[1] != orders[2]


def test_the_parts_of_a_validation_split_are_read():
    data = make_dataset()
    train, valid = ValidSplit(4)(data)
    rows = [y for part in (train, valid) for _, b in TensorBatches(part) for y in b]
    assert sorted(int(row) for row in rows) == list(range(N_ROWS))


def test_consecutive_rows_are_not_copied():
    data = make_dataset()
    batch, _ = next(iter(TensorBatches(data, batch_size=5)))
    assert np.shares_memory(batch.numpy(), data.X)


@pytest.mark.parametrize("wrap", [lambda data: data, lambda data: Subset(data, [0])])
def test_other_datasets_are_refused(wrap):
    data = wrap(Dataset(np.ones((3, 2)), np.ones(3)))
    with pytest.raises(TypeError, match=r"ArrayDataset.*Got Dataset instead"):
        TensorBatches(data)


@pytest.mark.parametrize("size", [0, -1, 2.5, None, True, "auto"])
def test_batch_size_must_be_a_positive_int(size):
    with pytest.raises(ValueError, match=f"`batch_size` must be an int .* {size!r}"):
        TensorBatches(make_dataset(), batch_size=size)
