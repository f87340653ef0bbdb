"""A rollout of Codex, line by line, to reports. One object per file, fed in order by the reader."""

from ingest.adapters.codex_lines import read_line
from ingest.adapters.codex_turns import RolloutReader
from ingest.adapters.transcript import Transcript
from session.delta import MAIN_SOURCE


class CodexRollout(Transcript):
    """The state of one rollout."""

    def __init__(self, session_id: str, source: str = MAIN_SOURCE) -> None:
        self.rollout = RolloutReader(session_id, source)
        super().__init__(self.rollout)

    def read_line(self, data: bytes) -> None:
        """Take in one line; raises InvalidPayload."""
        self.rollout.read(read_line(data), self.offset)
