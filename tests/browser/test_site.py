"""The course as pages: every page opens from a file and from a server, and every view in it moves.

The site is built once, from what the last run of the lessons has kept of their views.
"""

import functools
import http.server
import os
import re
import threading
from html.parser import HTMLParser
from pathlib import Path

import build
import course_map
import lab
import pytest
from pages import explorables, kept, writing

ROOT = Path(__file__).parents[2]
AXE = ROOT / "tests" / "js" / "node_modules" / "axe-core" / "axe.min.js"
LESSONS = build.find_lessons()
EXPLORE = [one.address for one in explorables.EXPLORABLES]
PLAIN = ["lessons.html", "search.html?q=mask", *(f"{note}.html" for note in writing.NOTES)]
READ = [lesson.path.relative_to(build.LESSONS).with_suffix(".html").as_posix() for lesson in LESSONS]
PAGES = ["index.html", *EXPLORE, *PLAIN, *READ]
MEGABYTES, MILLISECONDS = 60, 2000
# When the first pictures are drawn.
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
OPEN_ALL = "() => document.querySelectorAll('details').forEach((fold) => { fold.open = true; })"
OPEN_ANSWER = "() => document.querySelectorAll('main .answer').forEach((fold) => { fold.open = true; })"
LIVE = "() => [...document.querySelectorAll('.view')].filter((view) => view.querySelector('.pv')).length"
STATE = "(view) => JSON.stringify(view.querySelector('.pv').pruneviz.state())"
SHOWN = """(view) =>
  view.innerText + [...view.querySelectorAll('canvas')].map((canvas) => canvas.toDataURL()).join()"""
TABBABLE = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
  .filter((node) => node.tabIndex >= 0 && !node.disabled
    && node.checkVisibility({ visibilityProperty: true }))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    missing = [lesson.title for lesson in LESSONS if not kept.place(lesson).exists()]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"first run: pytest lessons, for the views of {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("site")
    writing.write(folder, LESSONS)
    return folder


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def from_files(browser):
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.seen = lab.watch(page)
    yield page
    context.close()


@pytest.fixture(scope="module")
def narrow(browser):
    """A dark screen of 320 pixels, which is 1,280 at 400%."""
    context = browser.new_context(viewport={"width": 320, "height": 800}, color_scheme="dark")
    page = context.new_page()
    page.seen = lab.watch(page)
    yield page
    context.close()


def opened(page, where):
    page.goto(where)
    page.evaluate(DRAWN)
    return page


def at(site, path):
    name, mark, query = path.partition("?")
    return (site / name).as_uri() + mark + query


def stays_inside(page):
    page.evaluate(OPEN_ALL)
    page.evaluate(DRAWN)
    return page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def move(view):
    """Move a view by its keyboard."""
    wire, slider, point = (view.locator(f"{name}:enabled") for name in (".pv-wire", ".pv-range", ".pv-point"))
    if wire.count():
        wire.first.press("Enter")
    elif slider.count():
        slider.first.press("ArrowLeft" if slider.first.input_value() == "1" else "ArrowRight")
    else:
        chosen = view.evaluate(STATE)
        point.last.press("Enter")
        if view.evaluate(STATE) == chosen:
            point.first.press("Enter")


@pytest.mark.parametrize("path", PAGES)
def test_from_a_file_a_page_is_there_at_once_and_every_view_moves(site, from_files, path):
    page = from_files
    times = (opened(page, at(site, path)).evaluate("() => performance.now()") for _ in range(3))
    assert any(milliseconds < MILLISECONDS for milliseconds in times)  # the machine may be busy once
    assert page.locator("h1").count() == 1
    views = page.locator(".view")
    lives = len(kept.read(LESSONS[READ.index(path)])) if path in READ else int(path not in PLAIN)
    assert page.evaluate(LIVE) == views.count() == lives
    page.evaluate(OPEN_ALL)
    for view in views.all():
        view.scroll_into_view_if_needed()
        page.evaluate(DRAWN)
        state, shown = view.evaluate(STATE), view.evaluate(SHOWN)
        move(view)
        page.evaluate(DRAWN)
        assert view.evaluate(STATE) != state
        assert view.evaluate(SHOWN) != shown
    assert stays_inside(page)
    assert page.seen == {"errors": [], "outside": []}


@pytest.mark.parametrize("path", ["index.html", *EXPLORE])
def test_a_page_of_one_screen_is_no_higher_than_one(site, from_files, path):
    page = opened(from_files, at(site, path))
    for button in page.locator(".guesses button").all():
        button.click()
    page.evaluate(OPEN_ANSWER)
    page.evaluate(DRAWN)
    assert page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")


def test_no_run_is_on_view_before_a_guess(site, from_files):
    page = opened(from_files, at(site, "explore/schedule.html"))
    runs = page.get_by_role("list", name="Runs").locator("li")
    assert "right" not in page.locator(".pv").inner_text()
    guess = page.get_by_role("button", name="most of them early")
    guess.press("Enter")
    page.evaluate(DRAWN)
    assert runs.count() == 3
    assert all("right at 98% pruned" in words for words in runs.all_inner_texts())
    assert page.locator(".guesses [aria-pressed=true]").all_inner_texts() == ["most of them early"]


@pytest.mark.parametrize("path", PAGES)
def test_from_a_server_a_page_fits_320_pixels(address, narrow, path):
    page = opened(narrow, f"{address}/{path}")
    assert page.evaluate(LIVE) == page.locator(".view").count()
    assert stays_inside(page)
    assert page.seen == {"errors": [], "outside": []}


def test_the_site_is_small(site):
    assert sum(file.stat().st_size for file in site.rglob("*") if file.is_file()) < MEGABYTES * 1e6


class Links(HTMLParser):
    """The links of a page, and the anchors that links may name."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, _tag, attributes):
        names = dict(attributes)
        self.links += [names[name] for name in ("href", "src", "action") if names.get(name)]
        self.anchors |= {names.get("id")}


def test_every_link_leads_to_a_page_or_to_a_file_of_the_repository(site):
    pages = {path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(pages) == len(PAGES)
    for path, page in pages.items():
        for link in page.links:
            where, _, anchor = link.partition("#")
            if found := re.match(r"https://github\.com/pruneviz/pruneviz/blob/HEAD/(.*)", where):
                assert (ROOT / found[1]).exists(), f"{path.name}: {link}"
            elif not re.match(r"[a-z]+:", link):
                target = (path.parent / where).resolve() if where else path
                assert target.exists(), f"{path.name}: {link}"
                assert not anchor or anchor in pages[target].anchors, f"{path.name}: {link}"


def of_all_kinds(site):
    """Give pages that are made in different ways, or show views that no other does."""
    seen = set()
    for path in ("index.html", *EXPLORE, *PLAIN, *READ):
        text = (site / path.partition("?")[0]).read_text(encoding="utf-8")
        new = set(re.findall(r'data-kind="(\w+)"', text)) - seen
        seen |= new
        if path not in READ or path == READ[0] or new:
            yield path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(site, from_files, theme):
    if not AXE.exists() and not os.environ.get("CI"):
        pytest.skip("npm --prefix tests/js install fetches axe-core")
    rules = "'color-contrast'" if theme == "dark" else "'wcag2a', 'wcag2aa', 'wcag21aa', 'best-practice'"
    from_files.emulate_media(color_scheme=theme)
    for path in of_all_kinds(site):
        page = opened(from_files, at(site, path))
        assert page.locator("html").get_attribute("data-theme") == theme
        page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
        found = page.evaluate(f"async () => (await axe.run({{ runOnly: [{rules}] }})).violations")
        serious = [
            (one["id"], node["html"][:200], node["failureSummary"])
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]
        assert (path, serious) == (path, [])
    from_files.emulate_media(color_scheme="light")


@pytest.mark.parametrize("path", ["index.html", *EXPLORE, READ[-1]])
def test_the_tab_key_comes_to_every_control(site, from_files, path):
    page = opened(from_files, at(site, path))
    page.evaluate(f"() => {{ window.due = new Set(({TABBABLE})()); window.all = window.due.size; }}")
    page.evaluate("() => document.addEventListener('focusin', (event) => window.due.delete(event.target))")
    for _ in range(page.evaluate("() => window.all") + 10):
        page.keyboard.press("Tab")
    left = "[...window.due].filter((node) => node.tabIndex >= 0)"
    assert page.evaluate(f"() => {left}.map((node) => node.outerHTML.slice(0, 150))") == []


def test_the_theme_follows_the_system_until_the_reader_chooses(site, browser):
    context = browser.new_context(color_scheme="dark")
    page = opened(context.new_page(), at(site, EXPLORE[1]))
    paper = "() => getComputedStyle(document.querySelector('.pv')).backgroundColor"
    dark = page.evaluate(paper)
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"(dark) => ({paper})() !== dark", arg=dark)
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate(paper) == dark
    page.wait_for_function("() => document.querySelector('.pv').hasAttribute('data-dark')")
    opened(page, at(site, EXPLORE[1]))
    assert page.evaluate(paper) == dark
    context.close()


def test_search_finds_a_section_once_with_its_page_in_each_track(site, from_files):
    page = opened(from_files, at(site, "lessons.html"))
    page.get_by_role("searchbox").fill("wilson interval")
    page.get_by_role("searchbox").press("Enter")
    first = page.locator(".found li").first
    first.wait_for()
    assert "have “wilson interval”" in page.locator("#said").inner_text()
    assert first.locator("a").all_inner_texts() == ["PyTorch", "TensorFlow"]
    assert first.locator("mark").first.inner_text().lower() in ("wilson", "interval")
    first.get_by_role("link", name="TensorFlow").click()
    page.wait_for_url("**/tensorflow/*.html#*")
    anchor = page.url.partition("#")[2]
    assert page.locator(f"[id='{anchor}']").is_visible()
    page.goto(f"{at(site, 'search.html')}?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E")
    assert page.locator("#said").inner_text().startswith("0 sections have")
    assert page.locator("main img").count() == 0


def test_the_map_leads_to_the_lesson_that_begins_with_an_answer(site, from_files):
    page = opened(from_files, at(site, "lessons.html"))
    rows = [(words, number) for *_, answers in course_map.ROWS for words, number in answers.items()]
    assert page.locator(".map a").all_inner_texts() == [f"{words} {number}" for words, number in rows]
    page.get_by_role("link", name="filter 03").click()
    assert page.locator("h1").inner_text().startswith("03 · ")


def test_what_needs_a_kernel_says_so(site, from_files):
    page = opened(from_files, at(site, "explore/joint-silence.html"))
    page.evaluate(DRAWN)
    assert page.locator(".view :is(input, select):disabled").count()
    assert page.locator(".view .note").is_visible()
    opened(page, at(site, "explore/flats.html"))
    page.evaluate(DRAWN)
    assert page.locator(".view .note").is_hidden()
    opened(page, at(site, "pytorch/05_iterative_pruning.html"))
    assert "Training needs a kernel" in page.locator(".pv-says").inner_text()


def test_on_paper_a_view_is_its_picture(site, from_files):
    page = opened(from_files, at(site, READ[1]))
    page.emulate_media(media="print", color_scheme="dark")
    paper = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    assert page.locator(".view > img").first.is_visible()
    assert page.locator(".pv").first.is_hidden()
    assert page.locator(".top").is_hidden()
    page.emulate_media(media="screen", color_scheme="light")
