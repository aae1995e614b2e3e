"""Large arrays in memory or in files, and what becomes of the files."""

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

from skbadge.utils import _place
from skbadge.utils._memory import available_memory
from skbadge.utils._place import (
    Place,
    cast_array,
    filled_array,
    new_array,
    storing_in,
)


@pytest.fixture(autouse=True)
def spill_small_arrays(monkeypatch):
    monkeypatch.setattr(_place, "LEAST_SPILLED", 8000)


def is_in_memory(array):
    return array.base is None


def test_without_a_place_arrays_are_in_memory():
    assert is_in_memory(new_array((5000, 2), np.float32))


def test_none_never_spills(tmp_path):
    with storing_in(Place.of(None)) as place:
        assert is_in_memory(new_array((5000, 2), np.float32))
    assert place.nbytes_spilled == 0


def test_a_folder_takes_all_large_arrays(tmp_path):
    with storing_in(Place.of(tmp_path)) as place:
        large, small = new_array((5000, 2), np.float32), new_array((9, 2), np.float32)
    assert not is_in_memory(large)
    assert is_in_memory(small)
    assert place.nbytes_spilled == large.nbytes
    large[:] = np.arange(10_000).reshape(5000, 2)
    assert large.dtype == np.float32
    assert large[4999, 1] == 9999
    # It has no name, and so is gone with the process at the latest.
    assert os.listdir(tmp_path) == []


def test_memory_is_taken_up_to_the_limit_and_given_back(tmp_path):
    with storing_in(Place(tmp_path, limit=100_000)):
        first = new_array((10_000,), np.float64)
        assert is_in_memory(first)
        assert not is_in_memory(new_array((10_000,), np.float64))
        view = first[:10]
        del first
        gc.collect()
        assert not is_in_memory(new_array((10_000,), np.float64))
        del view
        gc.collect()
        assert is_in_memory(new_array((10_000,), np.float64))


def test_auto_takes_half_of_what_is_available(monkeypatch):
    monkeypatch.setattr(_place, "available_memory", lambda: 100_000)
    with storing_in(Place.of("auto")):
        first, second = new_array((6000,), np.float64), new_array((1200,), np.float64)
    assert is_in_memory(first)
    assert not is_in_memory(second)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_are_filled_and_cast_block_by_block(dtype, tmp_path):
    rows = np.random.default_rng(0).normal(size=(9000, 3)).astype(np.float32)
    with storing_in(Place.of(tmp_path)):
        doubled = filled_array(rows.shape, dtype, lambda part: 2 * part, rows)
        same = cast_array(rows, dtype)
    np.testing.assert_array_equal(doubled, 2 * rows)
    np.testing.assert_array_equal(same, rows)
    assert doubled.dtype == same.dtype == dtype
    assert (same is rows) == (dtype == np.float32)


@pytest.mark.parametrize("make", [str, lambda path: path])
def test_a_folder_that_is_none_is_refused(make, tmp_path):
    file = tmp_path / "file"
    file.touch()
    for path in (tmp_path / "missing", file):
        with pytest.raises(ValueError, match='`storage` must be None, "auto" or a'):
            Place.of(make(path))


def test_a_full_disk_is_an_error_before_anything_is_written(tmp_path):
    place = Place.of(tmp_path)
    with pytest.raises(OSError, match=r"`storage`: .* GB .* no room"):
        place.empty((2**60,), np.int8)
    assert os.listdir(tmp_path) == []
    assert place.nbytes_spilled == 0


def test_a_process_that_is_killed_leaves_no_file(tmp_path):
    code = (
        "import os, signal, numpy as np\n"
        "from skbadge.utils._place import Place\n"
        f"array = Place.of({str(tmp_path)!r}).empty((10**7,), np.float64)\n"
        "array[:] = 1\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    result = subprocess.run([sys.executable, "-c", code], check=False)
    assert result.returncode == -9
    assert os.listdir(tmp_path) == []


def write_group(folder, version, limit, used, cache):
    names = {
        2: ("memory.max", "memory.current", "inactive_file"),
        1: (
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    }[version]
    folder = folder if version == 2 else folder / "memory"
    folder.mkdir(exist_ok=True)
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\n{names[2]} {cache}\n")


@pytest.mark.parametrize("version", [1, 2])
def test_limits_of_control_groups_count(version, tmp_path):
    write_group(tmp_path, version, limit=1000, used=700, cache=200)
    assert available_memory(tmp_path) == 500
    write_group(tmp_path, version, limit=1000, used=1700, cache=200)
    assert available_memory(tmp_path) == 0


def test_groups_without_a_limit_do_not(tmp_path):
    write_group(tmp_path, 2, limit="max", used=700, cache=200)
    assert available_memory(tmp_path) > 10**6
