"""Do something that writes, kill it at random moments, and look at what it has left.

    python tests/killed.py fetch|once|rounds|site FOLDER MOMENTS [URL]

Processes fork here, which one with threads had better not.
"""

import hashlib
import os
import random
import signal
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy as np
from tqdm import tqdm

RNG = random.Random(0)


def kill(work, seconds):
    """Do work in another process, and end that within some seconds; anew where it was done by then."""
    status = 0
    while not status:
        child = os.fork()
        if not child:
            work()
            os._exit(0)
        time.sleep(RNG.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
    assert status == signal.SIGKILL


def took(work):
    """Do work, and give the seconds that it takes at best."""

    def once():
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    return min(once() for _ in range(3))


def toy():
    draw = np.random.default_rng(0)
    sizes = {"x_train": (900, 28, 28), "y_train": 900, "x_test": (9, 28, 28), "y_test": 9}
    return {name: draw.integers(256, size=size, dtype=np.uint8) for name, size in sizes.items()}


def ready_to_fetch(folder, url):
    """Let Fashion-MNIST be a toy that comes from a server here; gives a function that fetches it."""
    from pruneviz import datasets  # noqa: PLC0415  # here and below: each has its own, and they take seconds
    from pruneviz.datasets import downloads  # noqa: PLC0415
    from pruneviz.datasets.published import FACTS, Facts  # noqa: PLC0415

    def refuse(_):
        raise OSError("no mirror here")

    os.environ["PRUNEVIZ_DATA"] = str(folder)
    known = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in toy().items()}
    FACTS["fashion_mnist"] = Facts((28, 28), 900, 9, known, ())
    files = [there.rpartition("/")[2] for there in downloads.OFFICIAL["fashion_mnist"]]
    downloads.OFFICIAL["fashion_mnist"] = [f"{url}/{file}" for file in files]
    downloads._debian = refuse
    return lambda: datasets._cached("fashion_mnist")


def fetch(folder, moments, url):
    work = ready_to_fetch(folder, url)

    def anew():
        (folder / "fashion_mnist.npz").unlink(missing_ok=True)
        work()

    seconds = took(anew)
    for _ in range(moments):
        kill(anew, seconds)
        if (folder / "fashion_mnist.npz").exists():
            work()  # what is there is whole: this would warn, which is an error
        given = work()
        assert all(np.array_equal(given[name], array) for name, array in toy().items())
    for left in folder.iterdir():  # as if a day had passed
        os.utime(left, (0, 0))
    anew()
    assert [path.name for path in folder.iterdir()] == ["fashion_mnist.npz"]


def once(folder, _moments, url):
    given = ready_to_fetch(folder, url)()
    assert all(np.array_equal(given[name], array) for name, array in toy().items())


def rounds(folder, moments):
    import torch  # noqa: PLC0415

    import pruneviz as pv  # noqa: PLC0415

    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(40, 60), torch.nn.ReLU(), torch.nn.Linear(60, 3))
    data = np.random.default_rng(0).random((30, 40), np.float32), np.arange(30) % 3
    schedule = pv.schedules.exponential(0, 0.9, begin=0, end=4)

    def fine_tune(trained, _mask, _seed):
        with torch.no_grad():
            trained[0].weight += torch.rand(60, 40) / 10

    def run(number=0):
        def work():
            return list(
                pv.iterate(model, schedule, fine_tune, data, resume=folder / str(number), progress=False)
            )

        return work

    right = run()()
    others = iter("abc")

    def another():
        run(next(others))()

    seconds = took(another)
    for moment in range(1, moments + 1):
        kill(run(moment), seconds)
        given = run(moment)()
        for one, other in zip(right, given, strict=True):
            assert one.mask == other.mask
            assert torch.equal(one.model[0].weight, other.model[0].weight)
        left = sorted(path.name for path in (folder / str(moment)).iterdir())
        assert left == sorted(path.name for path in (folder / "0").iterdir())


def site(folder, moments):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lessons"))
    from pages import writing  # noqa: PLC0415

    class Toy:
        """Forty files, all of one turn."""

        turn = 0

        def __init__(self, place, _lessons):
            self.place = place

        def write(self):
            (self.place / "static").mkdir()
            for name in ("page.js", *map(str, range(40))):
                (self.place / "static" / name).write_text(f"{Toy.turn}")
                time.sleep(0.0005)

    writing.Site, place = Toy, folder / "site"

    def work():
        writing.write(place, [])

    def found():
        return [path.read_text() for path in (place / "static").iterdir()]

    seconds = took(work)
    for Toy.turn in range(1, moments + 1):
        kill(work, 1.3 * seconds)
        if place.exists():
            assert len(found()) == 41
            assert set(found()) <= {str(Toy.turn), str(Toy.turn - 1)}
            assert len(set(found())) == 1
        work()
        assert set(found()) == {str(Toy.turn)}
        assert [path.name for path in folder.iterdir()] == ["site"]


if __name__ == "__main__":
    warnings.simplefilter("error")
    tqdm.set_lock(
        threading.RLock()
    )  # its own lies in memory that forks share: one that is killed would keep it
    name, there, many, *more = sys.argv[1:]
    {"fetch": fetch, "once": once, "rounds": rounds, "site": site}[name](Path(there), int(many), *more)
