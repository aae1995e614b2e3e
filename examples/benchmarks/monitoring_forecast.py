"""How often the interval of `forecast_labels` holds, on learning curves of real models.

The curves are those of monitoring_stopping.py, with estimated errors and true ones, and
more of them from two other tables. How the lower end of the interval is found was
settled with the first in view; the others ("audit, other tables") were run afterwards.
After 4, 6 and 10 rounds, the labels are forecast at which the true error is first at
or below that of twice as many rounds. The runs and forecasts, which take ten minutes::

    python examples/benchmarks/monitoring_forecast.py run

The table of docs/monitoring.md, from the results that are kept beside this file::

    python examples/benchmarks/monitoring_forecast.py tables

The results have a line for each forecast:

kind, table, model, strategy, repeat, round
    The run, and the number of rounds that were known. Of kind "audit" the errors are
    those of the same rows each time, of kind "batch" those of each batch.
target
    The error that is asked for.
before, reached
    It was first reached by the true error after so many labels, and not by the model of
    the round before, which had ``before``.
n_labels, low, high, share_reached
    The forecast, with a confidence of 0.9.
"""

import argparse
import warnings
from pathlib import Path

import monitoring_stopping as study
import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from skbadge.monitoring import forecast_labels

CURVES = Path(__file__).with_name("monitoring_stopping_results.csv.gz")
RESULTS = Path(__file__).with_name("monitoring_forecast_results.csv.gz")
RUN = ["kind", "table", "model", "strategy", "repeat"]
ROUNDS = (4, 6, 10)
OTHERS = {"bank": 1461, "mnist": 554}
N_REPEATS = 15


def other_curves():
    """Curves of tables that monitoring_stopping.py does not have."""
    study.TABLES.update(OTHERS)
    study.N_POOL.update(dict.fromkeys(OTHERS, 4000))
    for table, model, strategy in (
        ("bank", "logistic", "margin"),
        ("bank", "forest", "badge"),
        ("mnist", "forest", "margin"),
        ("mnist", "forest", "badge"),
    ):
        # 20 rounds of 50 labels, and 400 for the audit.
        one = study.Setting("audit", table, model, strategy, 0.1, 1400, 400, 50)
        for repeat in range(N_REPEATS):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                yield study.one_run(one, repeat)


def forecasts(curves):
    """A line for each forecast from a frame of curves."""
    for names, curve in curves.groupby(RUN):
        curve = curve.sort_values("round")
        n_labeled, errors = curve["n_labeled"].to_numpy(), curve["error"].to_numpy()
        for known in ROUNDS:
            if len(curve) < 2 * known:
                continue
            target = errors[2 * known - 1]
            first = int(np.argmax(errors <= target))
            if first < known:
                # It was reached already.
                continue
            seen = curve[:known]
            found = forecast_labels(
                seen["n_labeled"],
                seen["estimate"],
                target,
                standard_errors=seen["standard_error"],
                same_rows=names[0] == "audit",
                random_state=0,
            )
            yield {
                **dict(zip(RUN, names, strict=True)),
                "round": known,
                "target": target,
                "before": n_labeled[first - 1],
                "reached": n_labeled[first],
                "n_labels": found.n_labels,
                "low": found.low,
                "high": found.high,
                "share_reached": found.share_reached,
            }


def tables(frame):
    """Markdown: for each kind and number of rounds, how the forecasts did."""
    text = [
        "| errors from | rounds known | forecasts | interval holds | ends at a number "
        "| then: width, in times the labels | forecast / truth, quartiles |",
        "|---" * 7 + "|",
    ]
    for (kind, known), part in frame.groupby(["kind", "round"]):
        held = (part["low"] <= part["reached"]) & (part["high"] > part["before"])
        ends = part[np.isfinite(part["high"])]
        width = (ends["high"] / ends["low"]).median() if len(ends) else np.nan
        # Of forecasts of "never" the ratio is infinite, and ranked as such.
        ratio = part["n_labels"] / part["reached"]
        quartiles = np.quantile(ratio, [0.25, 0.5, 0.75], method="inverted_cdf")
        shown = ", ".join(
            f"{each:.2f}" if each < 100 else "over 100" for each in quartiles
        )
        text.append(
            f"| {kind} | {known} | {len(part)} | {100 * held.mean():.0f} % "
            f"| {100 * len(ends) / len(part):.0f} % | {width:.1f} | {shown} |"
        )
    return "\n".join(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["run", "tables"])
    parser.add_argument("curves", nargs="?", default=CURVES)
    arguments = parser.parse_args()
    if arguments.what == "run":
        lines = pd.DataFrame(forecasts(pd.read_csv(arguments.curves)))
        others = pd.DataFrame(forecasts(pd.concat(other_curves())))
        others["kind"] = "audit, other tables"
        pd.concat([lines, others]).round(6).to_csv(RESULTS, index=False)
    print(tables(pd.read_csv(RESULTS)))
