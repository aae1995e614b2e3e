"""The panel in a terminal, and which panel is shown where."""

import builtins
import sys
from types import SimpleNamespace

import pytest
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession
from skbadge.labeling.panel import _panel as module
from skbadge.monitoring import Monitor

X, Y = load_iris(return_X_y=True)


@pytest.fixture
def make_session(tmp_path):
    opened = []

    def make(X=X, estimator=None, **options):
        querier = BadgeQuerier(estimator or LogisticRegression(), random_state=0)
        opened.append(
            LabelingSession(querier, X, store=tmp_path / "a.sqlite", **options)
        )
        return opened[-1]

    yield make
    for session in opened:
        session.close()


@pytest.fixture
def answer(monkeypatch):
    """Give answers one after another, the last of which may be an error."""

    def give(*texts):
        left = list(texts)

        def read(prompt=""):
            print(prompt)
            text = left.pop(0)
            if isinstance(text, str):
                return text
            raise text

        monkeypatch.setattr(builtins, "input", read)
        return left

    return give


def rows_by_kind(session, kind):
    history = session.history()
    return history[history["kind"] == kind]


def test_rows_are_labeled_in_a_terminal(make_session, answer, capsys):
    session = make_session(classes=["x", "y", "z"])
    left = answer("x", "-", "?", " y ", "!")
    assert session.panel() is None
    assert not left
    assert [*session.labels()["label"]] == ["x", "y"]
    progress = session.progress()
    assert (progress.n_skipped, progress.n_unsure) == (1, 1)
    printed = capsys.readouterr().out
    assert "x | y | z | skip [-] | unsure [?] | undo [<] | stop [!]" in printed
    assert "2 of 150 labelled" in printed
    assert printed.endswith("Stopped. 2 rows are labelled.\n")


@pytest.mark.parametrize("end", ["!", EOFError(), KeyboardInterrupt()])
def test_stopping_leaves_the_row_for_the_next_time(make_session, answer, end):
    session = make_session(classes=["x", "y"])
    answer("x", end)
    session.panel(front="input")
    (row,) = (task.id for task in session.next(1))
    answer("y", end)
    session.panel(front="input")
    assert session.labels()["label"].to_dict()[row] == "y"


def test_undo_asks_for_the_row_again(make_session, answer):
    session = make_session(classes=["x", "y"])
    answer("x", "<", "y", "!")
    session.panel()
    assert [*session.labels()["label"]] == ["y"]


def test_classes_may_be_typed_in_full(make_session, answer, capsys):
    session = make_session(classes=[*range(12)])
    answer("11", "B", "13", "", "!")
    session.panel()
    assert [*session.labels()["label"]] == [11, 11]
    said = capsys.readouterr().out
    assert "There is no '13' here. Type one of these:\n0 | 1 | 2" in said


def test_classes_that_are_not_known_may_be_typed(make_session, answer):
    session = make_session()
    answer("cat", "dog", "1", "!")
    session.panel()
    assert [*session.labels()["label"]] == ["cat", "dog", "cat"]


def test_targets_may_be_typed(make_session, answer, capsys):
    session = make_session(estimator=LinearRegression())
    answer("much", "1.5", "2", "!")
    session.panel()
    assert [*session.labels()["label"]] == [1.5, 2.0]
    assert "The label must be a number. Got 'much'." in capsys.readouterr().out


def test_an_error_is_told_and_the_row_stays(make_session, answer, monkeypatch, capsys):
    session = make_session(classes=["x"])
    label = session.label

    def fail_once(*args, **options):
        session.label = label
        raise OSError("disk full")

    session.label = fail_once
    (row,) = (task.id for task in session.next(1))
    answer("x", "x", "!")
    session.panel()
    assert [*session.labels().index] == [row]
    printed = capsys.readouterr().out
    assert "OSError: disk full" in printed
    assert printed.count("0 of 150 labelled") == 1


def test_it_ends_when_all_rows_are_answered(make_session, answer, capsys):
    session = make_session(X[:2], classes=["x"])
    answer("x", "x", "=", "!")
    session.panel()
    assert "no row" in capsys.readouterr().out


def test_pictures_are_drawn_in_letters(make_session, answer, capsys):
    session = make_session(load_digits().data[:20], classes=[0])
    answer("!")
    session.panel(render="image")
    assert "@@" in capsys.readouterr().out
    answer("!")
    session.panel(render=lambda row: f"a row of {len(row)}")
    assert "a row of 64" in capsys.readouterr().out


def test_training_is_told(make_session, answer, capsys):
    session = make_session(classes=["x", "y"], train_every=2)
    answer("x", "y", "x", "!")
    session.panel(annotator="Ann")
    assert session.progress().n_trainings == 1
    assert session.progress().by_annotator == {"Ann": 3}
    printed = capsys.readouterr().out
    assert printed.count("training ...") == 1
    assert "right about" in printed


def test_a_kernel_shows_widgets(make_session, monkeypatch):
    pytest.importorskip("ipywidgets")
    session = make_session(classes=["x"])
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    for shell in (SimpleNamespace(kernel=object()), SimpleNamespace(kernel=None)):
        ipython = SimpleNamespace(get_ipython=lambda shell=shell: shell)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        assert module._is_in_notebook() is (shell.kernel is not None)
    monkeypatch.undo()
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setattr(module, "_is_in_notebook", lambda: True)
    assert session.panel() is None
    (panel,) = shown
    panel._counts_from = 0
    panel._classes.children[0].click()
    assert session.progress().n_labeled == 1


def test_a_kernel_without_ipywidgets_asks(make_session, answer, monkeypatch, capsys):
    session = make_session(classes=["x"])
    monkeypatch.setattr(module, "_is_in_notebook", lambda: True)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    answer("x", "!")
    session.panel()
    assert session.progress().n_labeled == 1
    assert 'pip install "skbadge[widgets]"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"front": "browser"}, r"`front` must be 'auto', .* Got 'browser'"),
        ({"pause": -1}, r"`pause` must be >= 0.* Got -1"),
        ({"pause": float("nan")}, r"`pause` must be >= 0.* Got nan"),
        ({"render": "picture"}, r"`render` must be None, .* Got 'picture'"),
        ({"annotator": ""}, r"`annotator` must be"),
    ],
)
def test_what_is_not_allowed_is_refused(make_session, answer, options, match):
    session = make_session(classes=["x"])
    answer()
    with pytest.raises(ValueError, match=match):
        session.panel(**options)
    assert session.progress().n_asked == 0


def test_a_terminal_shows_what_a_monitor_says_once_a_round(
    make_session, answer, capsys
):
    monitor = Monitor(X, random_state=0)
    session = make_session(
        classes=["x", "y"], train_every=3, batch_size=3, monitor=monitor
    )
    answer(*("x", "y", "x", "x", "y", "x", "!"))
    session.panel(front="input")
    lines = capsys.readouterr().out.splitlines()
    assert len(monitor.rounds) == 2
    assert [line for line in lines if line.startswith("round ")] == [
        str(one) for one in monitor.rounds
    ]
