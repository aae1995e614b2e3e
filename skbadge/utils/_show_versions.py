"""What the report of a fault needs: versions, devices and threads of this machine."""

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from skbadge._version import __version__

# Those that setup.cfg requires, and those that only some things need.
REQUIRED = ("joblib", "numpy", "psutil", "scipy", "scikit-learn", "skorch", "torch")
OPTIONAL = (
    *("dask", "distributed", "filelock", "h5py", "ipywidgets", "matplotlib", "pandas"),
    *("polars", "pyarrow", "tqdm", "zarr", "catboost", "lightgbm", "xgboost"),
)


def show_versions() -> None:
    """Print what belongs in the report of a fault.

    That is the versions of skbadge, of Python, of the platform and of the packages that
    skbadge needs or may use ("-" for those that are not installed), the devices that
    torch sees, and how many threads each numerical library uses. Nothing is sent
    anywhere.

    See Also
    --------
    sklearn.show_versions : More about scikit-learn's own needs.

    Examples
    --------
    >>> import skbadge
    >>> skbadge.show_versions()
    skbadge ...
    <BLANKLINE>
    System:
        python ...
    """
    system = [
        ("python", " ".join(sys.version.split())),
        ("executable", sys.executable),
        ("platform", platform.platform()),
        ("processors", os.cpu_count()),
    ]
    devices, threads = _torch()
    sections = {
        "System": system,
        "Packages": [(name, _version_of(name)) for name in REQUIRED],
        "Optional packages": [(name, _version_of(name)) for name in OPTIONAL],
        "Devices": devices,
        "Threads": threads + _threads(),
    }
    print("skbadge", __version__)
    for title, lines in sections.items():
        print(f"\n{title}:")
        for name, value in lines:
            print(f"    {name:16} {value}")


def _version_of(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def _torch():
    """The devices that torch sees, and its threads.

    A torch that cannot be imported may be the fault that is reported.
    """
    try:
        import torch
    except (ImportError, OSError) as error:
        return [("torch", f"cannot be imported: {error}")], []
    devices = [("cpu", torch.backends.cpu.get_cpu_capability())]
    for name, kind in {"cuda": torch.cuda, "xpu": torch.xpu}.items():
        devices += [
            (f"{name}:{i}", kind.get_device_name(i)) for i in range(kind.device_count())
        ]
    if torch.backends.mps.is_available():
        devices.append(("mps", platform.processor()))
    return devices, [("torch", torch.get_num_threads())]


def _threads():
    """How many threads each library of linear algebra uses."""
    # Libraries are seen once they are loaded.
    import sklearn  # noqa: F401
    from threadpoolctl import threadpool_info

    return [
        (
            Path(library["filepath"]).parent.name,
            f"{library['num_threads']}, {library['internal_api']} "
            f"{library['version'] or ''}".rstrip(),
        )
        for library in threadpool_info()
    ]
