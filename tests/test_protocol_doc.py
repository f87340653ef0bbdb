"""The protocol's page and the hub speak of the same frames, limits and shapes, both ways round.

Each frame has a section of its own in docs/protocol.md, headed by its type, with an example.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import hub.limits
import ingest.limits
import ingest.ship.limits
from hub.live import requests
from hub.live.client import Client
from hub.live.hello import parse_hello
from hub.live.switchboard import Switchboard
from ingest.adapters import claude_hooks
from session import codec, events, report, state
from session.delta import Event, Report
from session.timeline import TimelineEntry
from tests.test_docs import documented

ROOT = Path(__file__).resolve().parent.parent
PROTOCOL = ROOT / "docs" / "protocol.md"
REFERENCE = ROOT / "docs" / "reference.md"
SPEAKERS = [*sorted((ROOT / "hub" / "live").glob("*.py")), ROOT / "hub" / "websocket.py"]
FROM_CLIENT, FROM_HUB = "From the client to the hub", "From the hub to the client"
LIMITS = (
    hub.limits.Limits, hub.limits.DoorLimits, ingest.limits.Limits, ingest.ship.limits.Limits,
)  # fmt: skip
BUILDERS = {"frame", "rows_frames", "Frame", "client.tell"}


def trees() -> Iterator[ast.Module]:
    """The modules that make frames or take them."""
    for path in SPEAKERS:
        yield ast.parse(path.read_text())


def nodes() -> Iterator[ast.AST]:
    """Every node of them."""
    for tree in trees():
        yield from ast.walk(tree)


def constants(tree: ast.Module) -> dict[str, str]:
    """The texts that a module has names for, one by one or in a row."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            pairs = zip(ast.walk(node.targets[0]), ast.walk(node.value), strict=False)
            for name, value in pairs:
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                    found[name.id] = str(value.value)
    return found


def emitted() -> set[str]:
    """The types of frames that the hub makes: by a builder's name, or written out as bytes."""
    kinds: set[str] = set()
    for tree in trees():
        known = constants(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func) in BUILDERS:
                kinds |= texts(node.args[0]) | {known.get(ast.unparse(node.args[0]), "")} - {""}
            elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                kinds |= {kind.decode() for kind in re.findall(rb'"type":"([a-z.]+)"', node.value)}
    return kinds


def accepted() -> set[str]:
    """The types of frames that the hub takes: its table, and those that it compares with."""
    kinds = set(requests._TABLE) | requests.ANSWERS
    for node in nodes():
        if isinstance(node, ast.Compare) and ast.unparse(node.left).endswith(".get('type')"):
            kinds |= {kind for other in node.comparators for kind in texts(other)}
    return kinds


def texts(node: ast.AST) -> set[str]:
    """The text constants in an expression."""
    found = (each for each in ast.walk(node) if isinstance(each, ast.Constant))
    return {each.value for each in found if isinstance(each.value, str)}


def sections(heading: str) -> dict[str, str]:
    """The sections of the protocol's page below a heading, by the frame's type."""
    _, _, rest = PROTOCOL.read_text().partition(f"\n## {heading}\n")
    pieces = re.split(r"^### `(.+)`$", rest.partition("\n## ")[0], flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def example(section: str) -> dict[str, Any]:
    """The first example of a section."""
    return msgspec.json.decode(blocks(section, "json")[0], type=dict[str, Any])


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def shape_names(heading: str) -> set[str]:
    """The names that the code has for a table of the reference."""
    found: dict[str, set[str]] = {
        "Session summary": set(state.SUMMARY_NAMES),
        "Session detail": {
            *state.MAP_NAMES, *state.SMALL_DETAIL_NAMES, *state.SERIES_NAMES
        } - {"timeline"},
        "Timeline entry": set(TimelineEntry.__struct_fields__),
        "Event kinds": set(events.HANDLERS),
        "Report values": {*report.KEYED, *report.PLAIN},
    }  # fmt: skip
    return found[heading]


def made_client() -> tuple[Switchboard, Client]:
    """A board and a client that has been greeted."""
    limits = hub.limits.Limits()
    board, client = Switchboard(limits, "w"), Client("c", "default", limits, lambda: None)
    board.attach(client, parse_hello({"type": "hello", "protocol": 1}, limits), 0)
    return board, client


def test_every_frame_from_a_client_has_a_section() -> None:
    """What the hub accepts is documented, and what is documented is accepted."""
    assert set(sections(FROM_CLIENT)) == accepted()


def test_every_frame_from_the_hub_has_a_section() -> None:
    """What the hub sends is documented, and what is documented is sent."""
    assert set(sections(FROM_HUB)) == emitted()


@pytest.mark.parametrize("heading", [FROM_CLIENT, FROM_HUB])
def test_a_section_shows_its_frame(heading: str) -> None:
    """The first example of a section is a frame of that type."""
    assert [kind for kind, text in sections(heading).items() if example(text)["type"] != kind] == []


@pytest.mark.parametrize("page", [PROTOCOL, REFERENCE], ids=lambda page: page.name)
def test_every_example_parses(page: Path) -> None:
    """Every JSON example is JSON, and every Python example is Python."""
    text = page.read_text()
    assert blocks(text, "json")
    for block in blocks(text, "json"):
        msgspec.json.decode(block)
    for block in blocks(text, "python"):
        ast.parse(block)


def test_the_hub_understands_the_examples() -> None:
    """No example of a client's frame is refused as a bad one."""
    told = {kind: example(text) for kind, text in sections(FROM_CLIENT).items()}
    assert parse_hello(told.pop("hello"), hub.limits.Limits()).active == "c41d"
    for request in told.values():
        board, client = made_client()
        requests.focus(board, client, request, 0)
        answers = [msgspec.json.decode(told.payload) for told in iter(client.outbox.pop, None)]
        assert "bad_frame" not in [answer.get("code") for answer in answers], request["type"]


def test_the_log_understands_the_examples() -> None:
    """The examples of deltas are deltas, of both types that may be sent."""
    examples = [block.encode() for block in blocks(REFERENCE.read_text(), "json")]
    deltas = [codec.from_json_line(each) for each in examples if b'"received_at"' in each]
    assert {type(delta) for delta in deltas} == {Report, Event}


def test_every_limit_is_documented_with_its_default() -> None:
    """The tables of limits name each one, with the default that it has."""
    defaults = {
        name: value for each in LIMITS for name, value in msgspec.to_builtins(each()).items()
    }
    cells = {name: row.split("|")[2] for name, row in documented("Limits").items()}
    assert {name: int(cell.replace(",", "")) for name, cell in cells.items()} == defaults


@pytest.mark.parametrize(
    "heading",
    ["Session summary", "Session detail", "Timeline entry", "Event kinds", "Report values"],
)
def test_every_shape_is_documented(heading: str) -> None:
    """The tables of shapes have the names that the code has, and no others."""
    assert set(documented(heading)) == shape_names(heading)


def test_an_item_is_documented() -> None:
    """The table of an attention item has the fields that clients are sent."""
    item = state.Item(id="i", session="s", kind="plan", tool=None, summary="", opened_at=0)
    assert set(documented("Attention item")) == set(state.item_view(item))


def test_every_hook_that_means_something_is_documented() -> None:
    """The table of hooks gives the kind of event that each one becomes."""
    found = {name: kind for name, (kind, _) in claude_hooks.READERS.items() if kind != "other"}
    table = re.findall(r"^\| `([A-Z]\w+)` \| `(\w+)`", REFERENCE.read_text(), re.MULTILINE)
    assert dict(table) == found


@pytest.mark.parametrize("page", [PROTOCOL, REFERENCE], ids=lambda page: page.name)
def test_every_link_arrives(page: Path) -> None:
    """A link to a heading names one that is there."""
    for name, anchor in re.findall(r"\]\((\w+\.md)?#([\w-]+)\)", page.read_text()):
        target = page.parent / name if name else page
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        assert anchor in {slug(each) for each in headings}, f"{name}#{anchor}"
