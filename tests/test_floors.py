"""Imports only fall: every module has a floor, and imports nothing from a higher one.

It reads the sources and imports none of them. Late imports and those for types count as well.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The first pattern that matches a module's dotted name (wholly) gives its floor.
FLOORS = (
    (r"session(\..+)?", 0),
    (r"bus(\..+)?", 1),
    (r"ingest", 2),
    (r"ingest\.(adapters(\..+)?|redact(\..+)?|errors|limits|metrics)", 2),
    (r"ingest\.app", 4),
    (r"ingest\..+", 3),
    (r"hub", 2),
    (r"hub\.(live(\..+)?|errors|kept|limits|metrics)", 2),
    (r"hub\.(worker|refold|recall)", 3),
    (r"hub\..+", 4),
    (r"history", 2),
    (r"history\.(housekeeping|recorder|scribe)", 3),
    (r"history\..+", 2),
    (r"tower(\..+)?", 5),
)
PACKAGES = {pattern.split("(")[0].split("\\")[0] for pattern, _ in FLOORS}

PURE = re.compile(
    r"(session|hub\.live|ingest\.adapters|ingest\.redact)(\..+)?"
    r"|ingest\.ship\.(backoff|parcels|verdict)"
)
IMPURE = {"asyncio", "random", "redis", "sqlalchemy", "starlette", "time", "uvicorn"}
ONLY_IN = {"redis": "bus", "sqlalchemy": "history"}
STRANGERS = ({"ingest", "hub"},)
CLOCKS = {"now", "today", "utcnow"}


@dataclass(frozen=True)
class Import:
    """One import of one module, and where it stands."""

    importer: str
    imported: str
    line: int


def floor_of(module: str) -> int:
    """The floor a module stands on."""
    return next(floor for pattern, floor in FLOORS if re.fullmatch(pattern, module))


def modules_in(root: Path) -> dict[str, Path]:
    """Every module of the packages that exist, by its dotted name."""
    modules = {}
    for path in (file for package in PACKAGES for file in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return modules


def imports_of(module: str, path: Path, known: set[str]) -> Iterator[Import]:
    """What a module imports; `from a import b` means a.b where that is a module."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            parts = (above if node.level else []) + ([node.module] if node.module else [])
            for alias in node.names:
                whole = ".".join([*parts, alias.name])
                yield Import(module, whole if whole in known else ".".join(parts), node.lineno)


def complaints_about(found: Import) -> Iterator[str]:
    """What is wrong with one import."""
    where = f"{found.importer}:{found.line} imports {found.imported}"
    ours, theirs = found.importer.split(".")[0], found.imported.split(".")[0]
    if theirs in IMPURE and PURE.fullmatch(found.importer):
        yield f"{where}, but it is pure"
    if ONLY_IN.get(theirs, ours) != ours:
        yield f"{where}, which only {ONLY_IN[theirs]} may"
    if theirs not in PACKAGES or theirs == ours == found.imported:
        return
    if theirs != ours and {ours, theirs} in STRANGERS:
        yield f"{where}; these two never meet"
    if floor_of(found.imported) > floor_of(found.importer):
        yield f"{where}, from floor {floor_of(found.importer)} up to {floor_of(found.imported)}"


def clocks_in(module: str, path: Path) -> Iterator[str]:
    """Readings of the clock in a pure module."""
    if not PURE.fullmatch(module):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in CLOCKS:
            owner = ast.unparse(node.value).split(".")[-1]
            if owner in {"datetime", "date"}:
                yield f"{module}:{node.lineno} reads the clock, but it is pure"


def cycles_in(graph: dict[str, set[str]]) -> Iterator[str]:
    """Each cycle once, by a walk that remembers its path."""
    done: set[str] = set()

    def walk(module: str, path: list[str]) -> Iterator[str]:
        if module in path:
            yield "a cycle: " + " → ".join([*path[path.index(module) :], module])
        elif module not in done:
            for imported in sorted(graph.get(module, ())):
                yield from walk(imported, [*path, module])
            done.add(module)

    for module in sorted(graph):
        yield from walk(module, [])


def complaints_in(root: Path) -> list[str]:
    """Everything that breaks a rule in the packages below a folder."""
    modules = modules_in(root)
    graph: dict[str, set[str]] = {}
    complaints = []
    for module, path in sorted(modules.items()):
        for found in imports_of(module, path, set(modules)):
            complaints += complaints_about(found)
            if found.imported in modules and found.imported != module:
                graph.setdefault(module, set()).add(found.imported)
        complaints += clocks_in(module, path)
    return complaints + list(cycles_in(graph))


def make(root: Path, **sources: str) -> Path:
    """A made-up tree: hub__live__cache="import x" is the file hub/live/cache.py."""
    for name, source in sources.items():
        path = root / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return root


def test_imports_only_fall() -> None:
    """No module of this project imports upwards, in a circle, or what its room forbids."""
    assert complaints_in(ROOT) == []


def test_every_package_is_seen() -> None:
    """The walk really reaches the packages, so that an empty list of complaints means something."""
    seen = {module.split(".")[0] for module in modules_in(ROOT)}
    assert {"session", "bus", "ingest", "hub", "tower"} <= seen


def test_a_tree_that_falls_is_accepted(tmp_path: Path) -> None:
    """Downward and sideways imports are fine, absolute or relative, of packages or names."""
    root = make(
        tmp_path,
        session__fold="from dataclasses import dataclass\n",
        bus__redis="import redis\nfrom session.fold import fold\n",
        hub__live__cache="from session import fold\n",
        hub__app="from .live import cache\nfrom hub.worker import Worker\n",
        hub__worker="import asyncio\nimport bus.redis\n",
        tower__up="def start():\n    from hub.app import app\n",
    )
    assert complaints_in(root) == []


def test_a_rise_is_found(tmp_path: Path) -> None:
    """An upward import is named with its line, also a late one and a relative one."""
    root = make(
        tmp_path,
        session__fold="def late():\n    import bus.memory\n",
        bus__memory="",
        hub__live__groups="from ..worker import Worker\n",
        hub__worker="",
    )
    assert complaints_in(root) == [
        "hub.live.groups:1 imports hub.worker, from floor 2 up to 3",
        "session.fold:2 imports bus.memory, from floor 0 up to 1",
    ]


def test_a_cycle_is_found(tmp_path: Path) -> None:
    """Two modules of one floor that import each other are a cycle, reported once."""
    root = make(tmp_path, session__a="from session import b\n", session__b="import session.a\n")
    assert complaints_in(root) == ["a cycle: session.a → session.b → session.a"]


def test_a_forbidden_library_is_found(tmp_path: Path) -> None:
    """Pure rooms refuse the impure ones; redis and sqlalchemy have one room each."""
    root = make(
        tmp_path,
        session__state="import asyncio\nfrom random import random\n",
        hub__live__outbox="import redis.asyncio\n",
        ingest__publish="from sqlalchemy.ext import asyncio\n",
    )
    assert complaints_in(root) == [
        "hub.live.outbox:1 imports redis.asyncio, but it is pure",
        "hub.live.outbox:1 imports redis.asyncio, which only bus may",
        "ingest.publish:1 imports sqlalchemy.ext, which only history may",
        "session.state:1 imports asyncio, but it is pure",
        "session.state:2 imports random, but it is pure",
    ]


def test_a_clock_in_a_pure_room_is_found(tmp_path: Path) -> None:
    """Pure code takes the time as an argument, however the clock is spelled."""
    root = make(
        tmp_path,
        session__state="import datetime\nat = datetime.datetime.now()\n",
        hub__worker="from datetime import datetime\nat = datetime.now()\n",
    )
    assert complaints_in(root) == ["session.state:2 reads the clock, but it is pure"]


def test_ingest_and_hub_never_meet(tmp_path: Path) -> None:
    """Neither imports the other, even downwards."""
    root = make(
        tmp_path,
        hub__app="import ingest.redact\n",
        ingest__redact="",
        ingest__app="from hub.live.frames import frame\n",
        hub__live__frames="",
    )
    assert complaints_in(root) == [
        "hub.app:1 imports ingest.redact; these two never meet",
        "ingest.app:1 imports hub.live.frames; these two never meet",
    ]


def test_nobody_imports_tower(tmp_path: Path) -> None:
    """The top floor is imported by itself alone."""
    root = make(
        tmp_path,
        hub__app="from tower import settings\n",
        tower__settings="",
        tower__cli="from tower import settings\n",
    )
    assert complaints_in(root) == ["hub.app:1 imports tower.settings, from floor 4 up to 5"]
