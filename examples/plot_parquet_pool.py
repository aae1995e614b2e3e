"""
==================================
A pool in Parquet files, in pieces
==================================

The rows that wait for a label lie in files, more of them than memory should hold. The
querier reads them in chunks. Are its picks those that it would make with all rows in
memory, how often are the files read, and what is kept meanwhile?

Run it with ``python examples/plot_parquet_pool.py``; it takes about twenty seconds.
It needs pyarrow: ``pip install skbadge[arrow]``.
"""

# %%
# The files
# ---------
#
# Readings of 16 sensors, 10 files of 20 000 rows each, in a temporary folder. An id
# says which reading it is; the model does not see it. These files would fit: so the
# picks can be compared, and the example ends soon.

import tempfile
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from skbadge.pools import from_parquet

N_FILES, N_ROWS, BATCH_ROWS, N_INITIAL, N_QUERY = 10, 20_000, 5000, 300, 100
COLUMNS = [f"sensor_{number}" for number in range(16)]

temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name, "pool")
folder.mkdir()
rng = np.random.default_rng(0)
for number in range(N_FILES):
    values = rng.normal(size=(N_ROWS, len(COLUMNS))).astype(np.float32)
    frame = pd.DataFrame(values, columns=COLUMNS)
    frame["reading"] = [f"{number}-{row:05d}" for row in range(N_ROWS)]
    frame.to_parquet(folder / f"part-{number}.parquet", index=False)


def ask_a_human(rows):
    """Three states of the machine, by the first four sensors."""
    return (np.sum(rows[:, :4] ** 2, axis=1) > 4).astype(int) + (rows[:, 0] > 0)


# %%
# The first query
# ---------------
#
# Nothing but the footers of the files is read when the pool is made. ``take`` reads the
# rows that it is asked for. Positions count through all files, in order, so that an
# array of booleans says which rows may still be selected.

pool = from_parquet(folder, id_column="reading", batch_rows=BATCH_ROWS)
print(pool)
n_rows = N_FILES * N_ROWS
start = np.sort(rng.choice(n_rows, N_INITIAL, replace=False))
left = np.ones(n_rows, dtype=bool)
left[start] = False

net = TabularNetClassifier(hidden_sizes=(64,), max_epochs=30)
querier = BadgeQuerier(net, strategy="margin", random_state=0)
first = pool.take(start)
querier.fit(first, ask_a_human(first))
rows, report = querier.query(pool, N_QUERY, candidates=left, return_report=True)
print(report)
print("to be labelled first:", *report.ids[:5])

# %%
# The next round: only the rows that were picked are read.

picked = pool.take(rows)
querier.partial_fit(picked, ask_a_human(picked))
left[rows] = False

# %%
# In pieces and in memory
# -----------------------
#
# The same query by several strategies, from the files and with all rows in one array,
# by the same model and from the same seed. ``passes`` is how often the files are read.
#
# Some strategies need what the model says about all rows at once. As a rule that is
# kept in memory where there is plenty, else in files. Here ``storage`` names a folder
# for all of it, and ``stored`` is what went there, in megabytes. It is empty again when
# a query ends.

STRATEGIES = ["random", "margin", "direct", "badge", "core_set", "lcmd"]
whole = pd.read_parquet(folder)[COLUMNS].to_numpy()
storage = Path(temporary.name, "storage")
storage.mkdir()
records = []
for strategy in STRATEGIES:
    querier.set_params(strategy=strategy, storage=storage)
    picks, record = {}, dict[str, object](strategy=strategy)
    for name, rows_of in {"files": pool, "memory": whole}.items():
        begin = perf_counter()
        picks[name], report = querier.query(
            rows_of, N_QUERY, candidates=left, return_report=True
        )
        record[f"seconds, {name}"] = perf_counter() - begin
        if name == "files":
            record["passes"] = report.n_passes
            record["stored"] = report.nbytes_spilled / 1e6
    record["same picks"] = np.count_nonzero(picks["files"] == picks["memory"])
    records.append(record)
found = pd.DataFrame(records).set_index("strategy")
print(f"all rows in memory: {whole.nbytes / 1e6:.1f} MB")
print(f"a chunk: {whole[:BATCH_ROWS].nbytes / 1e6:.2f} MB\n")
print(found[["passes", "stored", "same picks"]].round(1).to_string())
print(f"\nleft in the storage: {len(list(storage.iterdir()))} files\n")
print(found[["seconds, files", "seconds, memory"]].round(2).to_string())

# %%
# Chunks of another size make no difference to what is picked.

small = from_parquet(folder, id_column="reading", batch_rows=700)
rows = querier.set_params(strategy="badge").query(small, N_QUERY, candidates=left)
again = querier.query(pool, N_QUERY, candidates=left)
print("same picks from smaller chunks:", np.array_equal(rows, again))

# %%
# A part of it
# ------------
#
# Where a strategy stores too much, let it select from a random part of the pool, which
# is read into memory. The report says so.

querier.set_params(strategy="lcmd", storage="auto")
print(
    querier.query(
        pool, N_QUERY, candidates=left, subsample=n_rows // 10, return_report=True
    )[1]
)

# %%
# What to take from it
# --------------------
#
# * A pool in files takes other code in one place: where it is made.
# * The picks are those of the same rows in memory, whichever of these strategies.
#   Without a folder, a pool of which `badge` would keep more than 512 MB is drawn from
#   as a stream: by the same law, but with other draws.
# * `margin` and scores like it hold the best rows so far and nothing else. `direct`
#   needs a few probabilities of each row, which stay in memory. `lcmd` stores far more
#   than the rows themselves take: sketches of the gradients of the net. For a great
#   pool take `margin` or `badge`, or a part.
# * If all rows fit into memory, leave them there. A query reads the files and turns
#   columns into arrays each time, and that is most of the time of a cheap strategy.

# %%

figure, (left_ax, right_ax) = plt.subplots(
    1, 2, figsize=(9, 3.8), sharey=True, layout="constrained"
)
places = np.arange(len(found))[::-1]
left_ax.barh(places, found["stored"], color="#56B4E9")
left_ax.axvline(whole.nbytes / 1e6, color="black", ls="--", label="the rows themselves")
left_ax.set(xlabel="Stored during a query (MB)")
left_ax.set_yticks(places, found.index)
left_ax.legend(frameon=False)
right_ax.plot(found["seconds, files"], places, "o", color="#D55E00", label="files")
right_ax.plot(found["seconds, memory"], places, "s", color="#0072B2", label="memory")
right_ax.grid(alpha=0.3)
right_ax.set(xlabel="Seconds of a query", xscale="log")
right_ax.legend(frameon=False)
figure.suptitle(f"{N_QUERY} of {n_rows} rows")
picture = Path("parquet_pool.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nCost of a query: {picture}")
temporary.cleanup()
