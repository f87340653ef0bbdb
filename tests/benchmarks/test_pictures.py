"""Pictures are well-formed, show every value inside their frame, and say the same each time."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

from flame_picture import SHARE_MIN, costs, frame, parse, self_shares
from flame_picture import draw as draw_flame
from hypothesis import given
from hypothesis import strategies as st
from picture import HEIGHT, WIDTH, Axes, draw, short

SVG = "{http://www.w3.org/2000/svg}"
numbers = st.floats(0, 1e7, allow_nan=False)
curves = st.dictionaries(
    st.text(min_size=1, max_size=8).filter(lambda t: t.isprintable()),
    st.lists(st.tuples(numbers, numbers), max_size=12), max_size=4,
)  # fmt: skip


@given(curves, st.booleans(), st.booleans())
def test_whatever_the_values_are_they_are_drawn_inside(
    told: dict[str, list[tuple[float, float]]], log_x: bool, log_y: bool
) -> None:
    """Also where there are none, all are alike, or a name would be a tag."""
    drawn = draw("<a> & b", Axes("x", "y", log_x, log_y), told)
    root = ET.fromstring(drawn)  # noqa: S314 - our own text
    lines = root.findall(f"{SVG}polyline")
    assert len(lines) == sum(1 for points in told.values() if points)
    places = [pair.split(",") for each in lines for pair in each.attrib["points"].split()]
    assert all(0 <= float(x) <= WIDTH and 0 <= float(y) <= HEIGHT for x, y in places)


def test_a_larger_value_is_higher_and_further_right() -> None:
    """Along both axes, by the tick's own numbers."""
    drawn = draw("t", Axes("x", "y"), {"a": [(0, 0), (10, 5), (20, 10)]}, dots=True)
    found = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    xs, ys = [float(x) for x, _ in found], [float(y) for _, y in found]
    assert xs == sorted(xs)
    assert ys == sorted(ys, reverse=True)
    assert [ys[0] - ys[1], xs[1] - xs[0]] == [ys[1] - ys[2], xs[2] - xs[1]]


def test_the_same_values_are_the_same_picture() -> None:
    """So that a page changes only when its figures do."""
    told = {"a": [(1.0, 2.0), (3.0, 4.0)]}
    assert draw("t", Axes("x", "y"), told) == draw("t", Axes("x", "y"), told)


def test_values_at_axes_are_short() -> None:
    """Thousands and millions are words, small ones are not rounded away."""
    assert [short(each) for each in (0.25, 5, 200, 1500, 20_000, 3e6)] == [
        "0.25", "5", "200", "1500", "20k", "3M",
    ]  # fmt: skip


STACKS = [
    "main (/srv/x/tower/cli.py:3);pump (/srv/x/hub/worker.py:9);write (libc.so.6) 60",
    "main (/srv/x/tower/cli.py:3);pump (/srv/x/hub/worker.py:12);fold (session/fold.py:7) 30",
    "main (/srv/x/tower/cli.py:4);gc_collect_main (libpython.so) 9",
    "main (/srv/x/tower/cli.py:4);uv__io_poll (core.c:1);epoll_pwait (libc.so.6) 500",
    "no count",
    "main (/srv/x/tower/cli.py:4);seldom (a.py:1) 1",
]


def test_a_function_is_one_whatever_the_line() -> None:
    """And it is told from the root, or from the library that it is in."""
    stacks = parse(STACKS, "/srv/x")
    assert ("main (tower/cli.py)", "pump (hub/worker.py)", "write (libc.so.6)") in stacks
    assert sum(stacks.values()) == 100
    library = "/opt/lib/python3.11/site-packages/redis/client.py"
    assert frame(f"read ({library}:5)", "/srv/x") == "read (redis/client.py)"


def test_what_waits_and_what_only_passes_on_is_left_out() -> None:
    """A loop that sleeps does no work, and C between two functions of Python says little."""
    told = (
        "a (x/a.py:1);Loop__run (loop.c:9);b (x/b.py:2);gc_collect_main (gc.c:1);visit (gc.c:2) 5"
    )
    assert list(parse([told, STACKS[3]], "")) == [
        ("a (x/a.py)", "b (x/b.py)", "gc_collect_main (gc.c)", "visit (gc.c)"),
    ]  # fmt: skip


def test_a_sample_counts_for_one_cost() -> None:
    """So that they come to the whole."""
    told = costs(parse(STACKS, "/srv/x"))
    assert sum(told.values()) == 1.0
    assert told["writing to sockets: the system's own part"] == 0.6
    assert told["folding"] == 0.3
    assert told["collecting garbage"] == 0.09


def test_most_samples_end_where_the_list_begins() -> None:
    """With their shares."""
    assert self_shares(parse(STACKS, "/srv/x"))[0] == ("write (libc.so.6)", 0.6)


def test_a_flame_is_as_wide_as_its_share_and_leaves_out_what_is_seldom() -> None:
    """The root is as wide as the picture; what is below the least share is not there."""
    stacks = parse(STACKS, "/srv/x") + Counter({("rare (b.py)",): 0})
    root = ET.fromstring(draw_flame("<busy>", stacks))  # noqa: S314 - our own text
    boxes = {
        (group.findtext(f"{SVG}title") or "").rpartition(": ")[0]: group.find(f"{SVG}rect")
        for group in root.findall(f"{SVG}g")
    }
    widths = {name: float(box.attrib["width"]) for name, box in boxes.items() if box is not None}
    assert widths["main (tower/cli.py)"] == 1200.0
    assert widths["write (libc.so.6)"] == 720.0
    assert SHARE_MIN < 0.01
    assert "rare (b.py)" not in widths
