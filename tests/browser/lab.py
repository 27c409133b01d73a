"""A real JupyterLab on the loopback, in a folder of its own, and a chromium that knows no other host."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

_GUESSES = itertools.count()
CHROMIUM = os.environ.get("PRUNEVIZ_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
# The number on the card is the exact one, and belongs to the state the page shows.
SETTLED = """() => {
  const frame = document.querySelector('.pv').pruneviz;
  const measured = JSON.stringify(frame.get('exact').state) === JSON.stringify(frame.state());
  const painted = !frame.frameRequest;
  return measured && painted && document.querySelector('.pv-badge').textContent === 'exact';
}"""
INSIDE = """() => {
  const view = document.querySelector('.pv');
  return view.scrollWidth <= view.clientWidth;
}"""
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
}


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook that has not run."""
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(new_notebook(cells=[new_code_cell(cell) for cell in cells], metadata=kernel), path)


@contextlib.contextmanager
def jupyterlab(folder: Path, home: Path, **variables: str):
    """Serve a folder, with environment variables of its own; gives the address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = ["HOME", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"]
    places += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    environment = {**os.environ, **variables, **{name: str(home / name.lower()) for name in places}}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    for path, values in SETTINGS.items():
        file = home / "jupyterlab_settings_dir" / f"{path}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1"),
        *(f"--port={port}", "--ServerApp.port_retries=0", "--IdentityProvider.token="),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.disable_check_xsrf=True"),
        *("--LabApp.expose_app_in_browser=True", "--LabApp.extension_manager=readonly"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/api/status", server, home / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=2):
            return
        time.sleep(0.25)
    raise RuntimeError(f"JupyterLab did not start: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def chromium():
    """Start the browser."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # not needed where there is no browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def watch(page):
    """Collect what a page must not do: errors on the console, and requests that leave the machine."""
    seen = {"errors": [], "outside": []}
    page.on("pageerror", lambda error: seen["errors"].append(str(error)))
    page.on("console", lambda m: seen["errors"].append(m.text) if m.type == "error" else None)

    def note(request) -> None:
        local = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "file:", "about:")
        if not request.url.startswith(local):
            seen["outside"].append(request.url)

    page.on("request", note)
    return seen


def open_notebook(page, address: str, name: str, workspace: str = "w1") -> None:
    """Open a notebook, and run all its cells."""
    page.goto(f"{address}/lab/workspaces/{workspace}/tree/{name}?reset")
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.context?.isReady", timeout=90_000)
    idle(page)
    page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")


def idle(page, seconds: float = 90) -> None:
    """Wait until the kernel is idle."""
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext?.session?.kernel?.status === 'idle'",
        timeout=1000 * seconds,
    )


def run_python(page, code: str) -> str:
    """Run code in the notebook's kernel, and give what it prints; it knows what the page has changed before.

    While a change is on its way, ipywidgets keeps the next ones back: they leave once the kernel is idle.
    """
    return page.evaluate(
        """async (code) => {
          const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
          await kernel.requestExecute({ code: '', silent: true }).done;
          const future = kernel.requestExecute({ code });
          let out = '';
          future.onIOPub = (m) => {
            if (m.header.msg_type === 'stream' && m.content.name === 'stdout') out += m.content.text;
            if (m.header.msg_type === 'error') out += m.content.traceback.join('\\n');
          };
          await future.done;
          return out.trim();
        }""",
        code,
    )


@contextlib.contextmanager
def notebook(browser, server, name: str, *cells: str, ready: str = ".pv", height: int = 1700):
    """Open a notebook of these cells, all run, at the point where its view is there; gives the page."""
    address, folder = server
    write_notebook(folder / name, *cells)
    page = browser.new_page(viewport={"width": 1280, "height": height})
    page.seen = watch(page)
    open_notebook(page, address, name)
    page.wait_for_selector(ready, timeout=90_000)
    yield page
    leave(page)


def leave(page) -> None:
    """Close a notebook, and end its kernel: the server outlives both.

    It fails to end a kernel that it starts anew in this very moment, so it is asked until it has.
    """
    page.wait_for_function(
        """() => {
          const { shell, serviceManager } = window.jupyterapp;
          const { session } = shell.currentWidget.sessionContext;
          return !session || serviceManager.sessions.shutdown(session.id).then(() => true, () => false);
        }"""
    )
    page.close()


def first_state(page, more: str) -> None:
    """Put an explorer called view into the state every test starts from, with a guess made."""
    guess = 0.6 + next(_GUESSES) / 1e6  # one of its own, which tells that all of this has reached the page
    run_python(
        page,
        "with view.hold_sync():\n"
        "    view.sparsity = 0.5; view.scope = 'global'; view.criterion = 'magnitude'; view.by_hand = {}\n"
        f"    view.guess = {guess}; view.kept = []; view.compare = -1; view.moving = False\n"
        f"    {more}",
    )
    arrived = "(guess) => document.querySelector('.pv').pruneviz.get('guess') === guess"
    page.wait_for_function(arrived, arg=guess)
    page.wait_for_function("() => document.querySelector('.pv-range').value === '0.5'")


def kernel(page, expression: str):
    """Give what an expression is in the notebook's kernel."""
    return json.loads(run_python(page, f"import json; print(json.dumps({expression}))"))


def arrives(page, expression: str, value: object, seconds: float = 10) -> None:
    """Wait until the kernel has it: while it is busy, what the browser changed is held back and merged."""
    for _ in range(round(10 * seconds)):
        if (found := kernel(page, expression)) == value:
            painted(page)
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{expression} is {found}, not {value}")


def painted(page) -> None:
    """Wait until all views have painted what was changed; each does so once, in the next frame."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pv')].every((view) => !view.pruneviz?.frameRequest)"
    )


def settled(page, seconds: float = 30) -> None:
    """Wait until what is shown has been measured."""
    page.wait_for_function(SETTLED, timeout=1000 * seconds)


def type_sparsity(page, per_cent: str) -> None:
    """Fill in the box beside the slider."""
    box = page.get_by_label("Sparsity in per cent")
    box.fill(per_cent)
    box.press("Enter")
    painted(page)


def change_theme(page, theme: str) -> None:
    """Choose JupyterLab's "Dark" or "Light" theme, and wait until the view has followed."""
    page.evaluate(
        "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })",
        f"JupyterLab {theme}",
    )
    page.wait_for_function(
        "(dark) => document.querySelector('.pv').hasAttribute('data-dark') === dark", arg=theme == "Dark"
    )
    page.wait_for_timeout(600)


def widths(page):
    """Make the page wide, then narrow, and wide again at the end; nothing may stick out of the view."""
    before = page.viewport_size
    for width in (1280, 800):
        page.set_viewport_size({**before, "width": width})
        page.wait_for_timeout(300)
        assert page.evaluate(INSIDE)
        yield width
    page.set_viewport_size(before)


def picture(page, name: str) -> None:
    """Save a picture of the view where PRUNEVIZ_SCREENSHOTS says, to be looked at."""
    if folder := os.environ.get("PRUNEVIZ_SCREENSHOTS"):
        page.locator(".pv").screenshot(path=Path(folder) / f"{name}.png")


def nameless(page, kinds: str) -> list[str]:
    """Find what a screen reader would have no name for."""
    return page.evaluate(
        """(kinds) => [...document.querySelectorAll(`.pv :is(${kinds})`)]
          .filter((n) => !(n.labels?.length || n.ariaLabel || n.textContent.trim()))
          .map((n) => n.outerHTML.slice(0, 90))""",
        kinds,
    )


def too_small(page, kinds: str) -> list[str]:
    """Find what a finger would miss: narrower or lower than 24 pixels."""
    return page.evaluate(
        """(kinds) => [...document.querySelectorAll(`.pv :is(${kinds})`)]
          .map((n) => [n.textContent || n.ariaLabel, n.getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([name]) => name)""",
        kinds,
    )


def luminance(colour: str) -> float:
    """Weigh a colour, as WCAG does for contrast."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Weigh two colours against each other, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@contextlib.contextmanager
def offline(browser, path: Path, width: int = 320):
    """Open an exported page without a network, on a narrow screen: 320 pixels are 1280 at 400%."""
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    page = context.new_page()
    seen = watch(page)
    page.goto(path.as_uri())
    page.wait_for_selector(".pv")
    yield page
    assert not page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
    assert seen == {"errors": [], "outside": []}
    context.close()
