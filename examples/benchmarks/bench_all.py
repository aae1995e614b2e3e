"""All benchmarks one after another, and one table of their ratios.

Each file runs in a process of its own. Run it on a quiet machine::

    python examples/benchmarks/bench_all.py --quick   # what README quotes, 3 minutes
    python examples/benchmarks/bench_all.py           # everything, half an hour
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path

import torch
from measuring import LINES_FILE

HERE = Path(__file__).parent
# What is run of each file, by name.
QUICK = {
    "bench_query.py": ["query", "selection", "core_set"],
    "bench_gradients.py": ["small-28", "resnet", "perceptron"],
    "bench_threads.py": ["MaxDet", "KMeansPlusPlus", "KCenter", "bait"],
    "bench_training.py": [],
    "bench_labeling.py": ["label", "--events", "100000"],
}


def processor():
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def run(script, names, folder):
    """Run one file, and return the lines of its report."""
    lines = Path(folder, f"{script}.jsonl")
    command = [sys.executable, HERE / script, *names]
    subprocess.run(command, check=True, env=os.environ | {LINES_FILE: str(lines)})
    if not lines.exists():
        return []
    return [json.loads(line) for line in lines.read_text().splitlines()]


def main():
    """Run what is asked for, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="about three minutes")
    if parser.parse_args().quick:
        parts = QUICK
    else:
        parts = {path.name: [] for path in sorted(HERE.glob("bench_*.py"))}
        del parts[Path(__file__).name]
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        for script, names in parts.items():
            print(f"\n== {script} {' '.join(names)}", flush=True)
            table[script] = run(script, names, folder)
    print(
        f"\n{date.today()}, {processor()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}\n"
    )
    print("| benchmark | what | ratio | target |\n|---|---|---|---|")
    for script, lines in table.items():
        for line in lines:
            value = f"{line['value']:.3g} {line['unit']}"
            missed = "" if line["met"] else " (missed)"
            where = (
                f"{line['title']}: {line['name']}" if line["title"] else line["name"]
            )
            print(f"| {script} | {where} | {value} | {line['target']}{missed} |")


if __name__ == "__main__":
    main()
