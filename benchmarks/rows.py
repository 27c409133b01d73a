"""Rows of the table of benchmarks: ours, beside a peer in the same run, and how much it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pruneviz as pv

HEADER = ("what", "ours", "beside", "peer", "ratio", "limit")


@dataclass(frozen=True)
class Row:
    """One measurement; the limit is one of the ratio, or of ours where there is no peer."""

    what: str
    ours: pv.Latency | float
    unit: str
    peer: str = ""
    theirs: pv.Latency | float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> tuple[float, ...]:
        """Ours by the peer's: one number, or for times the lowest, median and highest of the rounds."""
        if self.theirs is None:
            return ()
        return (self.ours / self.theirs,) if isinstance(self.ours, float) else self.ours.over(self.theirs)

    @property
    def within(self) -> bool:
        """Whether the limit holds, of times for the median."""
        numbers = self.ratio or (float(self.ours),)
        return self.limit is None or numbers[len(numbers) // 2] <= self.limit

    def cells(self) -> list[str]:
        """Give what the table shows, by its header."""
        low, *others = [f"{number:.3g}" for number in self.ratio] or [""]
        limit = "" if self.limit is None else f"{self.limit:g}" + ("" if self.ratio else f" {self.unit}")
        return [
            self.what,
            _text(self.ours, self.unit),
            self.peer,
            "" if self.theirs is None else _text(self.theirs, self.unit),
            f"{others[0]} ({low}-{others[1]})" if others else low,
            limit if self.within else f"**over** {limit}",
        ]


def _text(number: pv.Latency | float, unit: str) -> str:
    return f"{number:,.0f} B" if unit == "B" else f"{number:.3g} {unit}"
