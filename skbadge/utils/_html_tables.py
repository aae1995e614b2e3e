"""Tables in HTML, as notebooks show them."""

from html import escape


def facts_table(facts):
    """Pairs of a name and what is said of it, one below the other."""
    return _table(cells("th", [name]) + cells("td", [value]) for name, value in facts)


def table(head, lines, align="left"):
    """Lines below the names of their columns."""
    head = f"<thead><tr>{cells('th', head, align)}</tr></thead>"
    return _table((cells("td", line, align) for line in lines), head)


def cells(tag, values, align="left"):
    """Cells of one line."""
    return "".join(
        f'<{tag} style="text-align:{align}">{escape(str(value))}</{tag}>'
        for value in values
    )


def _table(lines, head=""):
    lines = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table>{head}{lines}</table>"
