"""The notebook runs from its first cell to its last, and is kept without outputs."""

from pathlib import Path

import nbformat
from conftest import said
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "gumbel_softmax.ipynb"


def test_notebook_runs(tmp_path, monkeypatch):
    for variable in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(cwd=str(tmp_path))
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    outputs = [output for cell in cells for output in cell.outputs]
    assert said("".join(output["text"] for output in outputs if output.get("name") == "stderr")) == ""
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 2
    assert "equal raw words: 50000 of 50000" in "".join(output.get("text", "") for output in outputs)


def test_notebook_is_kept_without_outputs():
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None
