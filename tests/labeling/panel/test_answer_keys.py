"""A key for each class."""

from skbadge.labeling.panel._answer_keys import AGAIN, SKIP, STOP, UNDO, UNSURE, keys_of


def test_digits_are_their_own_keys():
    assert keys_of([*range(10)]) == [(str(i), i) for i in range(10)]


def test_other_classes_are_numbered():
    assert keys_of(["cat", "dog"]) == [("1", "cat"), ("2", "dog")]


def test_letters_are_their_own_keys_and_taken_for_no_other():
    labels = ["one", "B", "1", "b", 10]
    assert keys_of(labels) == [*zip("2b134", labels, strict=True)]


def test_many_classes_have_distinct_keys_while_there_are_any():
    keys = [key for key, _ in keys_of([f"class {i}" for i in range(40)])]
    assert len({*keys[:36]}) == 36
    assert keys[36:] == [""] * 4


def test_what_is_no_class_has_other_keys():
    keys = {key for key, _ in keys_of([f"class {i}" for i in range(36)])}
    others = {AGAIN, SKIP, STOP, UNDO, UNSURE}
    assert len(others) == 5
    assert not keys & others
