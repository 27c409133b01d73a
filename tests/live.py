"""What the tests of live views share: the browser's end of the wire, and what may go over it."""

import asyncio
import json
import time

import pruneviz as pv


def record(view):
    """Collect what goes to the browser."""
    sent = []
    view.comm.send = lambda data=None, buffers=None, **_: sent.append((data, buffers or []))
    return sent


def weight_of(messages):
    return sum(len(json.dumps(data)) + sum(map(len, buffers)) for data, buffers in messages)


def from_browser(view, **state):
    """Set traits as the browser does: in one message."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    view._handle_msg({"content": {"data": data}, "buffers": []})


def of_layers(view, name):
    """Give what the ranking says of each layer."""
    return {layer: found[name] for layer, found in view.ranking["layers"].items()}


def prune_units(model, images, sparsity, granularity, **options):
    """Prune with what an explorer of units takes for granted."""
    example = images[0][:1]
    return pv.prune(
        model, sparsity, granularity=granularity, data=images, example=example, keep_at_least=1, **options
    )


def check_a_move(view, monkeypatch):
    """Dragging sends nothing back; letting go costs two small messages in all."""
    # Work that takes longer reports its progress besides; a busy machine must not decide this test.
    monkeypatch.setattr("pruneviz.widgets.frame.view._BETWEEN_REPORTS", 60)

    async def scenario():
        view._live = True
        await view.measured()
        sent = record(view)
        from_browser(view, sparsity=0.61, moving=True)
        await asyncio.sleep(0.05)
        assert sent == []
        from_browser(view, sparsity=0.62, moving=False)
        await view.measured()
        return sent

    sent = asyncio.run(scenario())
    assert view.is_measured
    assert len(sent) + 1 <= 2, [list(data["state"]) for data, _ in sent]
    assert weight_of(sent) < 150_000


def check_a_flood(view, monkeypatch):
    """A thousand events end in the last one's state, measured, with nothing left to send."""
    monkeypatch.setattr("pruneviz.widgets.frame.view._BETWEEN_REPORTS", 60)

    async def scenario():
        view._live = True
        await view.measured()
        sent, start = record(view), time.perf_counter()
        for event in range(1000):
            from_browser(view, sparsity=round(event / 1100, 4), moving=event < 999)
        took = time.perf_counter() - start
        await view.measured()
        return sent, took

    sent, took = asyncio.run(scenario())
    assert view.exact["state"]["sparsity"] == view.sparsity == round(999 / 1100, 4)
    assert len(sent) <= 2
    assert took < 5
