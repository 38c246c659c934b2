"""The README's Python code runs as it is printed, block after block, in a folder of its own."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = list(re.finditer(r"^```python\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL))
    assert blocks
    namespace = {"__name__": "readme"}
    for block in blocks:
        line = README.read_text()[: block.start(1)].count("\n")
        code = compile("\n" * line + block[1], str(README), "exec")  # errors name the README's own lines
        exec(code, namespace)
