"""Streams of randomness, and torch's generators left as found."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from skbadge.utils._streams import stream_seed, torch_seeded


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


def test_torch_is_seeded_inside_and_restored_outside():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    with torch_seeded(11):
        first = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    with torch_seeded(11):
        assert torch.equal(torch.rand(3), first)
    with torch_seeded(12):
        assert not torch.equal(torch.rand(3), first)


def test_torch_is_restored_after_an_error():
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="shape"), torch_seeded(11):
        torch.rand(3).reshape(2)
    assert torch.equal(torch.get_rng_state(), before)


def test_no_seed_leaves_torch_alone():
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    with torch_seeded(None):
        assert torch.equal(torch.rand(2), expected)


def test_seeding_does_not_import_torch():
    code = (
        "import sys\n"
        "from skbadge.utils._streams import torch_seeded\n"
        "with torch_seeded(0): pass\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
