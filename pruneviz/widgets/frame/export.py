"""A view as one HTML file that needs neither kernel nor network."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from pruneviz.widgets.frame import assets

if TYPE_CHECKING:
    import os

    from anywidget import AnyWidget


def write_page(path: str | os.PathLike[str], view: AnyWidget, title: str, sentence: str, png: bytes) -> None:
    """Write the page.

    Parameters
    ----------
    path
        Where to.
    view
        The view; its present state is the page's first.
    title
        Its heading.
    sentence, png
        What those see whose browser runs no scripts.
    """
    state = {
        name: value
        for name, value in view.get_state().items()
        if not name.startswith("_") and name not in ("layout", "tabbable", "tooltip", "comm")
    }
    page = Template(assets.read("frame/page.html")).substitute(
        title=html.escape(title),
        sentence=html.escape(sentence),
        png=base64.b64encode(png).decode(),
        style=view._css,  # noqa: SLF001
        state=_in_script(state),
        module=_in_script(view._esm),  # noqa: SLF001
        offline=_in_script(assets.script("frame/offline.js")),
    )
    Path(path).write_text(page, encoding="utf-8")


def _in_script(value: object) -> str:
    """Write JSON that cannot end the script element it stands in; bytes as page.html reads them."""
    return json.dumps(value, default=_plain).replace("<", "\\u003c")


def _plain(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}
