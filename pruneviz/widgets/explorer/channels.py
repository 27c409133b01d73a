"""ChannelExplorer: the chain of layers, where the slices that only go together light up together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t

from pruneviz.core import criteria
from pruneviz.core.masks import Importance, Mask
from pruneviz.core.ranking import Ranking, rank
from pruneviz.plots import plot_chain, style
from pruneviz.plots.chain import unit_of
from pruneviz.widgets.explorer import channel_payload, payload
from pruneviz.widgets.explorer.parts import ACCURACY, Part
from pruneviz.widgets.explorer.units import BELOW, CONTROLS, SCORECARD, SCORES, UnitExplorer
from pruneviz.widgets.frame import assets, code
from pruneviz.widgets.frame.given import share

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.widgets.explorer.history import State

_CODE = """\
options = dict(granularity="channel", criterion={criterion}, data=images, example=images[0][:1])
options |= dict(exclude={exclude}, keep_at_least=1)
mask = pv.prune(model, {sparsity}, scope="{scope}", **options)  # channels that are tied go together
keep = mask.to_dict(){own}{by_hand}
mask = pv.Mask(keep, "channel", mask.units)
thin = pv.apply(model, mask)  # zeros: same shapes, same cost
"""
_OWN = """
    own = pv.prune(model, scope={shares}, **options).to_dict()  # groups with a share of their own
    keep.update({name: own[name] for name in {names}})"""
_GROUPS = 12  # that the static twin lists


def draw_chain(ax: Axes, view: ChannelExplorer) -> None:
    """Draw what is left of each layer, and the channel that is followed."""
    plot_chain(
        view.result(),
        layers=[layer["name"] for layer in view.chain],
        scores=view.scores() if view.sort == "score" else None,
        followed=(view.followed[0], view.followed[1]) if view.followed else None,
        ax=ax,
    )


def write_groups(ax: Axes, view: ChannelExplorer) -> None:
    """Write how many channels are left of each group of tied layers; of the first, if there are many."""
    mask = view.result()
    for line, group in enumerate(view.groups[:_GROUPS]):
        name, more = group["name"], len(group["layers"]) - 1
        left = f"{np.count_nonzero(mask[name])} of {len(mask[name])} kept"
        tied = f"{name}, {more} tied to it" if more else name
        for x, words, colour in ((0.0, tied, style.INK), (0.7, left, style.QUIET)):
            y = 0.98 - line / _GROUPS
            ax.text(x, y, words, va="top", color=colour, fontsize=style.SMALL, transform=ax.transAxes)
    ax.axis("off")
    style.title(ax, "Groups of tied layers" + (", the first" if len(view.groups) > _GROUPS else ""))


class ChannelExplorer(UnitExplorer):
    """A live view of pruning channels; `pruneviz.explore(…, granularity="channel")` makes one.

    A channel is a unit seen from the layers that read it: with it go the outputs of all layers that are tied
    by an addition, their BatchNorm entries, and the inputs of the layers behind.

    Its traits are those of `UnitExplorer`; the parts are ``slider, selectors, chain,
    groups, scores, accuracy, scorecard, confusion, removal, changes, history``. The criterion
    "reconstruction", slow on a deep network, is offered only where the view is opened with it. Besides these,

    Attributes
    ----------
    sparsities
        Layer name -> share to prune of its group of tied layers, whatever `sparsity` says; a group is named
        by its first layer. For the others `scope` and `sparsity` decide as if none had a share of its own;
        `by_hand` overrules both.
    followed
        ``[layer, index]`` of the channel that is followed through the network, or ``[]``.
    """

    _esm = assets.script("explorer/channels.js")
    _css = (
        assets.read("frame/style.css")
        + assets.read("explorer/units.css")
        + assets.read("explorer/channels.css")
    )
    state_names: ClassVar = ("sparsity", "sparsities", "scope", "criterion", "by_hand")
    granularity: ClassVar = "channel"
    parts: ClassVar = (
        *CONTROLS,
        Part("chain", "grid", draw_chain, wide=True, basic=True),
        Part("groups", "grid", write_groups),
        *(SCORES, ACCURACY, SCORECARD, *BELOW),
    )
    words: ClassVar = tuple(
        word for word in criteria.names("channel") if word not in ("bn_scale", "reconstruction")
    )

    sparsities = t.Dict().tag(sync=True, echo_update=False)
    followed: t.List[Any] = t.List().tag(sync=True, echo_update=False)

    chain = t.List(t.Dict(), read_only=True).tag(sync=True)
    groups = t.List(t.Dict(), read_only=True).tag(sync=True)

    def coupled(self, layer: str, index: int) -> dict[str, dict[str, list[int]]]:
        """Tell which slices of the network go with one output of a layer.

        Parameters
        ----------
        layer
            Name of a prunable layer.
        index
            Which of its outputs.

        Returns
        -------
        dict
            ``"outputs"``, ``"norms"`` and ``"inputs"``: layer name -> indices. An output is a filter or a
            neuron with its bias, a norm's entry its scale, shift and statistics, an input what the next layer
            multiplies: the kernels of one channel, or its columns behind a flatten.

        Raises
        ------
        ValueError
            If there is no such output, or it must stay.
        """
        units = self._structure.units
        unit = unit_of(units, layer, index)
        inputs = {name: ids for name, ids in units.columns.items() if units.kinds[name] != "depthwise"}
        return {
            part: {name: np.flatnonzero(ids == unit).tolist() for name, ids in arrays.items() if unit in ids}
            for part, arrays in (("outputs", units.of), ("norms", units.norms), ("inputs", inputs))
        }

    @property
    def snippet(self) -> str:
        """What Show code shows at present."""
        names = [
            name for group in self.groups if group["name"] in self.sparsities for name in group["layers"]
        ]
        shares = code.mapped({name: float(share) for name, share in self.sparsities.items()})
        own = code.filled(_OWN, shares=shares, names=code.listed(names)) if names else ""
        return code.filled(super().snippet, own=own)

    # -- traits ------------------------------------------------------------------------------------------

    @t.validate("sparsities")
    def _check_sparsities(self, proposal: dict[str, Any]) -> dict[str, float]:
        """Name each group by its first layer, in the order of the groups, as the browser does."""
        first = {name: group["name"] for group in self.groups for name in group["layers"]}
        shares: dict[str, float] = {}
        for name, value in proposal["value"].items():
            self._known("sparsities: layer", name, first)
            own = share(f"sparsities[{name!r}]: sparsity", value)
            if shares.setdefault(first[name], own) != own:
                raise t.TraitError(f"sparsities gives two shares to layers that are tied to {first[name]!r}")
        return {group["name"]: shares[group["name"]] for group in self.groups if group["name"] in shares}

    @t.validate("followed")
    def _check_followed(self, proposal: dict[str, Any]) -> list[Any]:
        if not proposal["value"]:
            return []
        try:
            layer, index = proposal["value"]
            unit_of(self._structure.units, layer, index)
        except (TypeError, ValueError) as error:
            raise t.TraitError(f"followed takes [layer, index] or []: {error}") from error
        return [layer, int(index)]

    # -- what the browser is told ------------------------------------------------------------------------

    def _described(self) -> dict[str, Any]:
        described = super()._described()
        names = [layer["name"] for layer in described["layers"]]
        return {
            **described,
            "chain": channel_payload.chain(self._structure),
            "groups": channel_payload.groups(self._structure, names, self._units),
        }

    def _packed(self, ranking: Ranking, scores: Importance) -> dict[str, Any]:
        own = payload.places(rank(scores, "layer", self._exclude, self.keep_at_least))
        return {name: {**layer, "own": own[name]} for name, layer in super()._packed(ranking, scores).items()}

    def _template(self) -> str:
        known = self.criterion in (*criteria.names("channel"), *criteria.names("neuron"))
        criterion = f'"{self.criterion}"' if known else self.criterion
        words = {"criterion": criterion, "scope": self.scope, "exclude": code.listed(self._exclude)}
        return code.wrapped(code.filled(_CODE, **words), "channel", self.given.names(self))

    # -- masks -------------------------------------------------------------------------------------------

    def _mask(self, state: State) -> Mask:
        plain = super()._mask(replace(state, hand=()))
        if state.shares:
            scores = self._ranked(state.scope, state.criterion)[1]
            shares = dict(state.shares)
            own = rank(scores, shares, self._exclude, self.keep_at_least).mask()
            named = [group for group in self.groups if group["name"] in shares]
            theirs = {name: own[name] for group in named for name in group["layers"]}
            plain = Mask({**plain, **theirs}, plain.granularity, plain.units)
        return self._edited(plain, state.by_hand())

    def _rule(self) -> str:
        own = ", ".join(f"{name} {100 * share:.4g}%" for name, share in self.sparsities.items())
        return super()._rule() + (f", but of {own}" if own else "")
