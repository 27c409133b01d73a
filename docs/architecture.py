"""Draw the imports between rooms: `python docs/architecture.py` writes them into docs/architecture.md."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PICTURE = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)


def imports() -> dict[str, set[str]]:
    """Collect the rooms that each room of the package imports, for types alone too."""
    home = ROOT / "pruneviz"
    rooms: dict[str, set[str]] = {}
    for path in sorted(home.rglob("*.py")):
        inside = path.relative_to(home).parts
        if len(inside) == 1 and inside[0].startswith("__"):
            continue
        found = rooms.setdefault(inside[0].removesuffix(".py"), set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pruneviz"):
                named = node.module.split(".")[1:] or [alias.name for alias in node.names]
                found.update(named[:1] if node.module != "pruneviz" else named)
    return {room: (found & rooms.keys()) - {room} for room, found in rooms.items()}


def draw(rooms: dict[str, set[str]]) -> str:
    """Draw an arrow to each room that is imported, unless a room between says as much."""
    below: dict[str, set[str]] = {}
    for room in TopologicalSorter(rooms).static_order():
        below[room] = rooms[room].union(*(below[other] for other in rooms[room]))
    arrows = [
        f"  {room} --> {other}"
        for room in sorted(rooms)
        for other in sorted(rooms[room])
        if not any(other in below[between] for between in rooms[room])
    ]
    return "\n".join(["```mermaid", "graph TD", *arrows, "```\n"])


def page() -> str:
    """Give the page with its picture as the imports are now."""
    return PICTURE.sub(lambda _: draw(imports()), PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
