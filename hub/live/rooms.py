"""Which groups and channels exist, who is in them, and which of them have something to flush.

A client joins after what is pending went to those in step: snapshot and join are one step.
Pure; called by the switchboard.
"""

from hub.limits import Limits
from hub.live.cache import Cache, Held, Key
from hub.live.channels import Channel
from hub.live.client import Client
from hub.live.groups import OVERVIEW, Group, GroupKey
from hub.live.outbox import session_of
from hub.live.rows import Rows
from hub.live.wire import Tally
from session.changes import Changes

ChannelKey = tuple[Key, int]


class Rooms:
    """Groups by (workspace, view, rate) and channels by (session, rate)."""

    def __init__(self, limits: Limits, worker: str, cache: Cache, tally: Tally) -> None:
        self.limits = limits
        self.tally = tally
        self.worker = worker
        self.cache = cache
        self.groups: dict[GroupKey, Group] = {}
        self.channels: dict[ChannelKey, Channel] = {}
        self._by_session: dict[Key, list[Channel]] = {}
        self._by_workspace: dict[str, list[Group]] = {}
        self._stirred: dict[Group | Channel, None] = {}
        self._group_count = 0
        self.waited: list[tuple[str, int]] = []  # lane and received_at, since the worker took them

    # Noting changes.

    def note_row(self, key: Key, names: set[str], is_new: bool, received_ms: int) -> None:
        """A row changed, or is new."""
        for group in self._by_workspace.get(key[0], ()):
            group.note(key[1], names, is_new, received_ms)
            self._stirred[group] = None

    def note_session(self, key: Key, changes: Changes, received_ms: int) -> None:
        """An opened session changed."""
        for channel in self._by_session.get(key, ()):
            channel.note(changes, received_ms)
            self._stirred[channel] = None

    def note_gone(self, key: Key) -> None:
        """A session left the cache."""
        for group in self._by_workspace.get(key[0], ()):
            group.note_gone(key[1])
            self._stirred[group] = None

    # Flushing.

    def flush(self, now_ms: int) -> int:
        """Flush what is due, opened sessions before overviews; gives how many frames were made."""
        rows = Rows()
        made = 0
        for each in sorted(self._stirred, key=lambda each: isinstance(each, Group)):
            due = each.due_ms()
            if due is not None and due <= now_ms and each.members:
                made += each.flush(now_ms, self.cache, rows)
                due = each.due_ms()
                if each.waiting_since_ms is not None:
                    lane = "overview" if isinstance(each, Group) else "session"
                    self.waited.append((lane, each.waiting_since_ms))
                    each.waiting_since_ms = None
            self.tally.conflated += each.conflated
            each.conflated = 0
            if due is None or not each.members:
                del self._stirred[each]
        return made

    def dues_ms(self) -> list[int]:
        """When each of them wants to be flushed."""
        return [due for each in self._stirred if (due := each.due_ms()) is not None]

    def charge(self, cost_ms: float) -> None:
        """Tell what the last flush cost, so that the ticks follow."""
        for group in self.groups.values():
            group.pace.charge(cost_ms)
        for channel in self.channels.values():
            channel.pace.charge(cost_ms)

    # Groups.

    def join_group(self, client: Client, now_ms: int) -> None:
        """Put a client into the group of its view and rate; it gets the snapshot."""
        key = (client.workspace, client.view, client.rate_hz)
        group = self.groups.get(key)
        if group is None:
            self._group_count += 1
            name = f"{self.worker}.g{self._group_count}"
            group = self.groups[key] = Group(name, key, self.limits)
            self._by_workspace.setdefault(client.workspace, []).append(group)
        group.join(client, self.cache, self._flush_group(group, now_ms))

    def _flush_group(self, group: Group, now_ms: int) -> Rows:
        """Send what is pending to those in step; gives the rows that were encoded for it."""
        rows = Rows()
        if group.members and group.due_ms() is not None:
            group.flush(now_ms, self.cache, rows)
            group.waiting_since_ms = None
        return rows

    def leave_group(self, client: Client) -> None:
        """Take a client out of its group; an empty group is let go."""
        key = (client.workspace, client.view, client.rate_hz)
        group = self.groups.get(key)
        if group is None:
            return
        group.leave(client)
        if not group.members:
            del self.groups[key]
            self._by_workspace[client.workspace].remove(group)

    def note_totals(self, workspace: str) -> None:
        """Something that only the totals show changed."""
        for group in self._by_workspace.get(workspace, ()):
            group.note_totals()
            self._stirred[group] = None

    # Catching up.

    def catch_up(self, client: Client, space: str, now_ms: int) -> None:
        """Give a client that has room again what it missed in a space."""
        if space == OVERVIEW:
            group = self.groups[client.workspace, client.view, client.rate_hz]
            rows = self._flush_group(group, now_ms)
            if OVERVIEW in client.missed:
                group.catch_up(client, self.cache, rows)
            return
        key = (client.workspace, session_of(space))
        self.flush_channel(key, client.rate_hz, now_ms)
        channel = self.channels.get((key, client.rate_hz))
        if channel is None:
            del client.missed[space]
        else:
            channel.catch_up(client, now_ms)

    # Channels.

    def join_channel(self, client: Client, key: Key, held: Held, now_ms: int) -> Channel:
        """Put a client into a session's channel; the caller sends it the state."""
        at = (key, client.rate_hz)
        self.flush_channel(key, client.rate_hz, now_ms)
        channel = self.channels.get(at)
        if channel is None:
            channel = self.channels[at] = Channel(held, client.rate_hz, self.limits)
            self._by_session.setdefault(key, []).append(channel)
        if client.connection not in channel.members:
            channel.members[client.connection] = client
            self.cache.pinned[key] = self.cache.pinned.get(key, 0) + 1
        return channel

    def flush_channel(self, key: Key, rate_hz: int, now_ms: int) -> None:
        """Send what is pending to those in step."""
        channel = self.channels.get((key, rate_hz))
        if channel is not None and channel.due_ms() is not None:
            channel.flush(now_ms, self.cache, Rows())
            channel.waiting_since_ms = None

    def renew(self, held: Held, reason: str) -> None:
        """A session became another than its subscribers were told."""
        for channel in self._by_session.get(held.session.key, ()):
            channel.renew(held, reason)

    def watched(self) -> list[Key]:
        """Sessions that somebody has open."""
        return list(self._by_session)

    def watchers(self, key: Key) -> list[Client]:
        """Who has a session open."""
        return [
            client for channel in self._by_session.get(key, ())
            for client in channel.members.values()
        ]  # fmt: skip

    def leave_channel(self, client: Client, key: Key) -> None:
        """Take a client out."""
        at = (key, client.rate_hz)
        channel = self.channels.get(at)
        if channel is None or channel.members.pop(client.connection, None) is None:
            return
        self.cache.pinned[key] -= 1
        if not self.cache.pinned[key]:
            del self.cache.pinned[key]
        if not channel.members:
            del self.channels[at]
            self._by_session[key].remove(channel)
            if not self._by_session[key]:
                del self._by_session[key]
