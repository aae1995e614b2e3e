"""How much memory there is for this process."""

from pathlib import Path

import joblib
import psutil
from joblib.parallel import get_active_backend

_CGROUPS = Path("/sys/fs/cgroup")

# Smaller arrays are made without a check.
LEAST_CHECKED = 2**25


def available_memory(cgroups=_CGROUPS):
    """Bytes that this process may take: what is free, within the limit of its group.

    A worker of joblib has its share of that.
    """
    free = [psutil.virtual_memory().available, *_left_by_limits(cgroups)]
    free += _left_by_process()
    return max(0, min(free)) // _n_workers()


def check_fits(nbytes, what, hint):
    """Raise if an array takes more than half of the memory that is left.

    The message begins with ``what`` the array is, and ends with the ``hint``.
    """
    if nbytes < LEAST_CHECKED:
        return
    available = available_memory()
    if 2 * nbytes > available:
        raise ValueError(
            f"{what} would take {nbytes} bytes ({nbytes / 1e9:.3g} GB), above half of "
            f"the {available / 1e9:.3g} GB of memory that are free. {hint}"
        )


def _left_by_limits(cgroups):
    """What the limits of control groups, versions 2 and 1, leave of the memory."""
    for folder, limit, used, cache in (
        (cgroups, "memory.max", "memory.current", "inactive_file"),
        (
            cgroups / "memory",
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
        ),
    ):
        try:
            most = (folder / limit).read_text()
            if most.strip() == "max":
                continue
            in_use = int((folder / used).read_text())
            stat = (folder / "memory.stat").read_text().split()
        except (OSError, ValueError):
            continue
        # The system may drop cached files at any time, so they do not count.
        dropped = dict(zip(stat[::2], stat[1::2], strict=True)).get(cache, 0)
        yield int(most) - in_use + int(dropped)


def _left_by_process():
    """What a limit of this process leaves of its addresses."""
    try:
        import resource
    except ImportError:
        return
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        yield most - psutil.Process().memory_info().vms


def _n_workers():
    """How many processes like this one there may be."""
    backend, _ = get_active_backend()
    # A nested backend runs in a worker, and does not know how many workers there are.
    return joblib.cpu_count() if getattr(backend, "nesting_level", 0) else 1
