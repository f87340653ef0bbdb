"""A Claude Code transcript, line by line, to reports.

One object per file, fed in order; called by the reader and by the replay.
"""

from ingest.adapters.claude_lines import read_line
from ingest.adapters.claude_turns import TurnReader
from ingest.adapters.transcript import Transcript
from session.delta import MAIN_SOURCE


class ClaudeTranscript(Transcript):
    """The state of one transcript of Claude Code."""

    def __init__(self, session_id: str, source: str = MAIN_SOURCE) -> None:
        self.turns = TurnReader(session_id, source)
        super().__init__(self.turns)

    def read_line(self, data: bytes) -> None:
        """Take in one line; raises InvalidPayload."""
        self.turns.read(read_line(data), self.offset)
