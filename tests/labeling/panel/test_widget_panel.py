"""The panel of widgets, without a browser."""

import gc
import warnings
import weakref
from html import escape

import ipywidgets
import pandas as pd
import pytest
from IPython.display import HTML
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skbadge import BadgeQuerier
from skbadge.labeling import LabelingSession
from skbadge.labeling.panel import _widget_panel as module
from skbadge.labeling.panel._widget_panel import WidgetPanel
from skbadge.monitoring import Monitor

X, Y = load_iris(return_X_y=True)


@pytest.fixture
def make_session(tmp_path):
    """Open sessions on one ledger."""
    opened = weakref.WeakSet()

    def make(X=X, estimator=None, strategy="badge", **options):
        estimator = estimator or LogisticRegression()
        querier = BadgeQuerier(estimator, strategy=strategy, random_state=0)
        session = LabelingSession(querier, X, store=tmp_path / "a.sqlite", **options)
        opened.add(session)
        return session

    yield make
    module._LATEST.clear()
    for session in opened:
        session.close()


@pytest.fixture
def session(make_session):
    return make_session(classes=["x", "y", "z"])


def panel_of(session, render=None, annotator=None, pause=0.0):
    return WidgetPanel(session, render, annotator, pause)


def buttons(panel):
    return {button.description: button for button in panel._buttons()}


def click(panel, name):
    buttons(panel)[name].click()


def press(panel, key):
    """What a browser sends when a key is pressed in the box."""
    panel._keys.value += key


def shown(panel):
    return panel.turns.task.id


def note(panel):
    return panel._note.value.partition(">")[2].removesuffix("</div>")


def labels(session):
    return session.labels()["label"].to_dict()


def test_each_class_has_a_button_and_a_key(session):
    panel = panel_of(session)
    first = shown(panel)
    click(panel, "y")
    second = shown(panel)
    press(panel, "z")
    assert labels(session) == {first: "y", second: "z"}
    assert shown(panel) not in (first, second)
    assert "<b>2</b> of 150 labelled" in panel._progress.value
    assert {"x", "y", "z", "skip [-]", "unsure [?]", "undo [<]"} == {*buttons(panel)}


def test_a_key_may_be_typed_in_upper_case(session):
    panel = panel_of(session)
    first = shown(panel)
    press(panel, "Y")
    assert labels(session) == {first: "y"}


def test_rows_are_skipped_and_left_unsure(session):
    panel = panel_of(session)
    press(panel, "-")
    click(panel, "unsure [?]")
    progress = session.progress()
    assert (progress.n_skipped, progress.n_unsure, progress.n_labeled) == (1, 1, 0)
    assert "1 skipped" in panel._progress.value


def test_undo_shows_the_row_again(session):
    panel = panel_of(session)
    rows = []
    for _ in range(3):
        rows.append(shown(panel))
        press(panel, "x")
    later = shown(panel)
    click(panel, "undo [<]")
    assert shown(panel) == rows[2]
    press(panel, "<")
    assert shown(panel) == rows[1]
    press(panel, "y")
    press(panel, "z")
    assert labels(session) == dict(zip(rows, "xyz", strict=True))
    assert shown(panel) == later
    for _ in range(3):
        press(panel, "<")
    press(panel, "<")
    assert note(panel) == "There is nothing to undo."


def test_a_click_on_a_row_that_is_gone_does_nothing(session):
    panel = panel_of(session)
    first, button = shown(panel), buttons(panel)["x"]
    button.click()
    second = shown(panel)
    button.click()
    assert labels(session) == {first: "x"}
    assert shown(panel) == second
    # Nor after the row is shown again.
    click(panel, "undo [<]")
    button.click()
    assert labels(session) == {}
    assert shown(panel) == first


def test_of_keys_pressed_for_one_row_the_first_counts(session):
    panel = panel_of(session)
    first, box = shown(panel), panel._keys.value
    panel._keys.value = box + "xy"
    second = shown(panel)
    # Sent before the browser heard of the second row.
    panel._keys.value = box + "xyz"
    assert labels(session) == {first: "x"}
    assert shown(panel) == second
    assert panel._keys.value != box
    press(panel, "z")
    assert labels(session) == {first: "x", second: "z"}


@pytest.mark.parametrize("text", ["", "x", "1", "1>", "1>x", "2> x", "11> x", "1>  x"])
def test_a_box_with_anything_else_is_set_right(session, text):
    panel = panel_of(session)
    before = panel._keys.value
    assert before == "1> "
    panel._keys.value = text
    assert panel._keys.value == before
    assert labels(session) == {}


def test_a_key_without_a_meaning_is_told(session):
    panel = panel_of(session)
    press(panel, "7")
    assert note(panel) == "Nothing has the key 7."
    press(panel, "x")
    assert note(panel) == ""


def test_nothing_counts_just_after_a_row_has_appeared(session, monkeypatch):
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    panel = panel_of(session, pause=0.3)
    now += 0.31
    first = shown(panel)
    click(panel, "x")
    second = shown(panel)
    now += 0.29
    for name in ("x", "skip [-]", "undo [<]"):
        click(panel, name)
        assert shown(panel) == second
    press(panel, "x")
    assert labels(session) == {first: "x"}
    assert "too soon" in note(panel)
    now += 0.02
    click(panel, "y")
    assert labels(session) == {first: "x", second: "y"}
    assert note(panel) == ""


def test_an_answer_that_is_not_kept_is_told_and_the_row_stays(session, monkeypatch):
    panel = panel_of(session)
    first = shown(panel)

    def fail(*args, **options):
        raise OSError("disk full: <b>0</b> bytes left")

    with monkeypatch.context() as patch:
        patch.setattr(session, "label", fail)
        click(panel, "x")
        assert note(panel) == "OSError: disk full: &lt;b&gt;0&lt;/b&gt; bytes left"
        assert shown(panel) == first
        assert labels(session) == {}
    assert not any(button.disabled for button in panel._buttons())
    click(panel, "y")
    assert note(panel) == ""
    assert labels(session) == {first: "y"}


def test_a_query_that_fails_can_be_made_again(session, monkeypatch):
    panel = panel_of(session)
    first = shown(panel)
    work = session.next
    calls = []

    def fail_later(*args, **options):
        calls.append(args)
        if len(calls) > 1:
            raise RuntimeError("no rows today")
        return work(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(session, "next", fail_later)
        click(panel, "x")
        assert note(panel) == "RuntimeError: no rows today"
        assert {*buttons(panel)} == {"look again [=]", "undo [<]"}
    assert labels(session) == {first: "x"}
    press(panel, "=")
    assert note(panel) == ""
    click(panel, "y")
    assert len(labels(session)) == 2


def test_what_is_being_done_is_said(make_session):
    session = make_session(classes=[0, 1, 2], train_every=2)
    panel = panel_of(session)
    said = []
    panel._status.observe(lambda change: said.append(change["new"]), "value")
    disabled = []
    label = session.label

    def look_and_label(*args, **options):
        disabled.append(all(button.disabled for button in panel._buttons()))
        label(*args, **options)

    session.label = look_and_label
    for _ in range(2):
        click(panel, str(Y[shown(panel)]))
    quick = ["saving ...", "choosing the next row ...", ""]
    slow = ["saving ...", "training ...", "choosing the next row ...", ""]
    assert [text[3:-4] for text in said] == quick + slow
    assert disabled == [True, True]
    assert "trainings: 1, answers since: 0" in panel._progress.value


def test_a_failed_training_keeps_the_answer_and_is_told(make_session, monkeypatch):
    session = make_session(classes=[0, 1, 2], train_every=1)
    panel = panel_of(session)
    rows = [shown(panel)]
    click(panel, "0")
    rows.append(shown(panel))

    def fail(*args):
        raise RuntimeError("no memory")

    monkeypatch.setattr(session._rounds, "train_if_due", fail)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        click(panel, "1")
    assert "the training after them failed: no memory" in str(caught[0].message)
    assert labels(session) == dict(zip(rows, [0, 1], strict=True))


def test_a_row_answered_elsewhere_is_left_as_it_is(session):
    panel = panel_of(session)
    first = shown(panel)
    session.label(first, "z")
    click(panel, "x")
    assert labels(session) == {first: "z"}
    assert "answered elsewhere" in note(panel)
    assert shown(panel) != first
    click(panel, "y")
    assert len(labels(session)) == 2


def test_a_later_panel_replaces_one_of_the_same_person(session):
    ann, bob = panel_of(session, annotator="Ann"), panel_of(session, annotator="Bob")
    row, button = shown(ann), buttons(ann)["x"]
    assert shown(bob) != row
    later = panel_of(session, annotator="Ann")
    assert shown(later) == row
    button.click()
    ann._keys.value = "1> x"
    assert labels(session) == {}
    (line,) = ann.widget.children
    assert "later panel" in line.value
    click(later, "x")
    click(bob, "y")
    assert session.progress().by_annotator == {"Ann": 1, "Bob": 1}


def test_a_cell_that_is_run_again_goes_on_with_the_same_row(make_session):
    # As in a notebook: the name of the session is bound anew before its panel is.
    session = make_session(classes=["x", "y", "z"])
    old = panel_of(session)
    click(old, "x")
    row, gone = shown(old), weakref.ref(session)
    gc.disable()
    try:
        session = make_session()
        panel = panel_of(session)
        # Without the help of the garbage collector.
        assert gone() is None
    finally:
        gc.enable()
    assert shown(panel) == row
    click(panel, "y")
    assert session.progress().n_labeled == 2
    assert session.progress().n_open == 1


def test_a_class_that_is_not_known_is_typed(make_session):
    session = make_session()
    panel = panel_of(session)
    rows = []
    assert {*buttons(panel)} == {"skip [-]", "unsure [?]", "undo [<]", "label"}
    for text in (" setosa ", "virginica"):
        rows.append(shown(panel))
        panel._typed.value = text
        click(panel, "label")
        assert panel._typed.value == ""
    assert {"setosa [1]", "virginica [2]"} < {*buttons(panel)}
    rows.append(shown(panel))
    press(panel, "1")
    assert labels(session) == dict(
        zip(rows, ["setosa", "virginica", "setosa"], strict=True)
    )
    click(panel, "label")
    assert note(panel) == "ValueError: Type a label first."
    assert len(labels(session)) == 3


def test_typed_classes_are_ints_where_those_so_far_are(make_session):
    session = make_session()
    session.label(0, 0)
    panel = panel_of(session)
    panel._typed.value = "two"
    click(panel, "label")
    assert "must be a whole number" in note(panel)
    panel._typed.value = "2"
    row = shown(panel)
    click(panel, "label")
    assert labels(session) == {0: 0, row: 2}


def test_targets_of_a_regressor_are_typed(make_session):
    session = make_session(estimator=LinearRegression())
    panel = panel_of(session)
    for text in ("high", "nan", "inf"):
        panel._typed.value = text
        click(panel, "label")
        assert "must be a number" in note(panel)
    row = shown(panel)
    panel._typed.value = "2.5"
    click(panel, "label")
    assert labels(session) == {row: 2.5}
    assert {*buttons(panel)} == {"skip [-]", "unsure [?]", "undo [<]", "label"}


def test_the_model_is_judged_by_rows_it_has_not_learned(make_session):
    session = make_session(classes=[0, 1, 2], train_every=3)
    panel = panel_of(session)
    hits = []
    for _ in range(12):
        row = shown(panel)
        if session.progress().n_trainings:
            hits.append(session.querier.predict(X[[row]])[0] == Y[row])
        click(panel, str(Y[row]))
    assert len(hits) >= 6
    text = f"right about {sum(hits)} of the last {len(hits)} answers"
    assert text in panel._picture.value
    assert "<svg" in panel._picture.value
    click(panel, "undo [<]")
    assert f"the last {len(hits) - 1} answers" in panel._picture.value


def test_the_model_is_judged_by_what_it_said_before_an_answer_was_undone(make_session):
    # This model is right about all that it has learned.
    estimator = KNeighborsClassifier(1)
    session = make_session(X, estimator, "random", classes=[0, 1])
    panel = panel_of(session)
    for label in "011":
        click(panel, label)
    session.train()
    # From the next row on there is a model.
    click(panel, "0")
    guess = session._guess(shown(panel))
    other = str(1 - guess)
    click(panel, other)
    before = session._accuracy.curve()
    session.train()
    click(panel, "undo [<]")
    assert str(session._guess(shown(panel))) == other
    click(panel, other)
    assert session._accuracy.curve() == before


def test_all_rows_are_asked_for_once(make_session):
    session = make_session(X[:5], classes=["x"])
    panel = panel_of(session)
    for _ in range(5):
        press(panel, "x")
    assert len(labels(session)) == 5
    assert "no row" in panel._html.value
    press(panel, "=")
    press(panel, "<")
    press(panel, "x")
    assert len(labels(session)) == 5


def test_a_row_is_shown_by_its_kind(make_session):
    frame = pd.DataFrame(X, columns=[*"abcd"])
    frame["<i>"] = "<b>"
    panel = panel_of(make_session(frame, classes=["x"]))
    html = panel._row.children[0].value
    assert "&lt;i&gt;</th>" in html
    assert "&lt;b&gt;</td>" in html


@pytest.mark.parametrize("render", ["image", (8, 8), lambda row: row.reshape(8, 8)])
def test_flat_numbers_are_a_picture_if_told_so(make_session, render):
    digits = load_digits().data[:50]
    panel = panel_of(make_session(digits, classes=[*range(10)]), render)
    assert "data:image/png;base64" in panel._row.children[0].value


def test_a_function_may_return_what_a_notebook_displays(session):
    panel = panel_of(session, lambda row: HTML(f"<b>{row[0]}</b>"))
    (output,) = panel._row.children[0].outputs
    assert output["data"]["text/html"] == f"<b>{X[shown(panel)][0]}</b>"
    panel = panel_of(session, lambda row: ipywidgets.FloatText(row[0]))
    assert panel._row.children[0].value == X[shown(panel)][0]
    panel = panel_of(session, lambda row: "<b>")
    assert "&lt;b&gt;" in panel._row.children[0].value


def test_a_row_that_cannot_be_shown_can_be_skipped(session):
    panel = panel_of(session, lambda row: {}["<b>"])
    assert "failed. KeyError: &#x27;&lt;b&gt;" in panel._row.children[0].value
    press(panel, "-")
    assert session.progress().n_skipped == 1


def test_buttons_of_rows_before_are_closed(session):
    panel = panel_of(session)
    before = panel._buttons()
    press(panel, "x")
    assert all(button.comm is None for button in before)
    assert all(button.comm is not None for button in panel._buttons())


def test_a_front_end_without_widgets_is_told_what_to_do(session):
    panel = panel_of(session)
    bundle = panel._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "front='input'" in bundle["text/plain"]


def test_the_panel_shows_what_a_monitor_says_of_the_last_round(make_session):
    monitor = Monitor()
    session = make_session(classes=["<b>", "y"], train_every=3, monitor=monitor)
    panel = panel_of(session)
    for number in (0, 1, 0):
        assert "labelled" not in panel._picture.value
        panel._classes.children[number].click()
    (one,) = monitor.rounds
    assert f"<div>{escape(str(one))}</div>" in panel._picture.value
    assert "<b>" not in panel._picture.value
