"""Starting a lesson's kernel, showing figures that can also be read aloud, reading stored results."""

from __future__ import annotations

import base64
import html
import importlib
import io
import json
import os
import random
import re
import sys
import tempfile
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.lessons import HOME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_NAMES = {"pytorch": "PyTorch", "tensorflow": "TensorFlow"}
_THREADS = 2
_SEED = 0
_PIXELS_PER_INCH = 144  # of the file
_SHOWN_PER_INCH = 96
# A rule reaches a page only in an output. What needs a light background is a drawing: its paper turns dark,
# its ink light, and hues stay. Pictures keep their colours, on softer paper.
_IN_THE_DARK = """<style>
body[data-jp-theme-light="false"] .jp-RenderedImage img { border-radius: 8px; filter: brightness(0.88); }
body[data-jp-theme-light="false"] .jp-RenderedImage img.jp-needs-light-background {
  filter: invert(0.93) hue-rotate(180deg);
}
</style>"""


def start(track: str) -> None:
    """Prepare the kernel for a lesson: at most two threads, fixed seeds, the framework imported quietly.

    A cell that is interrupted says so in a line. What TensorFlow writes to stderr when it is imported differs
    from machine to machine; it is shown only if the import fails.

    Parameters
    ----------
    track : str
        "pytorch" or "tensorflow".

    Raises
    ------
    ValueError
        If there is no such track.
    ImportError
        If the track's framework is not installed, or fails to load.
    """
    if track not in _NAMES:
        raise ValueError(f"track must be 'pytorch' or 'tensorflow', not {track!r}")
    # OpenMP reads this once, when the framework loads it. A stricter cap that is already set stands.
    os.environ.setdefault("OMP_NUM_THREADS", str(_THREADS))
    random.seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002  # Keras and third-party code draw from the old generator
    with quietly():
        try:
            _start_pytorch() if track == "pytorch" else _start_tensorflow()
        except ModuleNotFoundError as error:
            extra = "torch" if track == "pytorch" else "tensorflow"
            raise ImportError(f'{error}. Install the track with: pip install "pruneviz[{extra}]"') from error
    _interrupt_quietly()
    print(f"{_NAMES[track]} is ready.")  # noqa: T201


def _interrupt_quietly() -> None:
    """Let an interrupted cell end in a line: where a framework was just then tells a learner nothing."""
    from IPython import get_ipython  # noqa: PLC0415  # only notebooks have IPython

    def say(*_: object, **_options: object) -> None:
        print("Interrupted. What was being trained stays as far as it got: make it anew, or go on.")  # noqa: T201

    if shell := get_ipython():
        shell.set_custom_exc((KeyboardInterrupt,), say)


def _start_pytorch() -> None:
    torch = importlib.import_module("torch")
    torch.set_num_threads(min(_THREADS, torch.get_num_threads()))
    torch.manual_seed(_SEED)


def _start_tensorflow() -> None:
    tensorflow = importlib.import_module("tensorflow")
    threads = tensorflow.config.threading
    try:
        threads.set_intra_op_parallelism_threads(_at_most("TF_NUM_INTRAOP_THREADS"))
        threads.set_inter_op_parallelism_threads(_at_most("TF_NUM_INTEROP_THREADS"))
    except RuntimeError:
        pass  # TensorFlow is running already: the cell has been run a second time
    # tf_keras counts its own seeds, but both draw from TensorFlow's.
    importlib.import_module("keras").utils.set_random_seed(_SEED)
    # The first operation logs too, so it belongs here.
    tensorflow.constant(0.0) + 1.0


def _at_most(cap: str) -> int:
    return 1 if os.environ.get(cap) == "1" else _THREADS


class _Stderr(io.TextIOBase):
    """Goes to a file while that is held; what a logger that was set up then says later is seen."""

    held: IO[str] | None

    def write(self, text: str) -> int:
        return (self.held or sys.stderr).write(text)

    def flush(self) -> None:
        (self.held or sys.stderr).flush()


@contextmanager
def quietly() -> Iterator[None]:
    """Hold back what Python and the libraries under it write to stderr; show it if the body fails.

    Exporters and converters tell there what they do, and it differs from machine to machine.
    """
    sys.stderr.flush()
    stream = _Stderr()
    saved = os.dup(2)
    with tempfile.TemporaryFile("w+", errors="replace") as held:
        os.dup2(held.fileno(), 2)
        failed, stream.held = True, held
        try:
            with redirect_stderr(stream):
                yield
            failed = False
        finally:
            stream.held = None
            os.dup2(saved, 2)
            os.close(saved)
            if failed:
                held.seek(0)
                sys.stderr.write(held.read())


def show(figure: Figure | Axes, alt: str | None = None) -> None:
    """Show a figure in a notebook, with its description in words, and its numbers as in 53,240.

    The picture carries the description as alternative text. JupyterLab drops that, so the same words
    stand below the picture, folded. In JupyterLab's dark theme a drawing is light on dark.

    Parameters
    ----------
    figure : matplotlib Figure or Axes
        What to show; of Axes, the whole figure.
    alt : str, optional
        What the figure shows, in a sentence or two; by default what ``pruneviz.alt_text`` says of it.

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    """
    from IPython.display import display  # noqa: PLC0415  # only notebooks have IPython

    from pruneviz.plots import alt_text  # noqa: PLC0415  # matplotlib is slow to import
    from pruneviz.plots.picture import metadata, png  # noqa: PLC0415

    whole = _root(figure)
    _group_thousands(whole)
    if alt is None:
        alt = alt_text(whole)
    if not alt.strip():
        raise ValueError("alt must describe the figure in words")
    picture = base64.b64encode(png(whole, _PIXELS_PER_INCH, "white")).decode()
    words = re.sub(r"[ \t\n]+", " ", alt).strip()
    display(  # type: ignore[no-untyped-call]
        {"image/png": picture, "text/plain": f"Figure: {words}"},
        metadata=metadata(whole, _SHOWN_PER_INCH, words),
        raw=True,
    )
    folded = f"<details><summary>This figure in words</summary><p>{html.escape(words)}</p></details>"
    display({"text/html": f"{_IN_THE_DARK}{folded}", "text/plain": ""}, raw=True)  # type: ignore[no-untyped-call]


def _group_thousands(figure: Figure) -> None:
    """Write the plain numbers at an axis as the text has them; other formats were chosen, and stay."""
    from matplotlib.ticker import ScalarFormatter  # noqa: PLC0415  # matplotlib is slow to import

    from pruneviz.plots.style import GROUPED_TICKS  # noqa: PLC0415

    for axis in (axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)):
        plain = type(axis.get_major_formatter()) is ScalarFormatter
        if plain and max(map(abs, axis.get_view_interval())) >= 1000:
            axis.set_major_formatter(GROUPED_TICKS)


def _root(figure: Figure | Axes) -> Figure:
    inner: Figure | SubFigure | None = figure.get_figure(root=True)
    if inner is None:
        raise ValueError("these axes have been removed from their figure")
    return inner  # type: ignore[return-value]  # root=True never gives a SubFigure


def results(name: str) -> Any:  # noqa: ANN401  # whatever JSON holds
    """Return what a measurement too long for a lesson has found.

    Parameters
    ----------
    name : str
        The script in ``benchmarks/`` that has measured, for example ``"lottery"``.

    Returns
    -------
    dict
        Its table, as the script describes it.

    Raises
    ------
    ValueError
        If no result of that name comes with the course.
    """
    known = {path.stem: path for path in sorted((HOME / "results").glob("*.json"))}
    if name not in known:
        raise ValueError(f"no stored result is called {name!r}: choose one of {', '.join(known)}")
    return json.loads(known[name].read_text(encoding="utf-8"))
