"""Every lesson keeps the template. nbval runs it, and its exercises solved (lessons/conftest.py)."""

import ast
import re

import build
import course_map
import nbformat
import pytest

from pruneviz import lessons

LESSONS = build.find_lessons()
IDS = [lesson.title for lesson in LESSONS]
CELLS, WORDS, WORDS_TO_THE_HAND, TABLES = 60, 1800, 200, 3
SECTIONS = [
    "What you will learn",
    "Now yours",
    "Quiz",
    "The question people really ask",
    "Recap",
    "Further reading",
]
INSTRUCTOR = (build.LESSONS / "INSTRUCTOR.md").read_text(encoding="utf-8")
SAID = {"Not yet", "Not answered yet", "Kernel died"}  # by a check and by Jupyter
HYPE = re.compile(
    r"\b(amazing|awesome|blazing|cutting-edge|game-chang\w+|magical|powerful|revolution\w+|seamless\w*)\b"
)


@pytest.fixture(params=LESSONS, ids=IDS)
def lesson(request):
    return request.param


@pytest.fixture
def notebook(lesson):
    return nbformat.read(lesson.path, as_version=4)


@pytest.fixture
def prose(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def section(prose, heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", prose, re.MULTILINE | re.DOTALL)[1]


def bullets(text):
    return re.findall(r"^- ", text, re.MULTILINE)


def printed(cell):
    texts = []
    for output in cell.outputs:
        texts += [
            output.get("text", ""),
            *(output.get("data", {}).get(m, "") for m in ("text/plain", "text/html")),
        ]
    return "\n".join(texts)


def is_live(output):
    """Say whether an output is of a view: it shows itself as the cell's result, a figure is displayed."""
    return output.output_type == "execute_result" and "image/png" in output.data


def test_the_sections_of_the_template_are_there_in_order(prose, lesson):
    headings = re.findall(r"^## (.+)$", prose, re.MULTILINE)
    there = [heading for heading in headings if heading in SECTIONS]
    assert there == [section for section in SECTIONS if section != "Now yours" or lesson.track]
    assert len(re.findall(r"^# ", re.sub(r"```.*?```", "", prose, flags=re.DOTALL), re.MULTILINE)) == 1
    for paragraph in ("Before you start", "Time", "Predict", "Touch", "Explain"):
        assert re.search(rf"^(> )?\*\*{paragraph}\.\*\*", prose, re.MULTILINE), paragraph


def test_the_recap_mirrors_what_you_will_learn(prose):
    points = len(bullets(section(prose, "What you will learn")))
    assert 1 <= points <= 4
    assert len(bullets(section(prose, "Recap"))) == points


def test_a_real_question_with_its_thread_and_full_references(prose):
    assert re.search(r"\]\(https://github\.com/\S+/\d+\)", section(prose, "The question people really ask"))
    references = section(prose, "Further reading")
    assert len(bullets(references)) >= 2
    assert re.search(r"\b(19|20)\d\d\b", references)


def told(notebook):
    """List a lesson's cells outside its exercises, quiz, script and reading list."""
    heading, cells = "", []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and (found := re.match(r"##+ (.+)", cell.source)):
            heading = found[1]
        apart = heading.startswith(("Exercise", *SECTIONS[1:4], SECTIONS[-1]))
        if not apart:
            cells.append(cell)
    return cells


def words(cells):
    """Count the words of prose; links count by their text, and pictures not at all."""
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return len(re.sub(r"!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)|[#>*|`_-]", " ", text).split())


def is_table(output):
    """Say whether an output prints four lines or more of three columns or more."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in output.get("text", "").splitlines()]
    return sum(len(line) >= 3 for line in lines) >= 4


def test_the_hand_comes_first(notebook):
    live = next(
        i
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "code" and any(is_live(output) for output in cell.outputs)
    )
    assert words(notebook.cells[:live]) <= WORDS_TO_THE_HAND


def test_a_lesson_can_be_finished(notebook):
    cells = told(notebook)
    assert len(cells) <= CELLS
    assert words(cells) <= WORDS
    pictures = [any("image/png" in o.get("data", {}) for o in c.get("outputs", ())) for c in cells]
    tables = [any(is_table(output) for output in c.get("outputs", ())) for c in cells]
    assert sum(table and not picture for table, picture in zip(tables, pictures, strict=True)) <= TABLES


def test_nothing_is_wider_than_a_page(notebook):
    for cell in code(notebook):
        assert max(map(len, cell.source.splitlines())) <= 100, cell.source
        for output in cell.outputs:
            assert max(map(len, output.get("text", "").splitlines()), default=0) <= 96, output.text


def test_every_prediction_is_kept_and_no_answer_is_open(notebook):
    predictions = len(re.findall(r"\*\*Predict\.\*\*", "\n".join(c.source for c in told(notebook))))
    answers = [cell for cell in tagged(notebook, "answer") if "guess" in cell.source]
    assert len(answers) == predictions
    for cell in answers:
        assert cell.metadata.jupyter.outputs_hidden
        assert cell.outputs[0] == build.FOLDED  # its first line is seen


def test_every_explanation_says_what_would_have_refuted_it(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            asked = re.findall(r"\*\*What would have shown us wrong\?\*\*", cell.source)
            assert len(asked) >= len(re.findall(r"\*\*Explain\.\*\*", cell.source)), cell.source


def test_there_is_an_exercise_in_each_third(notebook):
    places = [i for i, cell in enumerate(notebook.cells) if "exercise" in cell.metadata.get("tags", [])]
    assert {3 * place // len(notebook.cells) for place in places} == {0, 1, 2}


def test_the_lesson_ends_with_a_script_for_the_learners_own_network(lesson, notebook):
    if lesson.track:
        assert len(tagged(notebook, "yours")) == 1


def test_two_to_five_exercises_each_with_a_check_and_a_folded_solution(notebook, prose):
    assert 2 <= len(tagged(notebook, "exercise")) <= 5
    assert len(re.findall(r"^### Exercise \d", prose, re.MULTILINE)) == len(tagged(notebook, "exercise"))
    for i, cell in enumerate(notebook.cells):
        if "exercise" in cell.metadata.get("tags", []):
            check, solution = notebook.cells[i + 1 : i + 3]
            assert "Not answered yet:" in printed(check), check.source
            assert solution.source.startswith("<details>\n<summary>Solution</summary>")


def test_three_to_five_questions_with_one_right_option_and_a_reason_for_each(notebook):
    questions = tagged(notebook, "quiz")
    assert 3 <= len(questions) <= 5
    for cell in questions:
        options = re.findall(r"<summary>.+?</summary>\n\n\*\*(.+?)\*\* (.+?)\n\n</details>", cell.source)
        assert len(options) == cell.source.count("<details>") >= 2
        assert [verdict for verdict, _ in options].count("Right.") == 1
        assert all(len(reason.split()) >= 4 for _, reason in options)


def test_every_picture_says_what_it_shows(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            assert not {"image/jpeg", "image/svg+xml"} & set(data), "show pictures with pv.teaching.show"
            assert all("alt=" in image for image in re.findall(r"<img[^>]*>", data.get("text/html", "")))
            if "image/png" in data:
                words = output.metadata["image/png"]["alt"]
                assert len(words.split()) >= 8, cell.source
                assert data["text/plain"] == (words if is_live(output) else f"Figure: {words}")


def test_no_cell_ends_in_a_value_that_nobody_asked_for(notebook):
    for cell in code(notebook):
        for output in cell.outputs:
            assert output.output_type != "execute_result" or is_live(output), cell.source


def test_every_live_view_is_moved_from_code_and_tells_what_it_shows(notebook):
    for cell in code(notebook):
        if any(is_live(output) for output in cell.outputs):
            name = re.search(r"(\w+)\W*\Z", cell.source)[1]
            moved = [c for c in code(notebook) if re.search(rf"^\s*{name}\.\w+ = ", c.source, re.MULTILINE)]
            told = [c for c in moved if re.search(rf"print\(.*\b{name}\.", c.source) and printed(c)]
            assert told, f"no cell moves {name} from code and prints what it shows"


# What a view shows when it opens, unless the lesson says otherwise.
OPENS = {"sparsity": 0.5, "scope": "global", "criterion": "magnitude", "by_hand": {}, "cut": [], "begin": 0}
# Moved for good: what is left of one is measured further on, and the other is there for its comparison.
MOVED = {"taken", "scopes"}


def tree(source):
    return compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def final(source):
    """Give what a cell assigns last: (name, attribute) -> its value; a name stands for itself."""
    values, loops = {}, {}
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            targets = getattr(node.target, "elts", [node.target])
            last = getattr(node.iter.elts[-1], "elts", [node.iter.elts[-1]])
            loops.update({t.id: v for t, v in zip(targets, last, strict=False)})
    assigned = [node for node in ast.walk(tree(source)) if isinstance(node, ast.Assign)]
    for node in sorted(assigned, key=lambda node: node.lineno):
        targets = getattr(node.targets[0], "elts", node.targets)
        given = node.value.elts if isinstance(node.targets[0], ast.Tuple) else [node.value]
        for target, value in zip(targets, given, strict=True):
            if isinstance(target, ast.Attribute):
                values[target.value.id, target.attr] = loops.get(getattr(value, "id", None), value)
    return values


def opened(notebook, name):
    """Give the keywords with which a lesson opens a view."""
    for cell in code(notebook):
        for node in ast.walk(tree(cell.source)):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
                return {word.arg: word.value for word in node.value.keywords}
    raise AssertionError(name)


def test_a_view_that_code_has_moved_stands_as_it_was_opened(notebook):
    for cell in tagged(notebook, "drive"):
        for (name, attribute), value in final(cell.source).items():
            if name in MOVED or attribute in ("followed", "running"):
                continue
            if isinstance(value, ast.Name):  # noted before it was moved
                assert f"{value.id} = {name}.{attribute}\n" in cell.source
                continue
            start = opened(notebook, name).get(attribute)
            before = ast.literal_eval(start) if start else OPENS[attribute]
            assert ast.literal_eval(value) == before, f"{name}.{attribute} in\n{cell.source}"


def test_the_notebook_is_executed_from_top_to_bottom_without_noise(notebook, lesson):
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert not [
        output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert lesson.path.stat().st_size < 1_500_000
    build.normalise(notebook)  # refuses a path of the machine


def test_the_voice(prose):
    assert prose.count("—") <= 3
    assert not HYPE.findall(prose.lower())


def test_links_between_lessons_lead_somewhere(prose, lesson):
    for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", prose):
        assert (lesson.path.parent / target).exists(), target


def test_a_lesson_shows_where_it_stands_on_the_map(lesson, prose):
    name = lesson.source.name.split("_")[0]
    ((said, target),) = re.findall(r"!\[([^\]]*)\]\(([^)]*/\w+\.svg)\)", prose)
    picture = (lesson.path.parent / target).resolve()
    assert picture == course_map.FOLDER / f"{name}.svg"
    assert said == course_map.words(name)
    assert picture.read_text(encoding="utf-8") == course_map.draw(name), "run lessons/course_map.py"


def test_each_lesson_answers_every_question_of_the_map_and_begins_what_the_map_says():
    answers_to, question = {}, ""
    for asked, _, answers in course_map.ROWS:
        question = asked or question
        answers_to.setdefault(question, set()).update(answers)
    begins = {}
    for name, lit in course_map.LESSONS.items():
        here = set(lit.split(", "))
        assert all(here & answers for answers in answers_to.values()), name
        for answer in here:
            begins.setdefault(answer, name)
    assert begins == {a: n for *_, answers in course_map.ROWS for a, n in answers.items()}
    assert sorted(course_map.LESSONS) == sorted({x.source.name.split("_")[0] for x in LESSONS})


def test_the_map_is_as_wide_as_its_boxes():
    for *_, answers in course_map.ROWS:
        last = course_map.boxes(answers)[-1]
        assert last.left + last.width < course_map.WIDTH


def test_the_instructor_plans_the_minutes_that_the_lesson_announces(lesson, prose):
    name = lesson.source.name.split("_")[0]
    time = re.search(r"\*\*Time\.\*\* (\d+) minutes, and (\d+) for the exercises", prose)
    teach, exercises = map(int, time.groups())
    assert re.search(rf"^\| {name} · .* \| {teach} min \| {exercises} min \|", INSTRUCTOR, re.MULTILINE)
    plan = section(INSTRUCTOR, f"Lesson {name}, minute by minute")
    rows = [tuple(map(int, row)) for row in re.findall(r"^\| (\d+)–(\d+) \|", plan, re.MULTILINE)]
    starts, ends = zip(*rows, strict=True)
    assert (0, *ends) == (*starts, teach + exercises)
    assert teach in ends


def test_half_a_day_and_two_days_give_each_lesson_its_minutes():
    times = {
        name: (int(teach), int(teach) + int(exercises))
        for name, teach, exercises in re.findall(
            r"^\| (\w+) · .* \| (\d+) min \| (\d+) min \|", INSTRUCTOR, re.MULTILINE
        )
    }
    plan = section(INSTRUCTOR, "Half a day, and two days")
    for table, days in zip(re.split(r"\n\n(?=The first)", plan), (1, 2), strict=True):
        for day in range(days):
            rows = re.findall(r"(\d+)–(\d+) \| ([^|]+) \|", "\n".join(_columns(table, day)))
            assert [int(end) for _, end, _ in rows][:-1] == [int(start) for start, *_ in rows][1:]
            for start, end, part in rows:
                name, _, practised = part.partition(", with ")
                if name in times:
                    assert int(end) - int(start) == times[name][bool(practised)], part


def _columns(table, day):
    """Give the rows of one day: two columns of the table."""
    for row in re.findall(r"^\| (.*) \|$", table, re.MULTILINE):
        yield " | ".join(row.split(" | ")[2 * day : 2 * day + 2]) + " |"


def test_the_sections_that_the_instructor_names_are_there():
    headings = {
        line.lstrip("# ").split(" · ")[-1].strip('?"')
        for lesson in LESSONS
        for cell in build.compose(lesson).cells
        for line in re.findall(r"^##+ .+$", cell.source, re.MULTILINE)
    }
    named = re.findall(r'(?<=[ |:])"([A-Z][a-z ][^"]+?)[,.?]?"', " ".join(INSTRUCTOR.split()))
    assert len(named) > 30
    assert set(named) - headings <= SAID


def test_the_tracks_are_twins():
    for source in {lesson.source for lesson in LESSONS if lesson.track}:
        headings = []
        for lesson in (lesson for lesson in LESSONS if lesson.source == source):
            text = "\n".join(cell.source for cell in build.compose(lesson).cells)
            neutral = re.sub(r"PyTorch|TensorFlow|Keras", "the framework", text)
            headings.append(re.findall(r"^## .+$", neutral, re.MULTILINE))
        assert headings[0] == headings[1], source.name


def test_the_glossary_gives_each_word_its_meaning():
    words = lessons.glossary()
    assert words["accuracy"] == "the share of right answers"  # the second of two in a row
    assert words["score"] == words["saliency"] == "a guess at importance, by which weights are ranked"
    assert words["weight"].startswith("a number that multiplies an input; with the biases, the parameters")
    assert not [word for word, meaning in words.items() if {"|", "*"} & {*word, *meaning}]
