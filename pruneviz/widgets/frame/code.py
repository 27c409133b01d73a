"""What the snippets of Show code share: names written as code, and what the slider decides filled in.

A snippet is code with places such as ``{cut}``. Python fills in what tells of the model and the ranking; the
browser fills in the rest as `finished` does, so that the snippet follows the slider without a kernel.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruneviz.core.criteria import Criterion

_PLACE = re.compile(r"\{(\w+)\}")


def quoted(name: str) -> str:
    """Write a name as a string of Python, as ``quoted`` of pure.js does; one with braces is no place."""
    return json.dumps(name, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")


def listed(names: Iterable[str]) -> str:
    """Write names as a list of Python."""
    return f"[{', '.join(map(quoted, names))}]"


def mapped(values: Mapping[str, object]) -> str:
    """Write name -> value as a dict of Python; names among the values are quoted too."""
    pairs = (
        f"{quoted(name)}: {quoted(value) if isinstance(value, str) else repr(value)}"
        for name, value in values.items()
    )
    return f"{{{', '.join(pairs)}}}"


def named(criterion: Criterion) -> str:
    """Name a criterion as a snippet can: a learner's lambda has no name that is one."""
    name = criterion if isinstance(criterion, str) else getattr(criterion, "__name__", "")
    return name if name.isidentifier() else "own"


def filled(text: str, /, **words: str) -> str:
    """Fill in all places that have a word, in one pass; the other braces of the code stay."""
    return _PLACE.sub(lambda place: words.get(place[1], place[0]), text)


def finished(
    text: str, cuts: Mapping[str, int], sparsity: float, by_hand: Mapping[str, Mapping[str, list[int]]]
) -> str:
    """Fill in what the slider decides, as the browser does.

    Parameters
    ----------
    text
        A snippet with places.
    cuts
        Layer name -> entries to prune by rule; under ``""`` that of all layers.
    sparsity
        The slider's share.
    by_hand
        Layer name -> ``{"cut": […], "kept": […]}``, flat indices that overrule the rule.
    """
    lines = [
        f"keep[{quoted(name)}][{places}] = {value}"
        for name, lists in by_hand.items()
        for value, places in ((False, lists.get("cut")), (True, lists.get("kept")))
        if places
    ]
    return filled(
        text,
        cut=str(cuts[""]),
        cuts=mapped({name: cut for name, cut in cuts.items() if name}),
        share=f"{100 * sparsity:.2f}".rstrip("0").rstrip(".") + "%",
        sparsity=repr(float(sparsity)),
        by_hand="".join(f"\n{line}" for line in ["# by hand", *lines]) if lines else "",
    )
