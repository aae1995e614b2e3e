"""The table of what was planned, and what is done: parts, runs, trainings and hours.

`pages.py` puts it into docs/evidence.md.
"""

from study_results import HERE, markdown, path_of, read

from skbadge.experiment import Benchmark

# Core-hours that each part is planned to take, 60 at most in all.
PLANNED = {
    "badge_batches": 0.5,
    "badge_cnn": 3,
    "badge_large_batches": 3,
    "badge_mnist": 1.5,
    "badge_noisy_tables": 3,
    "badge_raw_columns": 0.5,
    "badge_resnet": 2,
    "badge_samplers": 0.5,
    "badge_slow_optimiser": 1.5,
    "badge_tables": 3,
    "bmdal_batch_sizes": 2,
    "bmdal_large": 6.5,
    "bmdal_more": 1,
    "bmdal_small": 4.5,
    "few_forest": 2,
    "few_logistic": 1.5,
    "few_logistic_more": 1,
    "few_mlp": 3,
    "few_refine": 0.5,
    "few_uniform": 1.5,
    "hundreds_forest": 3,
    "hundreds_logistic": 3,
    "hundreds_mlp": 5,
    "rare": 5,
    "rare_classes": 2,
}
SOURCE = "../examples/studies"
# How many times as long nets of tables trained before their steps were fused: with one
# hidden layer of 1,024 units, or two of 512, and of 256 where the parts are named.
BEFORE, BEFORE_NARROW = 1.1, 1.25
NARROW = ["badge_large_batches", "badge_mnist", "few_mlp", "hundreds_mlp"]
NARROW += ["rare", "rare_classes"]


def work():
    """Markdown: runs, trainings and hours of each part, done and planned."""
    lines = {}
    for path in sorted(HERE.glob("*.toml")):
        n_runs = len(Benchmark.from_toml(path).configs())
        name = f"[{path.stem}]({SOURCE}/{path.name})"
        lines[name] = [n_runs, PLANNED[path.stem], *work_done(path.stem)]
    lines["all"] = [sum(column) for column in zip(*lines.values(), strict=True)]
    rows = [
        [name, f"{n_runs:,}", f"{planned:g}", f"{done:,}", f"{n:,}", f"{hours:.1f}"]
        for name, (n_runs, planned, done, n, hours, _) in lines.items()
    ]
    head = [
        "part",
        "runs",
        "core-hours planned",
        "runs done",
        "trainings",
        "core-hours",
    ]
    more = lines["all"][-1]
    before = (
        f"With the training of before it would have been {more:.1f} core-hours more."
    )
    return "\n".join([*markdown(head, rows), "", before])


def work_done(part):
    """Runs, trainings and core-hours in the results of a part.

    The last number is how many core-hours more it would have been before.
    """
    if not path_of(part).exists():
        return 0, 0, 0.0, 0.0
    frame = read(part)
    trainings = frame.drop_duplicates(["run", "n_labeled"])
    seconds = trainings[["fit_time", "query_time", "score_time"]].sum().sum()
    of_nets = trainings.loc[trainings["model"].isin(["mlp", "relu"]), "fit_time"].sum()
    more = ((BEFORE_NARROW if part in NARROW else BEFORE) - 1) * of_nets
    return frame["run"].nunique(), len(trainings), seconds / 3600, more / 3600
