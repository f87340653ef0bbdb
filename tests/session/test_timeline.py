"""The timeline: immutable entries, a dense seq, a ring of the newest 500 and 256 KiB."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from session.delta import Entry
from session.timeline import KNOWN_IDS_MAX, RING_BYTES_MAX, RING_ENTRIES_MAX, Timeline


def entry(name: str, text: str = "") -> Entry:
    """An entry of that id."""
    return Entry(id=name, kind="message", at=1, text=text)


def filled(count: int, text: str = "") -> Timeline:
    """A timeline to which entry n was added at the log's number n."""
    timeline = Timeline()
    for number in range(1, count + 1):
        timeline.add(entry(f"e{number}", text), number)
    return timeline


def test_the_seq_is_dense_and_an_id_exists_once() -> None:
    """A repeated id takes no seq."""
    timeline = Timeline()
    assert [timeline.add(entry(name), 1) for name in ("a", "a", "b")] == [1, None, 2]
    assert [each.id for each in timeline] == ["a", "b"]


def test_the_ring_keeps_the_newest_500() -> None:
    """The seq goes on counting."""
    timeline = filled(RING_ENTRIES_MAX + 20)
    assert len(timeline) == RING_ENTRIES_MAX
    assert [timeline.entries[0].seq, timeline.entries[-1].seq] == [21, 520]


def test_the_ring_holds_at_most_256_kib_of_text() -> None:
    """Counted in bytes, also where a character takes several."""
    for text in ("x" * 2_048, "é" * 1_024, "続" * 682):
        timeline = filled(400, text)
        assert 100 < len(timeline) < 400
        assert sum(len(each.text.encode()) for each in timeline) <= RING_BYTES_MAX


def test_the_ring_says_whether_it_covers_a_gap() -> None:
    """What was added after a number, or None where entries after it are dropped."""
    timeline = filled(RING_ENTRIES_MAX + 20)
    assert timeline.since(19) is None
    covered = timeline.since(20)
    assert covered is not None
    assert [each.seq for each in covered] == list(range(21, 521))
    assert timeline.since(520) == []


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 3_000)), max_size=900))
def test_the_ring_is_the_end_of_what_was_added(added: list[tuple[int, int]]) -> None:
    """Whatever was dropped came before whatever is kept, and the sizes add up."""
    timeline = Timeline()
    kept = []
    for number, (name, size) in enumerate(added, 1):
        if timeline.add(entry(str(name), "x" * size), number) is not None:
            kept.append(str(name))
    assert [each.id for each in timeline] == kept[len(kept) - len(timeline) :]
    assert len(timeline) == len(timeline.numbers)
    assert timeline.seq == len(kept)


def test_an_id_is_known_however_small_the_ring_is() -> None:
    """Who keeps no entries at all numbers them like who keeps them."""
    whole, emptied = Timeline(), Timeline()
    for number, name in enumerate([1, 2, 3, 1, 4, 2, 5], 1):
        assert whole.add(entry(f"e{name}"), number) == emptied.add(entry(f"e{name}"), number)
        emptied.empty(number)
    assert (len(whole), len(emptied), whole.known) == (5, 0, emptied.known)


def test_an_id_is_forgotten_behind_256_others() -> None:
    """Nothing is told twice so far apart, and what is known has its bounds."""
    timeline = filled(KNOWN_IDS_MAX)
    assert timeline.add(entry("e1"), 1) is None
    timeline.add(entry("one more"), 2)
    assert timeline.add(entry("e1"), 3) == KNOWN_IDS_MAX + 2
    assert len(timeline.known) == 8 * KNOWN_IDS_MAX


def test_entries_share_their_words() -> None:
    """Each comes with words of its own, decoded from the log."""
    timeline = Timeline()
    for number in (1, 2):
        told = b'{"id": "e%d", "kind": "tool", "tool": "Bash", "status": "ok"}' % number
        timeline.add(msgspec.json.decode(told, type=Entry), number)
    one, other = timeline
    assert one.tool is other.tool
    assert one.status is other.status


@given(st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=900))
def test_what_is_packed_meanwhile_is_known_all_the_same(told: list[tuple[int, bool]]) -> None:
    """The same entries are new, and the same ids are known, whenever it was packed."""
    whole, packed = Timeline(), Timeline()
    for number, (name, is_packed) in enumerate(told, 1):
        if is_packed:
            packed.pack()
        one = entry(f"e{name}")
        assert whole.add(one, number) == packed.add(one, number)
        assert whole.known == packed.known


def test_entries_that_were_let_go_come_back_in_front() -> None:
    """As many of the newest as there is room for; none that is there already."""
    whole, timeline = filled(700), filled(690)
    timeline.empty(690)
    for number in range(691, 701):
        timeline.add(entry(f"e{number}"), number)
    timeline.refill(list(whole), 700)
    assert [each.seq for each in timeline] == list(range(201, 701))
    assert timeline.since(699) is None
    timeline.refill(list(whole), 700)
    assert len(timeline) == len(timeline.numbers) == RING_ENTRIES_MAX
