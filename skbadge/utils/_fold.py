"""Merging partial results, always in the same tree."""


def tree_fold(items, merge):
    """Merge items in order, in the balanced tree of their positions.

    The tree over blocks of 2^k items is the tree over the items, so that results agree
    to the last bit however many blocks the work was dealt out in.

    Parameters
    ----------
    items : iterable
        None stands for nothing, but has a position.

    merge : callable
        Of two neighbours makes one, the earlier one first.

    Returns
    -------
    merged : object
        None of no items. At most ``1 + log2(len(items))`` are held at a time.

    Examples
    --------
    >>> from skbadge.utils._fold import tree_fold
    >>> tree_fold("abcde", lambda first, second: f"({first}{second})")
    '(((ab)(cd))e)'
    """
    waiting = []
    for item in items:
        height = 0
        while waiting and waiting[-1][0] == height:
            item = _both(waiting.pop()[1], item, merge)
            height += 1
        waiting.append((height, item))
    merged = None
    while waiting:
        merged = _both(waiting.pop()[1], merged, merge)
    return merged


def _both(first, second, merge):
    if first is None or second is None:
        return second if first is None else first
    return merge(first, second)
