"""``/api/models``: what is known of the models that sessions of the board use.

Out of the live cache and the table of prices. Never guesses: a model that is not in it is null.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response

from history.errors import BadQuery
from hub.rest.answers import asked, hub_of, tagged, workspace_of
from session.pricing import context_tokens_max, price_table
from session.state import Session

NAMES_MAX = 50
NAME_CHARS_MAX = 200
MODELS_MAX = 500


@asked
async def models(request: Request) -> Response:
    """``GET /api/models``: how much each model takes in, of the board's and of ``names``."""
    wanted = _parse_names(request.query_params.get("names"))
    sessions = hub_of(request).board.cache.sessions(workspace_of(request))
    names = dict.fromkeys([*wanted, *_models_of(sessions)])
    # The first to ask imports the table of prices, for which nobody else should wait.
    known = await asyncio.to_thread(lambda: {name: context_tokens_max(name) for name in names})
    body = {
        "models": {name: {"context_tokens_max": most} for name, most in known.items()},
        "prices": price_table()._asdict(),
    }
    return tagged(request, body)


def _parse_names(told: str | None) -> list[str]:
    names = list(dict.fromkeys(each for each in (told or "").split(",") if each))
    if len(names) > NAMES_MAX or any(len(each) > NAME_CHARS_MAX for each in names):
        raise BadQuery(
            f"names: expected at most {NAMES_MAX} models of at most {NAME_CHARS_MAX} characters, "
            "with commas in between"
        )
    return names


def _models_of(sessions: Iterable[Session]) -> list[str]:
    """The models of these sessions, those of most sessions first; of very many only so many."""
    counts: Counter[str] = Counter()
    for session in sessions:
        names = list(session.models)
        if session.model is not None and session.model not in session.models:
            names.append(session.model)
        counts.update(names)
    return [name for name, _ in counts.most_common(MODELS_MAX)]
