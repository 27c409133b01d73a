"""Find in a figure what was drawn."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Text


def labelled(ax, label):
    found = [artist for artist in ax.get_children() if artist.get_label() == label]
    assert len(found) == 1, f"{len(found)} artists are labelled {label!r}"
    return found[0]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def drawn_texts(figure):
    hidden = set()
    for ax in figure.findobj(Axes):
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [
                tick for tick in axis.get_major_ticks() if not low <= tick.get_loc() <= high or not ax.axison
            ]
            hidden |= {tick.label1 for tick in ticks}
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in texts if text not in hidden]


def overlaps(ax):
    """Pairs of texts that stand on each other."""
    figure = ax.figure
    figure.draw_without_rendering()
    boxes = {text: Text.get_window_extent(text) for text in drawn_texts(figure)}
    return [
        (one.get_text(), other.get_text())
        for one, a in boxes.items()
        for other, b in boxes.items()
        if one is not other
        and min(a.x1, b.x1) - max(a.x0, b.x0) > 1
        and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def tile(ax, number):
    """Give the values and the opacity of the picture of one filter."""
    box = labelled(ax, f"filter {number}").get_bbox()
    columns, rows = (slice(round(a + 0.5), round(b + 0.5)) for a, b in zip(*box.get_points(), strict=True))
    image = ax.images[0]
    return np.ma.filled(image.get_array(), np.nan)[rows, columns], image.get_alpha()[rows, columns]


def captions(ax):
    """Give what stands below each picture, in order."""
    return [text.get_text() for text in ax.texts if text.get_text()[:1].isdigit()]


class Stairs:
    """A schedule that rises in a straight line, as pruneviz.schedules and anybody else may write one."""

    def __init__(self, final, begin, end, frequency):
        self.final, self.begin, self.end, self.frequency = final, begin, end, frequency

    def __call__(self, step):
        return self.final * float(np.clip((step - self.begin) / max(self.end - self.begin, 1e-9), 0, 1))

    def prunes_at(self, step):
        inside = self.begin <= step and (self.end == -1 or step <= self.end)
        return inside and (step - self.begin) % self.frequency == 0


def luminance(colour):
    """Relative luminance of a colour, from 0 (black) to 1 (white), as in WCAG 2."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Luminance contrast of two colours, from 1 to 21, as in WCAG 2."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
