"""What the notebook calls the things that a view was given: Show code is to run where it is shown."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, eq=False)
class Given:
    """What an explorer was given: the model, the data, and the images that criteria look at."""

    model: object
    data: object
    images: object

    def names(self, view: object) -> dict[str, str]:
        """Write an expression for each that gives it in the notebook; `view` has this as ``given``."""
        images = "images" if self.images is not self.data else "data"
        return {
            "model": called(self.model, view, "model"),
            "data": called(self.data, view, "data"),
            "images": called(self.images, view, images),
        }


def called(thing: object, view: object, attribute: str) -> str:
    """Write an expression that gives a thing in the notebook.

    Parameters
    ----------
    thing
        What a view was given: a model, a pair of arrays, a function.
    view, attribute
        The view, which has the thing as this attribute of what it was `given`.

    Returns
    -------
    str
        The name of a variable that holds it, ``mnist.validation`` or ``(x, y)`` alike; where nothing does,
        ``view.given.attribute``. Outside a notebook, or where the view has no name either, the attribute.
    """
    space = _space()
    found = _name(thing, space)
    if found is None and isinstance(thing, tuple):
        parts = [_name(part, space) for part in thing]
        found = None if None in parts else f"({', '.join(map(str, parts))})"
    if found is None:
        holder = _name(view, space)
        found = f"{holder}.given.{attribute}" if holder else attribute
    return found


def _name(thing: object, space: Mapping[str, object]) -> str | None:
    return next((name for name, value in _things(space) if value is thing), None)


def _things(space: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Give what has a name, and the fields of a data set that has one."""
    for name, value in list(space.items()):
        if name.startswith("_"):
            continue
        yield name, value
        for field in getattr(type(value), "__dataclass_fields__", ()):
            yield f"{name}.{field}", getattr(value, field, None)


def _space() -> Mapping[str, object]:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "user_ns", {})
