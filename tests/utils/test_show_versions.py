"""What the report of a fault needs to know about a machine."""

import builtins
import platform

import numpy as np
import torch

import skbadge
from skbadge.utils import _show_versions as module


def told(capsys):
    skbadge.show_versions()
    return capsys.readouterr().out


def test_versions_devices_and_threads_are_shown(capsys):
    lines = [line.split(maxsplit=1) for line in told(capsys).splitlines()]
    assert lines[0] == ["skbadge", skbadge.__version__]
    assert ["numpy", np.__version__] in lines
    assert ["torch", str(torch.get_num_threads())] in lines
    assert any(line[:1] == ["cpu"] for line in lines)
    assert any(line[1:] and "openblas" in line[1] for line in lines)
    assert platform.python_version() in lines[3][1]


def test_what_is_not_installed_is_shown_too(capsys, monkeypatch):
    monkeypatch.setattr(module, "OPTIONAL", ("no-such-package",))
    assert "    no-such-package  -\n" in told(capsys)


def test_a_torch_that_cannot_be_imported_is_shown(capsys, monkeypatch):
    real = builtins.__import__

    def importing(name, *args, **kwargs):
        if name == "torch":
            raise OSError("libtorch.so: cannot open shared object file")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", importing)
    assert "torch            cannot be imported: libtorch.so" in told(capsys)


class Devices:
    """Two devices, as `torch.cuda` tells of them."""

    def device_count(self):
        return 2

    def get_device_name(self, i):
        return f"Card number {i}"


def test_each_device_is_named(capsys, monkeypatch):
    monkeypatch.setattr(torch, "cuda", Devices())
    text = told(capsys)
    assert "cuda:0           Card number 0\n    cuda:1           Card" in text
