"""SECURITY.md names a test for each attack, and each of them exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`\s*\|$", re.MULTILINE)


def names_in(path: Path) -> set[str]:
    """The names of a file's tests."""
    tree = ast.parse(path.read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_attack_has_its_test() -> None:
    """Each row of the table ends with a file, or a test in it, that is there."""
    text = (ROOT / "SECURITY.md").read_text()
    table = text.partition("| attack |")[2].strip().splitlines()[2:]
    named = NAMED.findall(text)
    assert len(named) == len([row for row in table if row.startswith("|")]) > 20
    missing = [
        f"{file}::{name}" for file, name in named
        if not (ROOT / file).is_file() or (name and name not in names_in(ROOT / file))
    ]  # fmt: skip
    assert missing == []
