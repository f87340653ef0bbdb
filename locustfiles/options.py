"""What every load of this folder is told on its command line, and by whom it comes in.

Adds its options to locust's own when it is imported. Used by agents, viewers and scenarios.
"""

import os
from pathlib import Path
from typing import Any

from locust import events


@events.init_command_line_parser.add_listener
def add_options(parser: Any, **_: Any) -> None:
    """Options that stand in ``locust --help`` and, but for the file of the token, in its page."""
    parser.add_argument(
        "--token-file", env_var="TOWER_TOKEN_FILE", default="", include_in_web_ui=False,
        help="a file with the token; else $TOWER_TOKEN, else none is sent",
    )  # fmt: skip
    parser.add_argument(
        "--agent-rate", type=float, default=0.5, help="hook events a second of each session"
    )
    parser.add_argument(
        "--asks-every", type=int, default=20, help="one tool call in so many asks a person"
    )
    parser.add_argument("--viewer-hz", type=int, default=60, help="frames a second a viewer wishes")
    parser.add_argument("--opened", type=int, default=4, help="sessions a viewer has open at once")


def headers_of(options: Any) -> dict[str, str]:
    """The header with the token, where there is one. Raises OSError for a file that is none."""
    token = os.environ.get("TOWER_TOKEN", "")
    if options.token_file:
        token = Path(options.token_file).read_text().strip()
    return {"Authorization": f"Bearer {token}"} if token else {}
