"""What the snippets of Show code share: names written as code, and what the slider decides filled in.

A snippet is code with places such as ``{cut}``. Python fills in what tells of the model and the ranking; the
browser fills in the rest as `finished` does, so that the snippet follows the slider without a kernel. It is a
function and a call, so that of the notebook's names it takes none that does not begin with ``shown_``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from pruneviz.core.arrays import number_to_prune

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruneviz.core.criteria import Criterion
    from pruneviz.core.ranking import Ranking

_PLACE = re.compile(r"\{(\w+)\}")
_REMOVED = re.compile(r"^\{removed\}(.*\n)", re.MULTILINE)
_SHOWN = """\
import pruneviz as pv


def shown_pruning({takes}):
{body}
    return thin, keep  # the pruned model, and what is kept


shown_model, shown_keep = shown_pruning({given})
{smaller}shown_card = pv.scorecard(shown_model, {data})
print(f"{shown_card.correct:,} of {shown_card.n:,} right{more}")
"""
_SMALLER = """\
{removed}shown_mask = pv.Mask(shown_keep, "{granularity}")
{removed}shown_model = pv.remove({model}, shown_mask, {data}[0][:8])  # smaller for real
"""


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


def wrapped(body: str, granularity: str, names: Mapping[str, str]) -> str:
    """Make a snippet of the lines that give `thin` and `keep`, which changes no name of the notebook.

    Parameters
    ----------
    body
        The lines; they may use `model`, and `images`, the pair of arrays that criteria look at.
    granularity
        What is pruned.
    names
        What the notebook calls the view's ``model``, its ``data`` and the ``images`` that are looked at.
    """
    looks = re.search(r"\bimages\b", body) is not None
    units = granularity != "weight"
    text = filled(
        _SHOWN,
        takes="model, images" if looks else "model",
        given="{model}, {images}" if looks else "{model}",
        smaller=_SMALLER if units else "",
        more=", {shown_card.parameters:,} parameters" if units else "",
        body=re.sub(r"(?m)^(?=.)", "    ", body.strip("\n")),
    )
    return filled(text, granularity=granularity, **names)


def cuts(ranking: Ranking, sparsity: float) -> dict[str, int]:
    """Count what a rule prunes at a sparsity: layer name -> entries, and under ``""`` those of all layers."""
    sizes = {name: ranks.size for name, ranks in ranking.ranks.items()}
    sizes[""] = sum(sizes.values())
    return {name: number_to_prune(sparsity, size) for name, size in sizes.items()}


def smaller(text: str, *, removed: bool) -> str:
    """Leave the lines that remove what is pruned in a snippet, or leave them out."""
    return _REMOVED.sub(r"\1" if removed else "", text)


def finished(
    text: str, cuts: Mapping[str, int], sparsity: float, by_hand: Mapping[str, Mapping[str, list[int]]]
) -> str:
    """Fill in what the slider decides, as the browser does.

    Parameters
    ----------
    text
        A snippet with places.
    cuts
        As the function of this name counts them.
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
        by_hand="".join(f"\n    {line}" for line in ["# by hand", *lines]) if lines else "",
    )
