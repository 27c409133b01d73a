"""The budget challenge: a model is rebuilt from its file, measured, and put on a leaderboard.

The leaderboard is a folder that all can write to, with a small JSON file for each submission. No learner
chooses the name of a file, and none is written twice, so that no submission takes another's place. Models and
rows are read as a stranger's. What a row says is believed, as nobody signs it: ask winners for their file.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
import uuid
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from pruneviz import datasets, zoo
from pruneviz.engine.model import network as layers_of
from pruneviz.files.loading import load
from pruneviz.files.writing import whole
from pruneviz.measures.scorecards import scorecard
from pruneviz.teaching.tables import table

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

NETWORKS = ("lenet_300_100", "lenet_5", "lenet_5_bn", "mnist_cnn", "tiny_cnn")
MAX_BYTES, MAX_MACS = 20_000, 100_000
MEDALS = MappingProxyType({"pass": 9_700, "bronze": 9_790, "silver": 9_880, "gold": 9_900})
_LONGEST = 24  # characters of a name
_LARGEST = 10**7  # bytes or MACs that a row of the table has room for
_ROW = 2_000  # bytes of a row's file
_IMAGES = {"validation": 5_000, "test": 10_000}
_ENDINGS = 1 << 16  # of a float32: its lower half, which is noise unless somebody has rounded


@dataclass(frozen=True)
class Submission:
    """One row of the leaderboard; a ValueError says what in it cannot be.

    Attributes
    ----------
    name
        Who handed in.
    network, framework
        What the file was loaded into, as of `pruneviz.zoo`.
    size, macs
        Bytes of the file, and multiplications an image costs, those with zeros included.
    validation, test
        Images that are right; the test images are counted for a final submission only.
    """

    name: str
    network: str
    framework: str
    size: int
    macs: int
    validation: int
    test: int | None = None

    def __post_init__(self) -> None:
        if self.name != _called(self.name):
            raise ValueError("name is not as it is written on a leaderboard")
        most = {"size": _LARGEST, "macs": _LARGEST, **_IMAGES}
        for part, limit in most.items():
            value = getattr(self, part)
            if not (type(value) is int and 0 <= value <= limit) and (part, value) != ("test", None):
                raise ValueError(f"{part} is no number from 0 to {limit:,}")

    @property
    def order(self) -> tuple[int, int, int]:
        """What sorts the best first: validation, then bytes, then MACs."""
        return -self.validation, self.size, self.macs


def submit(
    path: str | os.PathLike[str],
    name: str,
    folder: str | os.PathLike[str],
    network: str,
    framework: zoo.Framework,
    *,
    final: bool = False,
    max_bytes: int = MAX_BYTES,
    max_macs: int = MAX_MACS,
) -> None:
    """Hand a model in: rebuild it from its file, measure it, and add it to the leaderboard.

    Parameters
    ----------
    path
        The file that `pruneviz.save` wrote, with float32 weights as training left them. Rounded ones are
        refused, by ``values="float16"``, ``"int8"`` or by hand: their file is half as large.
    name
        Whose it is: up to 24 letters, digits, spaces, and ``- _ ' .``
    folder
        A folder that everybody can write to; made if it is missing.
    network, framework
        What the file is loaded into: one of the `pruneviz.zoo`'s networks for digits, such as ``"lenet_5"``,
        in ``"torch"``, ``"keras"`` or ``"tf_keras"``. The model that was saved may have fewer units; one with
        BatchNorm was saved in this framework, others in any.
    final
        Whether this is the one that counts: its right answers on the test images are told, and may earn a
        medal. A name has one final submission.
    max_bytes, max_macs
        The budget: bytes of the file, and MACs executed for an image, zeros included.

    Raises
    ------
    TypeError, ValueError, OSError
        If there is no such file, it is damaged, of another network or over the budget, or the name cannot be
        taken: nothing is written.
    """
    who = _called(name)
    claim = Path(folder) / f"{hashlib.sha256(who.encode()).hexdigest()[:32]}.final"
    if final and claim.exists():
        raise _taken(who)
    made = measured(path, who, network, framework, (max_bytes, max_macs), final=final)
    Path(folder).mkdir(parents=True, exist_ok=True)
    _write(Path(folder), made, claim)
    right = f"{made.validation:,} of {_IMAGES['validation']:,} validation images"
    if made.test is not None:
        right += f" and {made.test:,} of {_IMAGES['test']:,} test images, which counts"
    print(f"{who}: {made.size:,} bytes, {made.macs:,} MACs, right on {right}.")  # noqa: T201


def leaderboard(folder: str | os.PathLike[str], *, medals: Mapping[str, int] = MEDALS) -> None:
    """Print who stands where: a line for each name, its final submission or else its best.

    Parameters
    ----------
    folder
        Where the models were handed in.
    medals
        Medal -> how many of 10,000 test images a final submission needs for it.

    Raises
    ------
    ValueError
        If there is no submission in the folder.
    """
    rows, strange = _rows(folder)
    others = f"{strange:,} .json file{'s' * (strange != 1)} that no submission wrote"
    if not rows:
        raise ValueError(f"nobody has handed in a model in {folder}: there are {others}")
    lines = []
    for one, tries in rows:
        place = 1 + sum(other.order < one.order for other, _ in rows)  # who are level share one
        earned = [medal for medal, need in medals.items() if one.test is not None and one.test >= need]
        medal = max(earned, key=medals.__getitem__, default="–")
        test = "–" if one.test is None else f"{one.test:,}"
        lines.append([f"{place:>2}  {one.name}", one.validation, one.size, one.macs, test, medal, tries])
    table(["    name", "validation", "bytes", "MACs", "test", "medal", "tries"], lines)
    if strange:
        print(f"Skipped: {others}.")  # noqa: T201


def _called(name: str) -> str:
    """Give a name in its one spelling; refuse what could be more than a name where it is shown."""
    told = unicodedata.normalize("NFKC", name) if isinstance(name, str) and len(name) <= _LONGEST else ""
    plain = all(c in " -_'." or unicodedata.category(c)[0] in "LMN" for c in told)
    if not plain or not any(map(str.isalnum, told)) or told != told.strip() or len(told) > _LONGEST:
        raise ValueError(f"name must be up to {_LONGEST} letters, digits, spaces, and - _ ' . in a line")
    return told


def measured(
    path: str | os.PathLike[str],
    who: str,
    network: str,
    framework: zoo.Framework,
    budget: tuple[int, int] = (MAX_BYTES, MAX_MACS),
    *,
    final: bool = False,
) -> Submission:
    """Rebuild a model from its file and count; refuse what is over the budget by how much it is."""
    path = Path(path)
    if network not in NETWORKS:
        raise ValueError(f"network must be the name of one of the zoo's for digits: {', '.join(NETWORKS)}")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is no file: save the model first, pv.save(model, path)")
    digits, size = datasets.mnist(), path.stat().st_size
    model = load(path, getattr(zoo, network)(framework, pretrained=False), digits.validation[0][:1])
    _refuse_rounded(path, model)
    card = scorecard(model, digits.validation)
    over = [
        f"{spent:,} {what}: {spent - most:,} over the {most:,}"
        for spent, most, what in zip((size, card.macs), budget, ("bytes", "MACs"), strict=True)
        if spent > most
    ]
    if over:
        raise ValueError("; ".join(over))
    test = scorecard(model, digits.test).correct if final else None
    return Submission(who, network, framework, size, card.macs, card.correct, test)


def _refuse_rounded(path: Path, model: object) -> None:
    """Refuse weights of which the lower half tells less than chance would: whoever rounded them, and how."""
    weights = np.concatenate([layer.weight.ravel() for layer in layers_of(model).layers]).astype("<f4")
    nonzero = weights[weights != 0]
    found = len(np.unique(nonzero.view("<u4") % _ENDINGS))
    if found < 0.75 * _ENDINGS * -np.expm1(-len(nonzero) / _ENDINGS):
        raise ValueError(
            f"{path} holds rounded weights: {len(nonzero):,} of them end in {found:,} ways alone; hand in "
            "float32 as training leaves it, saved with values='exact'"
        )


def _write(folder: Path, made: Submission, claim: Path) -> None:
    """Add a row under a name that no other has; a final one only for the first who claims it."""
    if made.test is not None:
        try:
            claim.touch(exist_ok=False)  # one of all who try it at once
        except FileExistsError:
            raise _taken(made.name) from None
    try:
        with whole(folder / f"{uuid.uuid4().hex}.json") as file:
            file.write(json.dumps(asdict(made)).encode())
    except BaseException:
        if made.test is not None:
            claim.unlink()
        raise


def _taken(who: str) -> ValueError:
    return ValueError(f"{who} has handed in a final submission already: one counts, and it stays")


def _rows(folder: str | os.PathLike[str]) -> tuple[list[tuple[Submission, int]], int]:
    """List what counts for each name, best first, with its number of submissions; count the other files."""
    read = [_read(path) for path in Path(folder).glob("*.json")]
    of: defaultdict[str, list[Submission]] = defaultdict(list)
    for one in read:
        if one is not None:
            of[one.name].append(one)
    rows = [(min(all_, key=lambda one: (one.test is None, one.order)), len(all_)) for all_ in of.values()]
    return sorted(rows, key=lambda row: (row[0].order, row[0].name)), read.count(None)


def _read(path: Path) -> Submission | None:
    """Read a row; None for whatever else lies there."""
    try:
        if not path.is_file():  # a pipe would never end
            return None
        with path.open("rb") as file:
            data = file.read(_ROW + 1)
        return Submission(**json.loads(data)) if len(data) <= _ROW else None
    except (OSError, RecursionError, TypeError, ValueError):
        return None
