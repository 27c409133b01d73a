"""Write schedule_fixtures.json: what pruneviz says about the functions of schedule/state.js."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

from pruneviz.core.arrays import number_to_prune
from pruneviz.widgets.schedule import state as schedule_state

FIXTURES = Path(__file__).with_name("schedule_fixtures.json")
POOLS = [235_200, 30_000, 1_000, 7]
WORDS = {"model": "model", "fine_tune": "an_epoch", "data": "mnist.validation"}
WORDS |= {"seed": "0", "criterion": '"taylor"', "start": "earlier", "scope": '"layer"'}
SHARES = [0, 0.15, 0.5, 0.8575, 0.905, 0.123456789012, 1e-7, 0.999999999999, 1]


def fixtures() -> dict:
    """Compute them."""
    ends = [(0.0, 0.9), (0.5, 0.8), (0.1234, 0.98), (0.0, 0.0), (0.7, 0.7)]
    when = [(0, 6, 1), (1, 4, 1), (0, 5, 2), (2, 2, 1), (0, 0, 1)]
    states = [
        {
            "kind": kind,
            "initial": initial,
            "final": final,
            "begin": begin,
            "end": end,
            "power": power,
            "frequency": frequency,
            "budget": 6,
        }
        for kind, (initial, final), (begin, end, frequency), power in itertools.product(
            schedule_state.KINDS, ends, when, (3.0, 0.75)
        )
        if power == 3 or kind in ("polynomial", "article")
    ]
    counts = [[share, total, number_to_prune(share, total)] for share in SHARES for total in (*POOLS, 10**9)]
    return {"pools": POOLS, "words": WORDS, "counts": counts, "states": [_case(state) for state in states]}


def _case(state: dict) -> dict:
    schedule = schedule_state.schedule_of(state)
    return {
        "state": state,
        "shares": [schedule(step / 2) for step in range(15)],
        "prunes": [schedule.prunes_at(step) for step in range(8)],
        "plan": schedule_state.plan(state, POOLS),
        "code": schedule_state.code_of(state, WORDS),
        "name": schedule_state.words_of(state),
    }


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(fixtures(), separators=(",", ":")) + "\n", encoding="utf-8")
