"""A hash of what an object holds."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skbadge.experiment.store import content_hash


@pytest.mark.parametrize(
    "values",
    [
        np.arange(12.0).reshape(3, 4),
        np.array([["ant", 1], ["bee", None]], dtype=object),
        np.empty((0, 3)),
        np.array(
            [(1, 2.0), (3, 4.0)], np.dtype([("a", "i1"), ("b", "f8")], align=True)
        ),
    ],
    ids=["numbers", "objects", "empty", "records"],
)
def test_arrays_are_known_by_their_values_not_by_where_they_lie(values):
    twice = np.repeat(values, 2, axis=-1)[..., ::2]
    for twin in (np.asfortranarray(values), twice, values.copy()):
        assert content_hash([twin, twin]) == content_hash([values, values.copy()])
    others = values[..., :1], values.tolist(), values[None]
    assert content_hash(values) not in map(content_hash, others)


def test_an_object_that_holds_itself_has_a_hash():
    model, array = LogisticRegression(), np.array([None, 1])
    model.callback = model.fit
    array[0] = array
    hashes = {content_hash(model), content_hash(array), content_hash([array])}
    assert hashes == {content_hash(x) for x in (model, array, [array])}
    assert len(hashes) == 3
