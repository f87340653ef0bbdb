"""The house numbers that no linter counts, over every file that is tracked or about to be.

Each rule is a function from one parsed file to its complaints, so that each is tested on a line.
"""

import ast
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("session", "bus", "ingest", "hub", "history", "tower")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
DOCSTRING_LINES_MAX = 8
WAIT_SECONDS_MAX = 0.1
COUNTED = {".lua", ".py", ".sh", ".ts", ".tsx"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Rule = Callable[[ast.Module], Iterator[str]]


def listed_by_git() -> list[Path]:
    """Every file that is tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    paths = (ROOT / name for name in listed.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def found_below_root() -> list[Path]:
    """The same in an unpacked archive, or where git does not answer."""
    hidden = {"node_modules", "dist", "__pycache__"}
    paths = (path for path in ROOT.rglob("*") if path.is_file())
    inside = ((path, path.relative_to(ROOT).parts) for path in paths)
    return sorted(
        path for path, parts in inside if not any(p[0] == "." or p in hidden for p in parts)
    )


FILES = (listed_by_git() if shutil.which("git") else []) or found_below_root()
PYTHON = [path for path in FILES if path.suffix == ".py"]
PROGRAM = [path for path in PYTHON if path.relative_to(ROOT).parts[0] in PACKAGES]
TESTS = [path for path in PYTHON if path.relative_to(ROOT).parts[0] == "tests"]


def complaints_in(paths: list[Path], rule: Rule) -> list[str]:
    """What a rule has to say about some files, each with its name in front."""
    return [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path in paths
        for complaint in rule(ast.parse(path.read_text()))
    ]


def functions_in(tree: ast.Module) -> Iterator[Function]:
    """Every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def long_functions(tree: ast.Module) -> Iterator[str]:
    """Functions longer than one sees at once."""
    for function in functions_in(tree):
        lines = (function.end_lineno or 0) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{function.name} has {lines} lines, more than {FUNCTION_LINES_MAX}"


def module_docstrings(tree: ast.Module) -> Iterator[str]:
    """Every module says in a few lines what it is; an empty one needs no words."""
    docstring = ast.get_docstring(tree)
    if docstring is None:
        if tree.body:
            yield "no module docstring"
    elif len(docstring.splitlines()) > DOCSTRING_LINES_MAX:
        yield f"the module docstring is longer than {DOCSTRING_LINES_MAX} lines"


def sentences(tree: ast.Module) -> Iterator[str]:
    """Every test states, in one sentence, the fact it proves."""
    for function in functions_in(tree):
        said = (ast.get_docstring(function) or "").strip()
        if function.name.startswith("test_") and not re.fullmatch(r"(.+\n)*.+[.!?]", said):
            yield f"{function.name} has no sentence that says what it proves"


def skips(tree: ast.Module) -> Iterator[str]:
    """A test is run, deselected or deleted; a skipped one is forgotten."""
    for node in ast.walk(tree):
        name = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        if re.fullmatch(r"(pytest|unittest)\.(mark\.)?(skip\w*|importorskip)", name):
            yield f"line {node.lineno}: {name}"  # type: ignore[attr-defined]


def waits(tree: ast.Module) -> Iterator[str]:
    """A test waits for what happens, never for time to pass."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name, value = ast.unparse(node.func), node.args[0].value
            is_sleep = name.split(".")[-1] == "sleep" and isinstance(value, int | float)
            if is_sleep and value >= WAIT_SECONDS_MAX:
                yield f"line {node.lineno}: {name}({value})"


def machine_paths(text: str, places: list[Path]) -> Iterator[str]:
    """Lines that name where something lies on one machine alone."""
    named = [re.escape(str(place)) for place in places if len(place.parts) > 2]
    pattern = re.compile("|".join([*named, r"/root(?=/)"]))
    for number, line in enumerate(text.splitlines(), 1):
        if found := pattern.search(line):
            yield f"line {number} names {found.group()}"


def parsed(source: str) -> ast.Module:
    """A made-up file."""
    return ast.parse(source)


def test_the_files_are_found() -> None:
    """The lists are not empty, so that no complaint means something."""
    assert PROGRAM
    assert Path(__file__).resolve() in TESTS


def test_files_are_short() -> None:
    """No source file is longer than can be read in one sitting."""
    lengths = {path: len(path.read_text().splitlines()) for path in FILES if path.suffix in COUNTED}
    assert {p.name: lines for p, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_are_short() -> None:
    """No Python function is longer than can be seen at once."""
    assert complaints_in(PYTHON, long_functions) == []


def test_modules_say_what_they_are() -> None:
    """Every module of the packages has a docstring, and a short one."""
    assert complaints_in(PROGRAM, module_docstrings) == []


def test_tests_say_what_they_prove() -> None:
    """Every test has a sentence."""
    assert complaints_in(TESTS, sentences) == []


def test_no_test_is_skipped() -> None:
    """No skip mark and no call of skip stands in a test."""
    assert complaints_in(TESTS, skips) == []


def test_no_test_sleeps() -> None:
    """No test waits a fixed time that a person would notice."""
    assert complaints_in(TESTS, waits) == []


def test_no_file_names_a_place_of_one_machine() -> None:
    """No file names this checkout, its neighbours or anybody's home as an absolute path."""
    places = [ROOT, ROOT.parent / "shared", Path.home()]
    texts = {path: path.read_bytes() for path in FILES}
    complaints = [
        f"{path.relative_to(ROOT)}: {complaint}"
        for path, content in texts.items()
        if b"\0" not in content
        for complaint in machine_paths(content.decode(errors="replace"), places)
    ]
    assert complaints == []


def test_a_long_function_is_found() -> None:
    """One line more than the limit is a complaint, the limit itself is not."""
    body = "    x = 1\n"
    at_limit, above = body * (FUNCTION_LINES_MAX - 1), body * FUNCTION_LINES_MAX
    assert list(long_functions(parsed("def f():\n" + at_limit))) == []
    assert list(long_functions(parsed("async def f():\n" + above))) == [
        f"f has {FUNCTION_LINES_MAX + 1} lines, more than {FUNCTION_LINES_MAX}"
    ]


def test_a_missing_or_long_docstring_is_found() -> None:
    """A module with code needs words, an empty one none, and nobody needs nine lines."""
    assert list(module_docstrings(parsed(""))) == []
    assert list(module_docstrings(parsed("x = 1"))) == ["no module docstring"]
    assert list(module_docstrings(parsed('"""' + "line\n" * 9 + '"""')))


def test_a_test_without_a_sentence_is_found() -> None:
    """Neither silence nor a phrase without an end is a sentence."""
    good = 'def test_a():\n    """Two and two\n    are four."""'
    assert list(sentences(parsed(good))) == []
    assert list(sentences(parsed("def test_a(): pass")))
    assert list(sentences(parsed('async def test_a():\n    """adding"""')))


def test_skips_and_waits_are_found() -> None:
    """Marks, calls and long sleeps are complaints, a short poll is not."""
    assert len(list(skips(parsed("@pytest.mark.skipif(True)\ndef f(): pytest.skip('x')")))) == 2
    assert list(waits(parsed("await asyncio.sleep(0.2)"))) == ["line 1: asyncio.sleep(0.2)"]
    assert list(waits(parsed("time.sleep(0.02)"))) == []


def test_a_path_of_a_machine_is_found() -> None:
    """The checkout's own place and root's home are found, a well-known program is not."""
    places = [Path("/srv/checkouts/tower")]
    text = "one\ncd /srv/checkouts/tower\n/" + "root/x\n/usr/bin/chromium"
    assert list(machine_paths(text, places)) == [
        "line 2 names /srv/checkouts/tower",
        "line 3 names /" + "root",
    ]
