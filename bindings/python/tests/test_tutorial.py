"""The tutorial's blocks run in order, print what stands below them, and draw its pictures."""

import contextlib
import io
import pathlib
import re

import pytest

PAGE = pathlib.Path(__file__).parents[1] / "tutorial" / "README.md"


def test_blocks_print_what_stands_below_them(tmp_path, monkeypatch):
    pytest.importorskip("torch")
    pytest.importorskip("scipy")
    plot = pytest.importorskip("matplotlib.pyplot")
    plot.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text()
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```\n(.*?)```)?", text, re.DOTALL)
    assert len(blocks) >= 7
    names: dict = {}
    for code, expected in blocks:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, str(PAGE), "exec"), names)
        assert printed.getvalue() == expected
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", text):
        assert (tmp_path / picture).stat().st_size > 1_000
        assert (PAGE.parent / picture).exists()
