"""Torch Datasets put together and taken from: no nesting, however often."""

import pickle
import threading

import numpy as np
import pytest
import torch
from torch.utils.data import (
    ChainDataset,
    ConcatDataset,
    IterableDataset,
    Subset,
    TensorDataset,
)

from skbadge.pools import concatenate_rows, copy_rows, first_rows, n_rows, take_rows
from tests.pools._containers import Rows, read

X = np.arange(12.0).reshape(6, 2)


def depth(dataset):
    if isinstance(dataset, Subset):
        return 1 + depth(dataset.dataset)
    if isinstance(dataset, ConcatDataset):
        return 1 + max(map(depth, dataset.datasets))
    return 0


def test_rounds_from_one_pool_make_one_subset():
    pool = Rows(X)
    labeled = Subset(pool, [5])
    for row in range(4):
        labeled = concatenate_rows(labeled, take_rows(pool, [row]))
    assert type(labeled) is Subset
    assert labeled.dataset is pool
    assert labeled.indices == [5, 0, 1, 2, 3]


def test_two_hundred_rounds_of_new_datasets_stay_flat():
    labeled, expected = Rows(X), [X]
    for i in range(200):
        labeled = concatenate_rows(labeled, Rows(X[:2] + i))
        expected.append(X[:2] + i)
    assert depth(labeled) == 1
    np.testing.assert_array_equal(read(labeled), np.vstack(expected))
    again = pickle.loads(pickle.dumps(labeled))
    np.testing.assert_array_equal(read(again), np.vstack(expected))


def test_taking_and_putting_together_in_turn_stays_flat():
    rng = np.random.RandomState(0)
    rows, expected = Rows(X), X
    for i in range(50):
        more = X[:3] + 100 * i
        rows = concatenate_rows(rows, Subset(Rows(more), [2, 0]))
        expected = np.vstack([expected, more[[2, 0]]])
        order = rng.permutation(len(expected))[:20]
        rows, expected = take_rows(rows, order), expected[order]
        assert depth(rows) <= 2
    np.testing.assert_array_equal(read(rows), expected)
    # Datasets that no row is from any more are let go.
    assert len(rows.dataset.datasets) <= 20


def test_nested_datasets_of_the_user_are_laid_flat():
    pool = Rows(X)
    nested = ConcatDataset([Subset(Subset(pool, [4, 3, 2]), [1, 0]), pool])
    taken = take_rows(nested, [0, 1, 2])
    assert taken.dataset is pool
    assert taken.indices == [3, 4, 0]
    assert concatenate_rows(Subset(pool, [0, 1, 2]), Subset(pool, [3, 4, 5])) is pool


def test_a_subclass_that_does_more_is_left_alone():
    class Doubled(Subset):
        def __getitem__(self, i):
            return 2 * super().__getitem__(i)[0], 0

        def __getitems__(self, indices):
            return [self[i] for i in indices]

    rows = take_rows(Doubled(Rows(X), [1, 2]), [1])
    np.testing.assert_array_equal(read(rows), 2 * X[[2]])


def test_rows_that_are_the_whole_dataset_are_the_dataset():
    pool = Rows(X)
    assert first_rows(pool, 9) is pool
    assert n_rows(first_rows(pool, 2)) == 2


class Stream(IterableDataset):
    def __iter__(self):
        return iter(X)


class LongStream(Stream):
    def __len__(self):
        return len(X)


@pytest.mark.parametrize(
    "make", [Stream, LongStream, lambda: ChainDataset([Stream(), LongStream()])]
)
def test_streams_are_refused(make):
    with pytest.raises(TypeError, match=r"must have a length.* Got a \w+ instead"):
        n_rows(make())
    with pytest.raises(TypeError, match="must have a length"):
        concatenate_rows(Rows(X), make())
    with pytest.raises(TypeError, match="must have a length"):
        take_rows(make(), [0])


def test_items_are_asked_for_by_python_integers():
    class Listed(torch.utils.data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, i):
            assert type(i) is int
            return torch.tensor(X[i]), 0

    rows = concatenate_rows(take_rows(Listed(), [3]), take_rows(Listed(), [1]))
    np.testing.assert_array_equal(read(rows), X[[3, 1]])


# Copies, which no owner's changes reach


class Held(torch.utils.data.Dataset):
    """Rows beside things that cannot be copied, or should not be."""

    def __init__(self, X, path):
        self.lock = threading.Lock()
        self.file = np.memmap(path, mode="w+", shape=3)
        self.X = {"x": [torch.tensor(X)]}

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return self.X["x"][0][i], 0


def test_what_cannot_be_copied_and_memory_maps_are_shared(tmp_path):
    pool = Held(X, tmp_path / "rows")
    copied = copy_rows(Subset(pool, [3, 1]))
    pool.X["x"][0][:] = 99
    np.testing.assert_array_equal(read(copied), X[[3, 1]])
    assert copied.dataset.lock is pool.lock
    assert copied.dataset.file is pool.file


def test_of_tensors_only_the_rows_in_question_are_copied():
    pool = TensorDataset(torch.tensor(X), torch.arange(6))
    copied = copy_rows(Subset(pool, [4, 4, 2]))
    assert len(copied) == 3
    assert len(copied.tensors[0]) == 3
    np.testing.assert_array_equal(read(copied), X[[4, 4, 2]])
    assert [int(copied[i][1]) for i in range(3)] == [4, 4, 2]


@pytest.mark.parametrize("make", [np.array, torch.tensor])
def test_a_pool_that_is_copied_in_every_round_is_kept_once(make):
    pool = Rows(make(X))
    labeled = copy_rows(Subset(pool, [5]))
    for row in range(4):
        labeled = concatenate_rows(labeled, copy_rows(take_rows(pool, [row])))
    assert type(labeled.dataset) is Rows
    assert labeled.dataset is not pool
    before = labeled.dataset
    pool.X[5] = 99
    labeled = concatenate_rows(labeled, copy_rows(take_rows(pool, [5])))
    assert labeled.dataset.datasets[0] is before
    np.testing.assert_array_equal(read(labeled)[[0, 5]], [X[5], [99, 99]])
