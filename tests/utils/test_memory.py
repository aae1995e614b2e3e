"""What would not fit into memory is refused ahead."""

import subprocess
import sys

import pytest

from skbadge.utils import _memory


def test_small_arrays_are_never_refused(monkeypatch):
    monkeypatch.setattr(_memory, "available_memory", lambda: 0)
    _memory.check_fits(2**25 - 1, "An array", "Way.")


def test_half_of_what_is_free_is_the_limit(monkeypatch):
    monkeypatch.setattr(_memory, "available_memory", lambda: 1e9)
    _memory.check_fits(int(5e8), "An array", "Way.")
    with pytest.raises(
        ValueError, match=r"An array would take 500000001 bytes \(0.5 GB\).* 1 GB .*Way"
    ):
        _memory.check_fits(int(5e8) + 1, "An array", "Way.")


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_the_limit_of_the_process_counts():
    code = (
        "import resource\n"
        "from skbadge.utils._memory import available_memory\n"
        "before = available_memory()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**40, resource.RLIM_INFINITY))\n"
        "assert available_memory() <= before\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**26, resource.RLIM_INFINITY))\n"
        "assert available_memory() == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
