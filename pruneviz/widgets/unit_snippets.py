"""Show code for units: the present mask, made with the framework's own tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruneviz import criteria

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pruneviz.masks import Ranking

_OWN = """\
import pruneviz as pv

x, y = data  # images like those that the model takes, as NumPy arrays
mask = pv.prune(
    model, {sparsity}, granularity="{granularity}", criterion={criterion}, scope="{scope}",
    data=data, example=x[:1], exclude={exclude}, keep_at_least=1,
)
keep = mask.to_dict(){by_hand}
mask = pv.Mask(keep, "{granularity}", mask.units)
thin = pv.apply(model, mask)
small = pv.remove(model, mask, x[:8])  # the same outputs from smaller layers
"""


def template(ranking: Ranking, criterion: str, exclude: Sequence[str]) -> str:
    """Write the snippet for a ranking of units, with places for what the slider decides.

    Parameters
    ----------
    ranking
        The ranking.
    criterion
        A built-in name, or that of the learner's own function.
    exclude
        Layers that are left alone.

    Returns
    -------
    str
        As `snippets.template` does.
    """
    words = {
        "granularity": ranking.granularity,
        "criterion": f'"{criterion}"' if criterion in criteria.UNIT_NAMES else criterion,
        "scope": str(ranking.scope),
        "exclude": repr(list(exclude)),
    }
    text = _OWN
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text
