"""What a strategy says it needs."""

from itertools import product

import numpy as np
import pytest
from sklearn.ensemble import BaggingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier
from skorch import NeuralNetClassifier
from torch import nn

from skbadge.outputs import Needs, model_outputs
from skbadge.outputs._needs import FIELDS, NAMES

NEEDS = [
    Needs(),
    Needs(proba=True),
    Needs(features=True, labeled=True),
    Needs(inputs=True, ids=True),
    Needs(n_posterior=3),
    Needs(n_posterior=7, proba=True),
    Needs(gradients=True),
    Needs(gradients=True, n_columns=8),
    Needs(gradients=True, n_columns=16, features=True),
    Needs(n_columns=4),
]


def content(needs):
    """What is read: columns of gradients that are not needed say nothing."""
    width = needs.n_columns if needs.gradients else None
    return needs.fields, needs.labeled, needs.ids, needs.n_posterior, width


@pytest.mark.parametrize(("first", "second"), list(product(NEEDS, NEEDS)), ids=str)
def test_a_union_has_what_either_has(first, second):
    both = first | second
    assert set(both.fields) == set(first.fields) | set(second.fields)
    assert both.labeled == (first.labeled or second.labeled)
    assert both.ids == (first.ids or second.ids)
    assert both.n_posterior == max(first.n_posterior, second.n_posterior)
    assert content(second | first) == content(both)
    assert content(first | first) == content(first)
    for third in NEEDS:
        assert content((first | second) | third) == content(first | (second | third))


@pytest.mark.parametrize(
    ("widths", "expected"),
    [((8, 16), 16), ((16, 8), 16), ((8, None), None), ((None, 8), None)],
)
def test_the_wider_sketch_wins_and_exact_gradients_win_over_all(widths, expected):
    first, second = (Needs(gradients=True, n_columns=width) for width in widths)
    assert (first | second).n_columns == expected


def test_columns_without_gradients_do_not_count():
    assert (Needs(n_columns=99) | Needs(gradients=True, n_columns=8)).n_columns == 8
    assert (Needs(n_columns=99) | Needs(proba=True)) == Needs(proba=True)


@pytest.mark.parametrize("name", NAMES)
def test_names_stand_for_needs(name):
    needs = Needs.of(name)
    assert needs == Needs.of([name]) == Needs.of((name, name)) == Needs.of({name})
    assert needs == Needs() | name
    assert getattr(needs, name) is True
    assert needs.fields == ((name,) if name in FIELDS else ())
    assert needs.n_posterior == (20 if name == "posterior" else 0)
    assert needs.n_columns is None


def test_needs_are_taken_as_they_are():
    needs = Needs(n_posterior=3)
    assert Needs.of(needs) is needs
    assert Needs.of(()) == Needs()


@pytest.mark.parametrize("names", ["probas", ("proba", "n_posterior"), ("n_columns",)])
def test_unknown_names_are_refused(names):
    with pytest.raises(ValueError, match=r"`needs` must be one or more of \('proba'"):
        Needs.of(names)
    with pytest.raises(ValueError, match=r"or a Needs. Got '(probas|n_)"):
        Needs() | names


@pytest.mark.parametrize("value", [-1, 2.0, True, None, "3", np.float64(2)])
def test_the_number_of_samples_is_checked(value):
    with pytest.raises(ValueError, match=r"`n_posterior` must be an int >= 0. Got"):
        Needs(n_posterior=value)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "all"])
def test_the_number_of_columns_is_checked(value):
    with pytest.raises(ValueError, match=r"`n_columns` must be an int >= 1 or None"):
        Needs(gradients=True, n_columns=value)


def test_numbers_of_numpy_are_numbers():
    needs = Needs(n_posterior=np.int64(3), gradients=True, n_columns=np.int32(5))
    assert needs == Needs(n_posterior=3, gradients=True, n_columns=5)


@pytest.mark.parametrize("value", [1, None, "yes", np.array([True])])
@pytest.mark.parametrize(
    "name", ["proba", "features", "head", "inputs", "gradients", "labeled", "ids"]
)
def test_flags_are_bools(name, value):
    with pytest.raises(TypeError, match=f"`{name}` must be a bool. Got"):
        Needs(**{name: value})


def test_needs_are_values():
    assert Needs(proba=True) == Needs.of("proba")
    assert len({Needs(proba=True), Needs.of("proba"), Needs()}) == 2
    with pytest.raises(AttributeError):
        Needs().proba = True
    assert repr(Needs()) == "Needs()"
    text = "Needs(proba, n_posterior=3, gradients, n_columns=8)"
    assert repr(Needs(True, n_posterior=3, gradients=True, n_columns=8)) == text


# Just what is needed is read, by every reader


X = np.random.default_rng(0).normal(size=(40, 4)).astype("f4")
y = np.arange(40) % 3


def net():
    layers = nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 3)
    return NeuralNetClassifier(
        nn.Sequential(*layers),
        criterion=nn.CrossEntropyLoss,
        max_epochs=1,
        verbose=0,
        train_split=None,
    )


LAYERED = ("proba", "features", "head", "inputs", "gradients")
OF_CLASSIFIERS = tuple(name for name in FIELDS if name != "prediction")
MODELS = {
    "net": (net(), OF_CLASSIFIERS),
    "perceptron": (
        MLPClassifier((5,), solver="lbfgs", alpha=1.0, max_iter=9999, random_state=0),
        LAYERED,
    ),
    "linear": (LogisticRegression(), LAYERED),
    "ensemble": (
        BaggingClassifier(LogisticRegression(), 3, random_state=0),
        ("proba", "features", "inputs", "posterior", "gradients"),
    ),
    "other": (
        DecisionTreeClassifier(max_depth=2, random_state=0),
        ("proba", "features", "inputs"),
    ),
}
SUBSETS = [
    tuple(name for name, chosen in zip(FIELDS, flags, strict=True) if chosen)
    for flags in product([False, True], repeat=len(FIELDS))
][1:]


@pytest.mark.parametrize("kind", MODELS)
def test_each_reader_gives_what_is_needed_and_nothing_else(kind):
    model, known = MODELS[kind]
    model = model.fit(X, y)
    alone = {
        name: getattr(model_outputs(model, X, needs=name, random_state=0), name)
        for name in known
    }
    for names in SUBSETS:
        if not set(names) <= set(known):
            with pytest.raises(
                TypeError, match=r"has no (last linear|posterior|layers|targets)"
            ):
                model_outputs(model, X, needs=names)
            continue
        outputs = model_outputs(model, X, needs=names, random_state=0)
        assert outputs.identify is None
        for name in FIELDS:
            found = getattr(outputs, name)
            if name not in names:
                assert found is None
            elif name == "head":
                for part, other in zip(found, alone[name], strict=True):
                    np.testing.assert_array_equal(part, other)
            elif name == "gradients":
                np.testing.assert_allclose(
                    found.to_dense(), alone[name].to_dense(), atol=1e-5
                )
            else:
                np.testing.assert_allclose(found, alone[name], atol=1e-6)


def test_identities_are_those_of_the_rows_as_they_came():
    model = LogisticRegression().fit(X, y)
    outputs = model_outputs(model, X, needs=("proba", "ids"))
    again = model_outputs(model, X[::-1], needs=("proba", "ids"))
    rows = np.array([3, 0, 7])
    assert outputs.identify(rows) == again.identify(39 - rows)
    assert len(set(outputs.identify(np.arange(40)))) == 40
