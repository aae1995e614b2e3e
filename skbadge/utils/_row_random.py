"""One random number for each row of a pool, whatever chunks the rows come in."""

import zlib

import numpy as np

# Rows that share a counter. Their numbers are drawn together.
BLOCK = 4096


def row_random(seed, stream, number, first, n_rows):
    """Uniform numbers of consecutive rows, each the row's own.

    They depend on the seed, the stream, its number and the row, not on what rows are
    asked for together.

    Parameters
    ----------
    seed : int
        At least 0.

    stream : str
        What the numbers are for.

    number : int
        Numbers of one stream that differ in this are independent, such as those of the
        passes over a pool.

    first : int
        Position of the first row in the pool.

    n_rows : int
        Number of rows.

    Returns
    -------
    uniforms : ndarray of shape (n_rows,)
        float64, in [0, 1).
    """
    spawn_key = (zlib.crc32(stream.encode()), number)
    sequence = np.random.SeedSequence(seed, spawn_key=spawn_key)
    key = sequence.generate_state(2, np.uint64)
    uniforms = np.empty(n_rows)
    filled = 0
    while filled < n_rows:
        block, start = divmod(first + filled, BLOCK)
        stop = min(start + n_rows - filled, BLOCK)
        # A block counts in the first word. With its own number there, a block would
        # repeat the one before it, moved by four rows.
        philox = np.random.Philox(key=key, counter=[0, block, 0, 0])
        drawn = np.random.Generator(philox).random(stop)[start:]
        uniforms[filled : filled + len(drawn)] = drawn
        filled += len(drawn)
    return uniforms


def log_exponentials(uniforms):
    """Logarithms of the exponential numbers that belong to uniform ones.

    By the inverse of the distribution function, since the ziggurat takes a varying
    number of draws.

    Parameters
    ----------
    uniforms : ndarray
        In [0, 1).

    Returns
    -------
    logs : ndarray
        float64, finite.
    """
    # Half the spacing of the numbers stands for 0.
    return np.log(np.maximum(-np.log1p(-uniforms), 2.0**-54))
