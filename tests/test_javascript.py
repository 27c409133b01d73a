"""The browser's arithmetic, checked by node against NumPy's results, and how its modules are joined."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import pruneviz as pv
from pruneviz.widgets.explorer.units import UnitExplorer
from pruneviz.widgets.frame import assets

VIEWS = (
    *(pv.WeightExplorer, pv.NeuronExplorer, pv.FilterExplorer, pv.ChannelExplorer),
    *(pv.ScheduleExplorer, pv.TinyNetwork, pv.TradeoffExplorer, UnitExplorer, pv.CorruptionView),
)
needs_node = pytest.mark.skipif(
    not shutil.which("node") and not os.environ.get("CI"), reason="node is not installed"
)


def node(*arguments, **options):
    found = shutil.which("node")
    assert found, "install node: CI tests the JavaScript too"
    done = subprocess.run([found, *arguments], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def loaded(text, expression):
    """Load a module from a URL, as anywidget does; `whole` is its default export."""
    code = f"""
        import {{ readFileSync }} from "node:fs";
        const text = encodeURIComponent(readFileSync(0, "utf8"));
        const {{ default: whole }} = await import(`data:text/javascript,${{text}}`);
        console.log({expression});
    """
    return node("--input-type=module", "-e", code, input=text).strip()


@pytest.fixture
def written(monkeypatch):
    """Give a function that joins modules from a dict of texts; "last.js" comes last."""
    texts = {}
    monkeypatch.setattr(assets, "read", texts.__getitem__)

    def join(**given):
        texts.clear()
        texts.update({f"{name.replace('__', '/')}.js": text for name, text in given.items()})
        assets.script.cache_clear()
        return assets.script("last.js")

    yield join
    assets.script.cache_clear()


STYLES = sorted(Path(pv.__file__).parent.glob("widgets/*/*.css"))


@pytest.mark.parametrize("path", STYLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_styles_are_as_narrow_as_the_rest(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 120
    assert len(lines) <= 400


@needs_node
def test_javascript():
    node("--test", str(Path(__file__).parent / "js"))


@needs_node
@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_is_one_module_that_needs_no_other(view):
    text = view._esm
    found = re.findall(r"^(?:import|export)\b(?!\().*", text, re.MULTILINE)
    assert [line.partition(" modules")[0] for line in found] == ["export default"]
    assert "http" not in text
    assert loaded(text, "typeof whole.render") == "function"


@needs_node
def test_modules_share_no_names(written):
    text = written(
        last='import { one as first, two } from "./in/a.js";\nimport * as b from "./b.js";\n'
        "const own = [first, two(), b.one, new b.Own().one];\nexport default { own };\n",
        in__a='import { one as other } from "../b.js";\nconst own = 1;\n'
        "export const one = own + other;\nexport function two() { return own; }\n",
        b="const own = 20;\nexport const one = own;\nexport class Own { one = one; }\n",
    )
    assert text.count("\n// b.js\n") == 1
    assert loaded(text, "JSON.stringify(whole)") == '{"own":[21,1,20,20]}'


@pytest.mark.parametrize(
    "line",
    [
        "export let many = 0;",
        "export { many };",
        'export { many } from "./b.js";',
        'import "./b.js";',
        'import whole from "./b.js";',
        "export default class {}",
        "export const [one, two] = [1, 2];",
        'import { one } from "./b.js"',
    ],
)
def test_what_cannot_be_joined_is_named(written, line):
    with pytest.raises(ValueError, match=re.escape(f"last.js cannot be joined for its line: {line}")):
        written(last=f"const many = 1;\n{line}\n", b="export const one = 1;\n")


def test_a_circle_of_imports_is_named(written):
    with pytest.raises(ValueError, match=r"circle of imports: last\.js imports b\.js imports last\.js"):
        written(last='import { b } from "./b.js";\n', b='import { a } from "./last.js";\n')
