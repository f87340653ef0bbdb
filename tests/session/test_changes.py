"""Changes are complete: whoever applies only what they name holds the whole session."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from session.changes import Changes
from session.delta import Delta
from session.fold import fold, new_session
from session.state import (
    MAP_NAMES,
    SMALL_DETAIL_NAMES,
    SUMMARY_NAMES,
    Session,
    bucket,
    detail,
    item_view,
    series_is_merged,
)
from tests.session.made import (
    NOW,
    assistant,
    folded,
    hook,
    numbered,
    prompt,
    reports,
    result,
    tool_use,
    union,
)
from tests.session.strategies import boundaries, cuts_of, hook_streams, transcripts


class Copy:
    """A client that starts from an empty session and is told only what changed."""

    def __init__(self, session: Session) -> None:
        self.held = detail(session)
        for name in MAP_NAMES:
            self.held[name] = dict(self.held[name])
        self.buckets: dict[int, dict[str, Any]] = {}
        self.errors: dict[int, dict[str, Any]] = {}
        self.timeline: dict[int, Any] = {}
        self.items: dict[str, dict[str, Any]] = {}

    def apply(self, session: Session, changes: Changes) -> None:
        """Take over the present values of the changed names and keys."""
        assert changes.names <= {*SUMMARY_NAMES, *SMALL_DETAIL_NAMES}
        for name in changes.names:
            self.held[name] = getattr(session, name)
        for name in MAP_NAMES:
            present = getattr(session, name)
            for key in changes.keys.get(name, ()):
                if key in present:
                    self.held[name][key] = present[key]
                else:
                    self.held[name].pop(key, None)
        self._apply_series(session, changes)
        for item in changes.opened:
            self.items[item] = item_view(session.items[item])
        for item in changes.closed:
            self.items.pop(item, None)

    def _apply_series(self, session: Session, changes: Changes) -> None:
        minutes = changes.keys.get("token_series", set())
        if minutes and (series_is_merged(session) or not minutes <= session.minutes.keys()):
            self.buckets = {each["at"]: each for each in detail(session)["token_series"]}
        elif minutes:
            self.buckets |= {int(at): bucket(session, int(at)) for at in minutes}
        told = {each["seq"]: each for each in session.errors}
        self.errors |= {int(s): told[int(s)] for s in changes.keys.get("errors_list", ())}
        ring = {entry.seq: entry for entry in session.timeline}
        fresh = changes.keys.get("timeline", set())
        self.timeline |= {int(seq): ring[int(seq)] for seq in fresh if seq in ring}

    def agrees_with(self, session: Session) -> None:
        """Hold it against the session itself."""
        series = [self.buckets[at] for at in sorted(self.buckets)]
        errors = [self.errors[seq] for seq in sorted(self.errors)][-50:]
        whole = {**self.held, "token_series": series, "errors_list": errors}
        assert whole == detail(session)
        assert self.items == {key: item_view(item) for key, item in session.items.items()}
        entries = [self.timeline[seq] for seq in sorted(self.timeline)]
        assert entries[-len(session.timeline) :] == list(session.timeline)


def follow(stream: list[Delta], batches: list[int]) -> None:
    """Fold a stream in batches, one patch for each, and compare after every patch."""
    session = new_session(stream[0])
    copy, rest = Copy(session), numbered(stream)
    for size in batches:
        batch, rest = rest[:size], rest[size:]
        copy.apply(session, union([fold(session, delta) for delta in batch]))
        copy.agrees_with(session)
    for delta in rest:
        copy.apply(session, fold(session, delta))
        copy.agrees_with(session)


@st.composite
def streams(draw: st.DrawFn) -> list[Delta]:
    """Hooks, the main transcript, one subagent's and a file that is replaced."""
    main, sub, new = draw(transcripts()), draw(transcripts("a")), draw(transcripts("new"))
    told: list[Delta] = [*draw(hook_streams())]
    told += reports(b"".join(main), cuts=draw(cuts_of(main)))
    told += reports(b"".join(sub), "subagents/agent-a", draw(cuts_of(sub)))
    told = list(draw(st.permutations(told)))
    if draw(st.booleans()):
        told += reports(b"".join(new), generation=1, now=NOW + 90_000_000)
    return told


@given(streams(), st.lists(st.integers(1, 4), max_size=6))
def test_patches_rebuild_the_session(stream: list[Delta], batches: list[int]) -> None:
    """Present values of the changed names are enough, whatever is conflated into one patch."""
    follow(stream, batches)


@given(streams())
def test_one_union_says_what_all_its_parts_say(stream: list[Delta]) -> None:
    """A client that was behind for the whole stream is brought up by one patch."""
    follow(stream, [len(stream)])


def test_patches_rebuild_a_series_that_begins_to_merge() -> None:
    """The 241st minute makes the older ones merge: the series is sent whole then."""
    lines = [assistant(f"m{n}", at=NOW + n * 60_000) for n in range(260)]
    ends = boundaries(lines)
    follow(list(reports(b"".join(lines), cuts=ends)), [200, 39, 1, 1, 2])


def test_patches_rebuild_more_errors_than_are_kept() -> None:
    """The newest 50 remain, on both sides."""
    lines = [prompt("go")]
    for n in range(120):
        lines += [assistant(f"m{n}", tool_use(f"t{n}")), result(f"t{n}", error=True)]
    follow(list(reports(b"".join(lines), cuts=boundaries(lines)[::7])), [3, 9])


def test_patches_rebuild_a_full_ring() -> None:
    """The timeline's newest 500 entries are the same on both sides."""
    follow([hook("PreToolUse", NOW + n, tool="Bash", call=f"t{n}") for n in range(700)], [650, 7])


def test_nothing_changed_is_false() -> None:
    """An empty Changes is falsy, each kind of mark makes it true."""
    assert not Changes()
    for name, value in (("names", "x"), ("opened", "x")):
        changes = Changes()
        getattr(changes, name).add(value)
        assert changes
    closed = Changes()
    closed.closed["x"] = "allowed"
    assert closed
    keyed = Changes()
    keyed.key("tools", "Bash", "Read")
    assert keyed.keys == {"tools": {"Bash", "Read"}}


def test_union_is_the_order_of_its_parts() -> None:
    """The later outcome of an item wins, names and keys add up."""
    one, two = Changes(), Changes()
    one.name("status")
    one.key("tools", "Bash")
    one.closed["x"] = "allowed"
    two.name("title")
    two.key("tools", "Read")
    two.closed["x"] = "denied"
    whole = union([one, two])
    assert (whole.names, whole.keys) == ({"status", "title"}, {"tools": {"Bash", "Read"}})
    assert whole.closed == {"x": "denied"}
    assert one.keys == {"tools": {"Bash"}}


def test_a_value_that_stays_is_no_change() -> None:
    """A second prompt of the same turn does not send the unchanged status again."""
    stream = [hook("UserPromptSubmit", prompt="go"), hook("UserPromptSubmit", prompt="on")]
    session = folded(stream[:1])
    names = fold(session, numbered([*stream])[1]).names
    assert names == set()
