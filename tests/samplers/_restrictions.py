"""Rows that may be picked, from the definition, and random cases of them."""

import numpy as np

from skbadge.samplers import Feasible


def is_open(feasible, rows):
    """Which rows may follow some picks, row by row and from the definition."""
    taken = [*feasible.pending, *rows]
    answer = np.zeros(feasible.n_rows, dtype=bool)
    for row in range(feasible.n_rows):
        allowed = feasible.mask is None or feasible.mask[row]
        if feasible.groups is not None:
            of_group = sum(feasible.groups[t] == feasible.groups[row] for t in taken)
            allowed = allowed and of_group < feasible.max_per_group
        answer[row] = allowed and row not in taken
    return answer


def random_case(n_rows, seed):
    """Some rows that may be picked, with or without mask, groups and pending rows."""
    rng = np.random.RandomState(seed)
    mask = rng.uniform(size=n_rows) < 0.7 if seed % 2 else None
    groups = rng.randint(n_rows // 3, size=n_rows) if seed // 2 % 2 else None
    pending = rng.permutation(n_rows)[: rng.randint(1, 4)] if seed // 4 % 2 else ()
    return Feasible(n_rows, mask, groups, int(rng.randint(1, 3)), pending)


# Seeds of random cases.
CASES = range(32)
