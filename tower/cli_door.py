"""``tower token`` with its commands, and ``tower audit``. A part of the command line.

Parses and prints; the work is done elsewhere and imported late.
"""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from tower.options import DatabaseUrl, DataDir, Json, To, load, settled
from tower.settings import as_json

token_app = typer.Typer(invoke_without_command=True)


@token_app.callback()
def token(context: typer.Context, data_dir: DataDir = None, json_output: Json = False) -> None:
    """Print the owner's token, for scripts and for logging in; or make others, and end them."""
    if context.invoked_subcommand is not None:
        return
    from tower.secrets import owner_token

    chosen = load(data_dir=data_dir)
    try:
        value = chosen["token"] or owner_token(chosen.data_dir)
    except OSError as error:
        print(f"tower token: {error.filename}: {error.strerror}", file=sys.stderr)
        print("Choose another --data-dir.", file=sys.stderr)
        raise typer.Exit(1) from error
    print(as_json({"token": value}) if json_output else value)


@token_app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="viewer, operator or agent.")],
    workspace: Annotated[str | None, typer.Option(help="Whose.  [default: default]")] = None,
    name: Annotated[str | None, typer.Option(help="To recognise it by.")] = None,
    expires: Annotated[str | None, typer.Option(help="Such as 30d, 12h, 90m; else never.")] = None,
    to: To = None, data_dir: DataDir = None, database_url: DatabaseUrl = None,
    json_output: Json = False,
) -> None:  # fmt: skip
    """Make a token, and print it this once."""
    wanted = {"role": role, "workspace": workspace, "name": name, "expires": expires}
    from tower import door_commands as door

    chosen = load(data_dir=data_dir, database_url=database_url)
    _show(lambda: door.create(chosen, to, wanted), "token create", json_output, door.made_lines)


@token_app.command("list")
def token_list(
    to: To = None, data_dir: DataDir = None, database_url: DatabaseUrl = None,
    json_output: Json = False,
) -> None:  # fmt: skip
    """Print every token that is known; secrets are not."""
    from tower import door_commands as door

    chosen = load(data_dir=data_dir, database_url=database_url)
    _show(lambda: door.listed(chosen, to), "token list", json_output, door.token_lines)


@token_app.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(help="Its id, as `tower token list` tells it.")],
    to: To = None, data_dir: DataDir = None, database_url: DatabaseUrl = None,
    json_output: Json = False,
) -> None:  # fmt: skip
    """End a token at once, with its cookies and whatever it has open."""
    from tower import door_commands as door

    def lines(told: dict[str, Any]) -> str:
        return f"{told['id']} is revoked."

    chosen = load(data_dir=data_dir, database_url=database_url)
    _show(lambda: door.revoke(chosen, to, token_id), "token revoke", json_output, lines)


def audit(
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="So many at most.")] = 100,
    to: To = None, data_dir: DataDir = None, database_url: DatabaseUrl = None,
    json_output: Json = False,
) -> None:  # fmt: skip
    """Print who opened, changed and exported what, the latest first."""
    from tower import door_commands as door

    chosen = load(data_dir=data_dir, database_url=database_url)
    _show(lambda: door.acts(chosen, to, limit), "audit", json_output, door.act_lines)


def _show(
    run: Callable[[], dict[str, Any]], name: str, json_output: bool,
    lines: Callable[[dict[str, Any]], str],
) -> None:  # fmt: skip
    from tower import door_commands as door

    raise typer.Exit(
        settled(lambda: door.show(run, f"tower {name}", json_output=json_output, lines=lines))
    )
