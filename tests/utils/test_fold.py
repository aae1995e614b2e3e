"""Merging in one tree."""

import pytest

from skbadge.utils._fold import tree_fold


def joined(first, second):
    return f"({first}{second})"


@pytest.mark.parametrize("n", range(20))
def test_a_tree_of_blocks_is_the_tree_of_their_items(n):
    items = [chr(97 + i) for i in range(n)]
    expected = tree_fold(items, joined)
    for size in (1, 2, 4, 8, 16):
        blocks = (items[i : i + size] for i in range(0, n, size))
        assert tree_fold((tree_fold(b, joined) for b in blocks), joined) == expected


def test_the_tree_is_balanced_and_in_order():
    assert tree_fold("abcdefg", joined) == "(((ab)(cd))((ef)g))"
    assert tree_fold("a", joined) == "a"
    assert tree_fold("", joined) is None


def test_none_is_nothing_in_its_place():
    assert tree_fold([None, "b", "c", None, "e"], joined) == "((bc)e)"
    assert tree_fold([None, None], joined) is None


def test_few_items_wait_at_a_time():
    waiting = most = 0

    def items():
        nonlocal waiting, most
        for _ in range(1000):
            waiting += 1
            most = max(most, waiting)
            yield "x"

    def merge(first, second):
        nonlocal waiting
        waiting -= 1
        return "x"

    tree_fold(items(), merge)
    assert most <= 11
