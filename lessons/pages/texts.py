"""Prose, code and formulas as HTML that asks for nothing from elsewhere: nbconvert, with our links."""

from __future__ import annotations

import html
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import build
from latex2mathml.converter import convert as mathml
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "https://github.com/pruneviz/pruneviz"
_HEADING = re.compile(r'<h([1-6]) id="([^"]*)">(.*?)</h\1>', re.DOTALL)
_PAGES = (".ipynb", ".md")


class Section(NamedTuple):
    """What stands under a heading, as the search reads it."""

    anchor: str
    heading: str
    words: str


class _Renderer(IPythonRenderer):
    """Markdown as GitHub and JupyterLab show it, with formulas in MathML and links between pages."""

    def __init__(self, source: Path) -> None:
        super().__init__(escape=False, exclude_anchor_links=True)
        self._source = source

    def heading(self, text: str, level: int, **_attributes: Any) -> str:  # noqa: ANN401
        """Give a heading its anchor, as GitHub does."""
        anchor = re.sub(r"[^\w -]", "", plain(text).lower()).strip().replace(" ", "-")
        return f'<h{level} id="{anchor}">{text}</h{level}>\n'

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Lead to the page of what is linked."""
        return super().link(text, target(url, self._source), title)

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Show a picture, which may be scrolled where it is too wide."""
        picture = super().image(text, url, title)
        return f'<span class="wide" role="group" tabindex="0" aria-label="Picture">{picture}</span>'

    def table(self, text: str) -> str:
        """Let a table that is too wide be scrolled, by the keyboard too."""
        return f'<div class="wide" role="group" tabindex="0" aria-label="Table"><table>{text}</table></div>\n'

    def block_code(self, code: str, info: str | None = None) -> str:
        """Show code, whose long lines the keyboard scrolls too."""
        return super().block_code(code, info).replace("<pre>", '<pre tabindex="0">')

    def block_math(self, body: str) -> str:
        """Write a formula of its own line."""
        return f'<span class="wide formula" tabindex="0">{formula(body, display="block")}</span>'

    def inline_math(self, body: str) -> str:
        """Write a formula in a line."""
        return formula(body)


def prose(text: str, source: Path) -> str:
    """Turn Markdown into HTML; ``source`` is the file it stands in, below lessons/."""
    return MarkdownWithMath(renderer=_Renderer(source)).render(text)


def formula(text: str, display: str = "inline") -> str:
    """Turn LaTeX into MathML, which browsers draw by themselves.

    Raises
    ------
    LessonError
        If a word of the formula is not understood.
    """
    written = str(mathml(text, display=display))
    if "\\" in written:
        raise build.LessonError(f"a word of this formula cannot be shown on a page: {text}")
    return written


def code(text: str) -> str:
    """Turn Python into HTML with its words marked."""
    highlighted = Highlight2HTML(pygments_lexer="python")(text)
    return highlighted.replace("<pre>", '<pre tabindex="0">')


def target(url: str, source: Path, *, page: bool = True) -> str:
    """Say where a link of a lesson leads to from its page: to a page, or to the repository.

    Examples
    --------
    >>> target("../GLOSSARY.md#mask", build.LESSONS / "pytorch" / "03_filter_pruning.ipynb")
    '../GLOSSARY.html#mask'
    """
    if re.match(r"[a-z]+:|#", url):
        return url
    path, mark, anchor = url.partition("#")
    file = Path(os.path.normpath(source.parent / path))
    if page and file.is_relative_to(build.LESSONS) and file.suffix in _PAGES:
        return str(Path(path).with_suffix(".html")) + mark + anchor
    if file.is_relative_to(build.LESSONS / "map"):
        return url
    return f"{REPOSITORY}/blob/HEAD/{file.relative_to(build.LESSONS.parent).as_posix()}{mark}{anchor}"


def plain(text: str) -> str:
    """Leave the words of some HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def sections(text: str) -> Iterator[Section]:
    """Take a page's HTML apart at its headings."""
    found = list(_HEADING.finditer(text))
    ends = [heading.start() for heading in found[1:]] + [len(text)]
    for heading, end in zip(found, ends, strict=True):
        yield Section(heading[2], plain(heading[3]), plain(text[heading.end() : end]))
