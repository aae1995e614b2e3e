"""Tables in HTML are well-formed, whatever their cells say."""

from xml.etree import ElementTree

from skbadge.utils._html_tables import facts_table, table


def read(html):
    lines = ElementTree.fromstring(html).iter("tr")
    return [[(cell.tag, cell.text) for cell in line] for line in lines]


def test_facts_stand_one_below_the_other():
    assert read(facts_table([("a & b", "<i>"), ("n", 3)])) == [
        [("th", "a & b"), ("td", "<i>")],
        [("th", "n"), ("td", "3")],
    ]


def test_lines_stand_below_the_names_of_their_columns():
    html = table(["x", "y"], [[1, "<"], ['"', 4]], align="right")
    assert read(html) == [
        [("th", "x"), ("th", "y")],
        [("td", "1"), ("td", "<")],
        [("td", '"'), ("td", "4")],
    ]
    assert html.count("text-align:right") == 6
