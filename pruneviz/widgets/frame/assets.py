"""The browser's side: ordinary ES modules, joined into the one text that anywidget hands over."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from importlib import resources

_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "([^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:const|class|(?:async )?function\*?) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (?!class|function|async)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b(?!\().*", re.MULTILINE)


@cache
def script(last: str) -> str:
    """Join a module and all that it imports into one.

    Relative imports do not resolve in a module that is loaded from a Blob URL. So each file becomes a
    function that returns what it exports, and its imports become destructuring; names need not differ
    between files.

    Parameters
    ----------
    last
        A file below ``widgets/`` with ``export default { render }``, such as ``tiny/view.js``.

    Returns
    -------
    str
        What `_esm` is set to.

    Raises
    ------
    ValueError
        If modules import each other in a circle, or in words that cannot be joined.
    """
    joined: dict[str, str] = {}
    _join(last, (), joined)
    return "\n".join(
        ["const modules = {};", *joined.values(), f'export default modules["{last}"].default;\n']
    )


@cache
def read(name: str) -> str:
    """Read a file below ``widgets/``."""
    return resources.files("pruneviz.widgets").joinpath(name).read_text(encoding="utf-8")


def _join(name: str, importers: tuple[str, ...], joined: dict[str, str]) -> None:
    """Add a module to what is joined, after all that it imports."""
    if name in importers:
        raise ValueError(f"a circle of imports: {' imports '.join((*importers, name))}")
    if name in joined:
        return
    text = read(name)
    for found in _IMPORT.finditer(text):
        _join(_resolved(found[2], name), (*importers, name), joined)
    joined[name] = _wrapped(name, text)


def _wrapped(name: str, text: str) -> str:
    exports = [found[2] for found in _EXPORT.finditer(text)]
    if _DEFAULT.search(text):
        exports.append("default: whole")
    text = _IMPORT.sub(lambda found: f"const {_taken(found[1])} = modules[{_quoted(found[2], name)}];", text)
    text = _DEFAULT.sub("const whole = ", _EXPORT.sub(r"\1", text))
    if other := _OTHER.search(text):
        raise ValueError(f"{name} cannot be joined for its line: {other[0]}")
    # The line above a function names its file, for whoever follows a trace into the joined text.
    return f'// {name}\nmodules["{name}"] = (() => {{\n{text}\nreturn {{ {", ".join(exports)} }};\n}})();'


def _taken(names: str) -> str:
    """Write what an import takes as destructuring does."""
    return re.sub(r"\bas\b", "", names).strip("* ") if names[0] == "*" else re.sub(r" as ", ": ", names)


def _quoted(path: str, importer: str) -> str:
    return f'"{_resolved(path, importer)}"'


def _resolved(path: str, importer: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), path))
