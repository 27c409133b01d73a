"""What a wheel has besides the package: the lessons, and a README whose links work anywhere."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

REPOSITORY = "https://github.com/pruneviz/pruneviz"
LESSONS = (
    *("[0-9]*.ipynb", "[a-z]*/[0-9]*.ipynb", "map/*.svg", "checks/*.py", "results/*.json"),
    *("[A-Z]*.md", "LICENSE"),
)


class Lessons(BuildHookInterface):
    """Put the notebooks, their results and checks beside the module that finds them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say which files go where; an editable install finds them in the checkout."""
        if version == "editable":
            return
        root, patterns = Path(self.root), LESSONS
        if os.environ.get("PRUNEVIZ_SLIM"):  # what lesson 00 needs: docs/jupyterlite.md
            self.build_config.target_config["exclude"] = [
                "pruneviz/datasets/data/*.npz",
                "pruneviz/zoo/weights",
            ]
            patterns = tuple(pattern for pattern in LESSONS if "/[0-9]" not in pattern)
        for path in (path for pattern in patterns for path in (root / "lessons").glob(pattern)):
            build_data["force_include"][str(path)] = f"pruneviz/{path.relative_to(root).as_posix()}"


class Readme(MetadataHookInterface):
    """Give the description of the package."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Lead its links to the repository: a checkout can follow them as they stand, others cannot."""
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        text = re.sub(r"(!\[[^\]]*\]\()(?!https?://)", rf"\1{REPOSITORY}/raw/HEAD/", text)
        text = re.sub(r"(\]\()(?!https?://)", rf"\1{REPOSITORY}/blob/HEAD/", text)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
