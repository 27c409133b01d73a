"""Whoever runs a cell a second time, with a guess this time, gets the same: no cell changes what it reads."""

import ast
import dis
from types import CodeType

import build
import nbformat
import pytest

LESSONS = build.find_lessons()


def globals_of(code):
    """Name what a function reads from outside, and functions within it."""
    own = {one.argval for one in dis.get_instructions(code) if one.opname == "LOAD_GLOBAL"}
    return own.union(*(globals_of(inner) for inner in code.co_consts if isinstance(inner, CodeType)))


def rebound(source, reads):
    """Name what a cell reads, itself or through a function, and binds anew afterwards, imports apart.

    `reads` tells what functions read, and learns of those that the cell defines.
    """
    read, bound, again, made, before = set(), set(), set(), set(), ""
    for one in dis.get_instructions(compile(source, "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)):
        names = globals_of(one.argval) if isinstance(one.argval, CodeType) else {one.argval}
        names = names.union(*(reads.get(name, ()) for name in names))
        if one.opname == "LOAD_NAME" or getattr(one.argval, "co_name", "").startswith("<"):  # it runs here
            read |= names - bound
        elif isinstance(one.argval, CodeType):
            made = names
        elif one.opname == "STORE_NAME":
            again |= {one.argval} & read if not before.startswith("IMPORT") else set()
            bound.add(one.argval)
            if made:
                reads[one.argval], made = made, set()
        before = one.opname
    return again


def test_what_is_rebound_is_found():
    reads = {}
    assert rebound("x = x / 255", reads) == {"x"}
    assert rebound("y = 2 * x\nx = 3", reads) == {"x"}
    assert rebound("x = 1\nx = x + 1\ny = [z for z in range(x)]", reads) == set()
    assert rebound("def f():\n    return usual\nf()", reads) == set()
    assert rebound("def g():\n    return f()\nprint(1)", reads) == set()
    assert rebound("rows = [g() for _ in range(2)]\nusual, rest = rows", reads) == {"usual"}


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.title for lesson in LESSONS])
def test_a_cell_can_be_run_again(lesson):
    reads = {}
    cells = [cell for cell in nbformat.read(lesson.path, as_version=4).cells if cell.cell_type == "code"]
    assert [(cell.source, found) for cell in cells if (found := rebound(cell.source, reads))] == []
