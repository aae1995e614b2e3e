"""Streams of randomness."""

import subprocess
import sys

import numpy as np
import pytest

from skbadge.utils._streams import stream_seed


def test_an_int_always_gives_the_same_seed_for_the_same_stream():
    assert stream_seed(3, "training") == stream_seed(3, "training")
    assert stream_seed(np.int64(3), "training") == stream_seed(3, "training")
    assert 0 <= stream_seed(3, "training") < 2**32


def test_streams_and_roots_are_told_apart():
    seeds = {stream_seed(root, name) for root in range(50) for name in ("a", "b", "ab")}
    assert len(seeds) == 150


def test_seed_of_a_stream_is_the_same_in_another_process():
    # `hash` of a str differs between processes; the seed must not.
    code = "from skbadge.utils._streams import stream_seed; print(stream_seed(7, 'x'))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert int(answer.stdout) == stream_seed(7, "x")


def test_a_random_state_is_advanced_by_one_draw():
    rng, twin = np.random.RandomState(0), np.random.RandomState(0)
    first, second = stream_seed(rng, "a"), stream_seed(rng, "a")
    assert first != second
    twin.randint(2**31 - 1)
    assert stream_seed(twin, "a") == second


def test_none_draws_from_numpys_global_generator():
    state = np.random.get_state()
    try:
        np.random.seed(5)
        first = stream_seed(None, "a")
        np.random.seed(5)
        assert stream_seed(None, "a") == first
        assert stream_seed(None, "a") != first
    finally:
        np.random.set_state(state)


def test_a_wrong_random_state_is_refused():
    with pytest.raises(ValueError, match="cannot be used to seed"):
        stream_seed("seed", "a")
