"""Random streams: one seed per public call."""

import zlib

import numpy as np
from sklearn.utils import check_random_state

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def stream_seed(random_state, stream):
    """Seed of one named stream of randomness derived from a ``random_state``.

    Streams that differ in name are independent, so that, say, a longer training does
    not shift the draws of the selection that follows it. An int always yields the same
    seed for the same name; anything else is advanced by one draw.
    """
    if isinstance(random_state, (int, np.integer)):
        root = int(random_state)
    else:
        root = int(check_random_state(random_state).randint(2**31 - 1))
    sequence = np.random.SeedSequence(root, spawn_key=(zlib.crc32(stream.encode()),))
    return int(sequence.generate_state(1)[0])


def optional_seed(random_state, stream):
    """`stream_seed`, but None for None, which leaves all to the global generators."""
    return None if random_state is None else stream_seed(random_state, stream)


def row_uniforms(seed, rows):
    """A number between 0 and 1 for each row, whatever rows are asked for together.

    In [0, 1), as good as independent and uniform: SplitMix64 of row and seed.
    """
    with np.errstate(over="ignore"):
        mixed = np.asarray(rows).astype(np.uint64)
        mixed = (mixed + np.uint64(1)) * GOLDEN
        mixed ^= _finalized(np.array(seed, dtype=np.uint64))
        return (_finalized(mixed) >> np.uint64(11)) * 2.0**-53


def entry_words(seed, rows, columns):
    """64 random bits for each entry of a matrix, whatever entries are asked for.

    Each row is a stream of SplitMix64 that starts at a hash of its number.

    Parameters
    ----------
    seed : int
        At least 0.

    rows, columns : ndarray of int
        Where the entries are; they are broadcast against each other.

    Returns
    -------
    words : ndarray
        uint64.
    """
    with np.errstate(over="ignore"):
        starts = (rows.astype(np.uint64) + np.uint64(1)) * GOLDEN
        starts = _finalized(starts ^ _finalized(np.array(seed, dtype=np.uint64)))
        return _finalized(starts + (columns.astype(np.uint64) + np.uint64(1)) * GOLDEN)


def mixed_words(words):
    """SplitMix64's outputs for states given by number."""
    return _finalized(words * GOLDEN)


def _finalized(mixed):
    """The output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
