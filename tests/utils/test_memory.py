"""What would not fit into memory is refused ahead."""

import subprocess
import sys

import pytest

from skbadge.utils import _memory


def test_small_arrays_are_never_refused(monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda: 0.0)
    _memory.check_fits(2**24, "An array", "Way.")


def test_half_of_what_is_free_is_the_limit(monkeypatch):
    monkeypatch.setattr(_memory, "available_bytes", lambda: 1e9)
    _memory.check_fits(int(5e8), "An array", "Way.")
    with pytest.raises(
        ValueError, match=r"An array would take 500000001 bytes \(0.5 GB\).* 1 GB .*Way"
    ):
        _memory.check_fits(int(5e8) + 1, "An array", "Way.")


@pytest.mark.parametrize("limit", ["max", "3000"])
def test_the_limit_of_a_container_counts(limit, monkeypatch, tmp_path):
    (tmp_path / "max").write_text(limit)
    (tmp_path / "current").write_text("1000")
    pair = str(tmp_path / "max"), str(tmp_path / "current")
    monkeypatch.setattr(_memory, "CGROUPS", (pair,))
    is_limited = _memory.available_bytes() == 2000
    assert is_limited == (limit == "3000")


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_the_limit_of_the_process_counts():
    code = (
        "import resource\n"
        "from skbadge.utils._memory import available_bytes\n"
        "before = available_bytes()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**40, resource.RLIM_INFINITY))\n"
        "assert available_bytes() <= before\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**24, resource.RLIM_INFINITY))\n"
        "assert available_bytes() < 2**24\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
