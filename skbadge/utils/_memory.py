"""How much memory there is, so that what would not fit is refused ahead."""

import os
from contextlib import suppress
from pathlib import Path

# Of what is free, an array may take this share: others are made from it.
SHARE = 0.5

CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available_bytes():
    """Bytes that this process may still take, as far as the system says; else inf."""
    known = [float("inf")]
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        line = next(line for line in lines if line.startswith("MemAvailable:"))
        known.append(1024 * int(line.split()[1]))
    for limit, used in CGROUPS:
        with suppress(OSError, ValueError):
            # Where there is no limit, v2 says "max", which is no number.
            known.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            known.append(limit - pages * os.sysconf("SC_PAGE_SIZE"))
    return max(0.0, min(known))


def check_fits(n_bytes, what, ways):
    """Raise if an array takes more than half of the memory that is left.

    ``what`` it is begins the message, and ``ways`` out end it.
    """
    if n_bytes <= 2**24:
        return
    available = available_bytes()
    if n_bytes > SHARE * available:
        raise ValueError(
            f"{what} would take {n_bytes} bytes ({n_bytes / 1e9:.3g} GB), above half "
            f"of the {available / 1e9:.3g} GB of memory that are free. {ways}"
        )
