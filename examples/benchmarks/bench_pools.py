"""Pools that do not fit: time against bare loops, and peaks of memory.

Each case runs in a process of its own, whose peak this one watches: proportional set
size (PSS), children included. Files are made in a temporary folder and removed::

    python examples/benchmarks/bench_pools.py files      # outputs kept in files
    python examples/benchmarks/bench_pools.py parquet    # 10,000,000 rows, 1.3 GB
    python examples/benchmarks/bench_pools.py scale      # 1,000,000 to 100,000,000 rows
    python examples/benchmarks/bench_pools.py bytes      # a row, for each strategy
    python examples/benchmarks/bench_pools.py --rows 1000000 parquet
"""

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import psutil
import torch
from measuring import peak_memory, report
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.embeddings import gradient_embedding
from skbadge.pools import from_parquet
from skbadge.samplers import KMeansPlusPlus
from skbadge.strategies._registry import STRATEGIES
from skbadge.utils import _place
from skbadge.utils._place import Place, new_array, storing_in

N_FEATURES = 32
CHUNK = 2**16


def make_file(path, n_rows):
    """Write a Parquet file of normal float32 columns, a row group at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(N_FEATURES)]
    schema = pa.schema([(name, pa.float32()) for name in names])
    with pq.ParquetWriter(path, schema, compression="none") as writer:
        for start in range(0, n_rows, CHUNK):
            size = min(CHUNK, n_rows - start)
            columns = rng.standard_normal((N_FEATURES, size), dtype=np.float32)
            writer.write_table(pa.table(dict(zip(names, columns, strict=True))))


def make_querier(strategy, storage, *layers_between):
    """A trained net with two hidden layers of 64."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((2000, N_FEATURES), dtype=np.float32)
    y = (X[:, :10] + 0.5 * rng.standard_normal((2000, 10))).argmax(axis=1)
    layers = [nn.Linear(N_FEATURES, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU()]
    net = NeuralNetClassifier(
        nn.Sequential(*layers, *layers_between, nn.Linear(64, 10)),
        criterion=nn.CrossEntropyLoss,
        train_split=None,
        max_epochs=20,
        lr=0.1,
        verbose=0,
    )
    querier = BadgeQuerier(net, strategy=strategy, random_state=0, storage=storage)
    return querier.fit(X, y)


def query_file(path, strategy, n_jobs):
    """Query a Parquet file; the bare loop reads it, and runs the net, as often."""
    from joblib import parallel_config

    querier = make_querier(strategy, None)
    start = perf_counter()
    with parallel_config(backend="loky", n_jobs=n_jobs):
        pool = from_parquet(path)
        rows, told = querier.query(pool, 1000, return_report=True)
    seconds = perf_counter() - start
    assert len(set(rows.tolist())) == 1000
    return {"seconds": seconds, "passes": told.n_passes, "engine": told.engine}


def bare_loop(path, n_passes):
    """Read a Parquet file and run the net on it, nothing else."""
    import pyarrow.parquet as pq

    module = make_querier("margin", None).estimator_.module_
    start = perf_counter()
    with torch.no_grad():
        for _ in range(n_passes):
            for batch in pq.ParquetFile(path).iter_batches(CHUNK):
                columns = [column.to_numpy() for column in batch.columns]
                module(torch.from_numpy(np.column_stack(columns)))
    return {"seconds": perf_counter() - start}


def select(folder, n_rows, n):
    """Select by k-means++ from outputs in memory, or in files of a folder."""
    rng = np.random.default_rng(0)
    with storing_in(Place.of(folder)):
        proba = new_array((n_rows, 10), np.float32)
        features = new_array((n_rows, 64), np.float32)
        weights = 3 / 8 * rng.standard_normal((64, 10), dtype=np.float32)
        for start in range(0, n_rows, CHUNK):
            rows = slice(start, start + CHUNK)
            part = rng.standard_normal((len(features[rows]), 64), dtype=np.float32)
            features[rows] = np.maximum(part, 0)
            proba[rows] = torch.softmax(
                torch.from_numpy(features[rows] @ weights), dim=1
            ).numpy()
        start = perf_counter()
        embedding = gradient_embedding(proba, features)
        KMeansPlusPlus().sample(embedding, n, random_state=0)
        seconds = perf_counter() - start
    status = Path("/proc/self/status").read_text().split()
    anonymous = int(status[status.index("RssAnon:") + 1]) * 1024
    return {"seconds": seconds, "anonymous": anonymous}


CASES = {"query_file": query_file, "bare_loop": bare_loop, "select": select}


def run(case, *args):
    """A case in a process of its own: what it says, and its greatest PSS."""
    command = [sys.executable, __file__, "--case", json.dumps([case, *args])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak, watched = 0, psutil.Process(process.pid)
    while process.poll() is None:
        peak = max(peak, _pss(watched))
        sleep(0.05)
    answer = process.stdout.read()
    if process.returncode:
        raise SystemExit(f"{case} failed.")
    return json.loads(answer.splitlines()[-1]) | {"peak": peak}


def _pss(process):
    try:
        family = [process, *process.children(recursive=True)]
        return sum(each.memory_full_info().pss for each in family)
    except psutil.NoSuchProcess:
        return 0


def bench_files(n_rows, folder):
    """Outputs in a memory map against outputs in memory."""
    n = max(100, n_rows // 1000)
    print(f"\nfiles: k-means++, {n_rows} x (10 + 64) float32, n = {n}")
    memory, files = run("select", None, n_rows, n), run("select", folder, n_rows, n)
    print(f"  in memory {memory['seconds']:.2f} s, in files {files['seconds']:.2f} s")
    report(
        "times the selection in memory",
        files["seconds"] / memory["seconds"],
        "x",
        "<=1.5",
    )
    report("GB held beside the page cache", files["anonymous"] / 1e9, "GB", "<=1")


def bench_parquet(n_rows, folder):
    """A query on a Parquet file against the bare loop of as many reads."""
    path = str(Path(folder) / "pool.parquet")
    make_file(path, n_rows)
    for strategy in ("badge", "margin"):
        print(f"\nparquet: {strategy}, {n_rows} x {N_FEATURES}, 64-64 net, n = 1000")
        found = run("query_file", path, strategy, 1)
        bare = run("bare_loop", path, found["passes"])
        print(f"  {found['seconds']:.1f} s, bare loop {bare['seconds']:.1f} s")
        report("reads", found["passes"], "", "<=4")
        report("times the bare loop", found["seconds"] / bare["seconds"], "x", "<=1.5")
        report("GB at the peak", found["peak"] / 1e9, "GB", "<=1.5")
        two = run("query_file", path, strategy, 2)
        print(f"  two workers: {two['seconds']:.1f} s, {two['peak'] / 1e9:.2f} GB")


def bench_scale(n_rows, folder):
    """Memory and time from a hundredth of the rows to all of them."""
    print("\nscale: badge and margin on Parquet, n = 1000")
    for size in (n_rows // 100, n_rows // 10, n_rows):
        path = str(Path(folder) / f"{size}.parquet")
        make_file(path, size)
        for strategy in ("badge", "margin"):
            found = run("query_file", path, strategy, 1)
            print(
                f"  {size:>11} rows, {strategy:<6} {found['seconds']:8.1f} s in "
                f"{found['passes']} reads, {found['peak'] / 1e9:.2f} GB at the peak"
            )
        Path(path).unlink()


def bench_bytes(n_rows, folder):
    """What each strategy holds for a row of outputs that are kept, here or in files.

    By the peaks of two queries, of which one has twice as many rows, so that blocks of
    fixed size do not count.
    """
    _place.LEAST_SPILLED = 2**18
    print(f"\nbytes: bytes a row for K = 10 and d = 64, {n_rows} rows more, n = 10")
    print(f"  {'strategy':<28} {'outputs':>9} {'in all':>9} {'with a folder':>14}")
    rng = np.random.default_rng(2)
    X = rng.standard_normal((2 * n_rows, N_FEATURES), dtype=np.float32)
    # The one that is left out is for regressors only.
    for name in sorted(set(STRATEGIES) - {"igs"}):
        querier = make_querier(name, None, nn.Dropout(0.1))
        outputs = querier.outputs(X[:1000]).nbytes / 1000
        held = []
        for storage in (None, folder):
            querier.set_params(storage=storage)
            few, many = (
                peak_memory(partial(querier.query, rows, 10))
                for rows in (X[:n_rows], X)
            )
            held.append((many - few) / n_rows)
        print(
            f"  {name:<28} {outputs:>9.0f} {held[0]:>9.0f} {held[1]:>14.0f}", flush=True
        )


BENCHES = {
    "files": (bench_files, 10_000_000),
    "parquet": (bench_parquet, 10_000_000),
    "scale": (bench_scale, 100_000_000),
    "bytes": (bench_bytes, 50_000),
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="name")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--folder", help="where files are made; on a disk with room")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        case, *rest = json.loads(args.case)
        print(json.dumps(CASES[case](*rest)))
    else:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            for name in args.names or ["files", "parquet"]:
                bench, n_rows = BENCHES[name]
                bench(args.rows or n_rows, folder)
