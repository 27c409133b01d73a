"""The browser's side: several small .js modules, joined into the one text that anywidget hands over."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_IMPORT = re.compile(r"^import\s[^;]*?from\s+\"\.\.?/[\w./]+\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
_FOUNDATION = ("frame/pure.js", "frame/draw.js", "frame/controls.js", "frame/view.js")


@cache
def script(*modules: str) -> str:
    """Join the foundation and a view's own modules into one ES module.

    Relative imports do not resolve in a module that is loaded from a Blob URL, so they are taken out, and
    all modules share one scope: their top-level names must differ.

    Parameters
    ----------
    *modules
        Files below ``widgets/``, such as ``explorer/parts.js``; the last one has the
        ``export default { render }``.

    Returns
    -------
    str
        What `_esm` is set to.
    """
    texts = [read(module) for module in (*_FOUNDATION, *modules)]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


@cache
def read(name: str) -> str:
    """Read a file below ``widgets/``."""
    return resources.files("pruneviz.widgets").joinpath(name).read_text(encoding="utf-8")
