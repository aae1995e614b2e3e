"""Running examples in reduced size: their constants are replaced, nothing else is."""

import nbformat
from nbclient import NotebookClient

from tests.examples._constants import with_constants

# Filters go first, so that a warning of any cell becomes its error.
STRICT = "import warnings\n\nwarnings.simplefilter('error')"


def read_notebook(path):
    return nbformat.read(path, as_version=4)


def parameters_of(notebook):
    """The one cell whose constants say how long a notebook runs."""
    (cell,) = [
        cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())
    ]
    return cell


def run_notebook(path, folder, values):
    """Execute a notebook in a kernel of its own, and return it with its outputs."""
    notebook = read_notebook(path)
    cell = parameters_of(notebook)
    cell.source = with_constants(cell.source, values)
    notebook.cells.insert(0, nbformat.v4.new_code_cell(STRICT))
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def outputs_of(notebook, kind):
    return [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == kind
    ]


def printed_by(notebook):
    streams = outputs_of(notebook, "stream")
    return "".join(out.text for out in streams if out.name == "stdout")


def pictures_of(notebook):
    shown = outputs_of(notebook, "display_data")
    return [out.data["image/png"] for out in shown if "image/png" in out.data]
