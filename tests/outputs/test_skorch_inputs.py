"""Every kind of X that skorch users pass, by slices and by the net's own loading."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, default_collate

from skbadge.outputs import model_outputs
from skbadge.outputs._casting import cast_input

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4)).astype("f4")


class OwnIterator(DataLoader):
    """Not the stock class, so that the net's own loading is used."""


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 3)
        self.dtypes, self.rows = [], []

    def forward(self, X):
        self.dtypes.append(X.dtype)
        self.rows.append(len(X))
        return self.head(torch.relu(self.body(X)))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 3)

    def forward(self, left, right):
        parts = torch.cat([left, right.to(left.dtype)], dim=1)
        return self.head(torch.relu(self.body(parts)))


class Listed(Two):
    def forward(self, X):
        return super().forward(*X)


class Columns(Two):
    def forward(self, a, b, c, d):
        return super().forward(torch.cat([a, b], dim=1), torch.cat([c, d], dim=1))


def _net(module=Plain, cls=NeuralNetClassifier, **kwargs):
    torch.manual_seed(0)
    kwargs = {"batch_size": 8, "criterion": nn.CrossEntropyLoss, **kwargs}
    return cls(module, verbose=0, train_split=None, **kwargs).initialize()


def _assert_equal(outputs, expected):
    np.testing.assert_allclose(outputs.proba, expected.proba, atol=1e-6)
    np.testing.assert_allclose(outputs.features, expected.features, atol=1e-6)


frame = pd.DataFrame(X, columns=list("abcd"))

CASES = {
    "array": (Plain, X),
    "float64": (Plain, X.astype("f8")),
    "tensor": (Plain, torch.from_numpy(X)),
    "csr": (Plain, sparse.csr_array(X)),
    "csr64": (Plain, sparse.csr_matrix(X.astype("f8"))),
    "frame": (Plain, frame),
    "frame64": (Plain, frame.astype("f8")),
    "skorch dataset": (Plain, Dataset(X, np.zeros(30))),
    "dict": (Two, {"left": X[:, :1], "right": X[:, 1:]}),
    "dict64": (Two, {"left": X[:, :1], "right": X[:, 1:].astype("f8")}),
    "frame of inputs": (Columns, frame),
    "list": (Listed, [X[:, :1], X[:, 1:]]),
    "tuple": (Listed, (X[:, :1], torch.from_numpy(X[:, 1:]))),
}


@pytest.mark.parametrize("case", CASES)
def test_slices_equal_the_own_loading_of_the_net(case):
    module, rows = CASES[case]
    sliced = model_outputs(_net(module), rows)
    iterated = model_outputs(_net(module, iterator_valid=OwnIterator), rows)
    _assert_equal(iterated, sliced)
    _assert_equal(sliced, model_outputs(_net(Plain), X))


@pytest.mark.parametrize("case", ["array", "tensor", "dict", "list"])
def test_probabilities_equal_those_of_the_net(case):
    module, rows = CASES[case]
    net = _net(module)
    np.testing.assert_allclose(
        model_outputs(net, rows).proba, net.predict_proba(rows), atol=1e-6
    )


def test_batches_are_large_when_they_are_slices():
    big = np.zeros((9000, 4), dtype="f4")
    net = _net()
    model_outputs(net, big, needs=("proba",))
    assert net.module_.rows == [2048, 2048, 2048, 2048, 808]
    wide = np.zeros((40, 4 * 2**19), dtype="f4")
    net = _net(nn.Sequential(nn.AdaptiveAvgPool1d(4), Plain()), batch_size=2)
    model_outputs(net, wide, needs=("proba",))
    # A row has 8 MiB: not fewer rows than the net's own batch size.
    assert set(net.module_[1].rows) == {2}
    net = _net(batch_size=10000)
    model_outputs(net, big, needs=("proba",))
    assert net.module_.rows == [9000]
    net = _net(batch_size=-1)
    model_outputs(net, big, needs=("proba",), batch_size=5000)
    assert net.module_.rows == [5000, 4000]


@pytest.mark.parametrize("batch_size", [1, 7, 30, 1000])
def test_batch_size_does_not_change_the_outputs(batch_size):
    net = _net()
    _assert_equal(model_outputs(net, X, batch_size=batch_size), model_outputs(net, X))


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.lib.stride_tricks.as_strided(x, writeable=False),
        lambda x: x[::-1][::-1],
        lambda x: x[::-1].copy()[::-1],
        lambda x: x.astype(">f4"),
        np.asfortranarray,
    ],
    ids=["read-only", "twice reversed", "reversed", "big-endian", "fortran"],
)
def test_unusual_arrays(make):
    _assert_equal(model_outputs(_net(), make(X)), model_outputs(_net(), X))


def test_input_is_not_changed():
    rows = X.astype("f8")
    model_outputs(_net(), rows)
    np.testing.assert_array_equal(rows, X)


@pytest.mark.parametrize("iterator", [DataLoader, OwnIterator])
def test_integers_are_cast_unless_the_module_embeds(iterator):
    rows = np.arange(120).reshape(30, 4) % 7
    net = _net(iterator_valid=iterator)
    model_outputs(net, rows)
    assert set(net.module_.dtypes) == {torch.float32}
    embedding = nn.Sequential(nn.Embedding(7, 2), nn.Flatten(), nn.Linear(8, 3))
    net = _net(embedding, iterator_valid=iterator)
    assert model_outputs(net, rows).features.shape == (30, 8)


@pytest.mark.parametrize("iterator", [DataLoader, OwnIterator])
def test_integers_among_several_inputs_are_kept(iterator):
    class Masked(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(4, 3)

        def forward(self, X, mask):
            return self.head(X.masked_fill(mask, 0))

    mask = X > 0
    net = _net(Masked, iterator_valid=iterator)
    outputs = model_outputs(net, {"X": X.astype("f8"), "mask": mask})
    np.testing.assert_array_equal(outputs.features, np.where(mask, 0, X))


def test_nullable_and_boolean_columns_become_one_array():
    table = pd.DataFrame(
        {"a": pd.array([1, 2], "Int64"), "b": [True, False], "c": [0.5, 1.5], "d": 0}
    )
    expected = np.array([[1, 1, 0.5, 0], [2, 0, 1.5, 0]])
    features = model_outputs(_net(), table, feature_layer="body").features
    np.testing.assert_array_equal(features, expected)


def test_missing_value_in_a_nullable_column_is_named():
    table = frame.assign(a=pd.array([None] + [1] * 29, "Int64"))
    with pytest.raises(ValueError, match="1 of 30 rows, the first is row 0"):
        model_outputs(_net(), table)


class Doubling(torch.utils.data.Dataset):
    """A dataset of the user's own, on which slicing X would be wrong."""

    def __init__(self, X, y=None):
        self.X = X

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return 2 * self.X[i], 0


class OwnDataset(Dataset):
    def transform(self, X, y):
        return super().transform(2 * X, y)


def _collate(batch):
    rows, y = default_collate(batch)
    return 2 * rows, y


class OwnIteration(NeuralNetClassifier):
    def get_iterator(self, dataset, training=False):
        for rows, y in super().get_iterator(dataset, training=training):
            yield 2 * rows, y


class OwnGetDataset(NeuralNetClassifier):
    def get_dataset(self, X, y=None):
        return super().get_dataset(2 * X, y)


class OwnForwardIter(NeuralNetClassifier):
    def forward_iter(self, X, training=False, device="cpu"):
        yield from super().forward_iter(2 * X, training=training, device=device)


@pytest.mark.parametrize(
    ("kwargs", "rows"),
    [
        ({"dataset": Doubling}, X),
        ({"dataset": OwnDataset}, X),
        ({"iterator_valid__collate_fn": _collate}, X),
        ({"cls": OwnIteration}, X),
        ({"cls": OwnGetDataset}, X),
        ({"cls": OwnForwardIter}, X),
        ({}, Doubling(X)),
        ({"dataset": Doubling(X)}, X),
    ],
    ids=[
        "dataset",
        "dataset subclass",
        "collate_fn",
        "get_iterator",
        "get_dataset",
        "forward_iter",
        "X is a dataset",
        "dataset instance",
    ],
)
def test_own_loading_is_not_bypassed(kwargs, rows):
    net = _net(**kwargs)
    outputs = model_outputs(net, rows)
    _assert_equal(outputs, model_outputs(_net(), 2 * X))
    np.testing.assert_allclose(outputs.proba, net.predict_proba(rows), atol=1e-6)


def test_own_dataset_gets_x_untouched_and_is_made_once():
    made = []

    class Codes(Doubling):
        def __init__(self, X, y=None):
            made.append(X)
            self.X = torch.from_numpy(globals()["X"])[torch.as_tensor(X)] / 2

    net = _net(dataset=Codes)
    codes = np.arange(30)[::-1].copy()
    _assert_equal(model_outputs(net, codes), model_outputs(_net(), X[::-1]))
    assert len(made) == 1
    assert made[0] is codes


def test_tensor_dataset_of_ours_is_sliced():
    class Converted(torch.utils.data.Dataset):
        skbadge_tensor_dataset = True

        def __init__(self, X, y=None):
            self.X = 2 * torch.as_tensor(X)

        def __len__(self):
            return len(self.X)

        def __getitem__(self, i):
            raise AssertionError("rows are not collated one by one")

    net = _net(dataset=Converted)
    _assert_equal(model_outputs(net, X), model_outputs(_net(), 2 * X))


@pytest.mark.parametrize("marked", [True, False])
def test_iterator_of_ours_is_replaced_by_slices(marked):
    class Sliced(OwnIterator):
        skbadge_tensor_batches = marked

    net = _net(iterator_valid=Sliced)
    model_outputs(net, X, needs=("proba",))
    assert net.module_.rows == ([30] if marked else [8, 8, 8, 6])


def test_dataset_of_unknown_length():
    class Stream(IterableDataset):
        def __iter__(self):
            return ((row, 0) for row in X)

    _assert_equal(model_outputs(_net(), Stream()), model_outputs(_net(), X))


def test_own_loading_runs_each_row_once_besides_the_first_batch():
    net = _net(iterator_valid=OwnIterator)
    model_outputs(net, X)
    assert net.module_.rows == [8, 8, 8, 8, 6]


def test_loading_leaves_the_global_generator():
    net = _net(iterator_valid=OwnIterator)
    before = torch.get_rng_state()
    model_outputs(net, X)
    assert torch.equal(before, torch.get_rng_state())


def test_loading_that_shuffles_is_refused():
    with pytest.warns(UserWarning, match="will be shuffled"):
        net = _net(iterator_valid__shuffle=True)
    with pytest.raises(ValueError, match="`iterator_valid` must keep the order"):
        model_outputs(net, X)


def test_own_iterator_that_shuffles_is_refused():
    class Shuffling:
        def __init__(self, dataset, batch_size):
            self.shuffle = True

    with pytest.raises(ValueError, match="`iterator_valid` must keep the order"):
        model_outputs(_net(iterator_valid=Shuffling), X)


def test_loading_that_loses_rows_is_refused():
    net = _net(iterator_valid__drop_last=True)
    with pytest.raises(ValueError, match="Got 24 outputs for 30 rows"):
        model_outputs(net, X)


@pytest.mark.parametrize("iterator", [DataLoader, OwnIterator])
def test_no_rows_are_refused(iterator):
    with pytest.raises(ValueError, match="`X` must have at least 1 row"):
        model_outputs(_net(iterator_valid=iterator), X[:0])


def test_features_of_varying_width_are_refused():
    class Varying(nn.Module):
        def __init__(self):
            super().__init__()
            self.keep, self.head = nn.Identity(), nn.Linear(1, 3)

        def forward(self, X):
            self.keep(X[:, : 1 + len(X) % 2])
            return self.head(X[:, :1])

    with pytest.raises(ValueError, match=r"features must have the same width.*Got 2"):
        model_outputs(_net(Varying), X, feature_layer="keep", batch_size=13)


class TestCastInput:
    """The rule that others share."""

    def test_arrays(self):
        module = nn.Linear(4, 2)
        assert cast_input([module], X) is X
        assert cast_input([module], X.astype("f8")).dtype == np.float32
        assert cast_input([module], X > 0).dtype == np.float32
        assert cast_input([module.double()], X).dtype == np.float64
        assert cast_input([module.bfloat16()], X).dtype == torch.bfloat16
        assert cast_input([nn.ReLU()], X.astype("f8")).dtype == np.float64

    def test_arrays_that_torch_does_not_take_are_copied(self):
        read_only = X.copy()
        read_only.flags.writeable = False
        for rows in (read_only, X[::-1], X.astype(">f4")):
            cast = cast_input([nn.Linear(4, 2)], rows)
            np.testing.assert_array_equal(cast, rows)
            assert torch.from_numpy(cast).dtype == torch.float32

    def test_tensors_and_sparse(self):
        module = nn.Linear(4, 2)
        assert cast_input([module], torch.zeros(2, 4).double()).dtype == torch.float32
        matrix = sparse.coo_array(X.astype("f8"))
        cast = cast_input([module], matrix)
        assert sparse.issparse(cast)
        assert cast.dtype == np.float32
        assert cast_input([module.half()], matrix).dtype == np.float32

    def test_embeddings_keep_integers(self):
        module = nn.Sequential(nn.Embedding(3, 2), nn.Flatten(), nn.Linear(2, 2))
        assert cast_input([module], np.array([[1]])).dtype == np.int64
        assert cast_input([module], np.array([[1.0]])).dtype == np.float32

    def test_frames(self):
        table = frame.astype("f8")
        np.testing.assert_array_equal(cast_input([Plain()], table), X)
        columns = cast_input([Columns()], table)
        assert {name: part.shape for name, part in columns.items()} == {
            name: (30, 1) for name in "abcd"
        }
        text = pd.DataFrame({"a": ["x"]})
        assert cast_input([Plain()], text) is text

    def test_frame_whose_columns_are_optional_inputs(self):
        class Optional(Plain):
            def forward(self, a=None, b=None, c=None, d=None):
                return a

        class Keywords(Plain):
            def forward(self, **inputs):
                return inputs["a"]

        assert set(cast_input([Optional()], frame)) == set("abcd")
        assert set(cast_input([Keywords()], frame)) == set("abcd")

        class WithOption(Plain):
            def forward(self, X, temperature=1.0):
                return X

        assert isinstance(cast_input([WithOption()], frame), np.ndarray)

    def test_other_things_are_left_alone(self):
        module = nn.Linear(4, 2)
        dataset = Doubling(X)
        assert cast_input([module], dataset) is dataset
