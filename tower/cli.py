"""The command line: ``tower`` and its commands. Exit codes: 0, 1 (failed), 2 (wrong usage).

Parses and prints; the work is done elsewhere and imported late, so that every start is quick.
"""

from collections.abc import Callable
from enum import StrEnum
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as distribution_version
from typing import Annotated, Any, Literal

import typer

from tower import cli_door as door
from tower import settings as settings_module
from tower.options import DatabaseUrl, DataDir, Json, To, load, settled
from tower.settings import Settings, as_json

app = typer.Typer(
    name="tower",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    help="One live board for every AI coding-agent session.",
)
config_app = typer.Typer(no_args_is_help=True, help="Settings.")
app.add_typer(config_app, name="config")
db_app = typer.Typer(no_args_is_help=True, help="The tables of history.")
app.add_typer(db_app, name="db")
hooks_app = typer.Typer(no_args_is_help=True, help="Hooks in the settings of agents.")
app.add_typer(hooks_app, name="hooks")
app.add_typer(door.token_app, name="token")
app.command()(door.audit)

Host = Annotated[str | None, typer.Option(help="Address to listen on.  [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.  [default: 8787]")]
MetricsPort = Annotated[
    int | None, typer.Option(help="One more port, for health and metrics alone.")
]
ClaudeDirs = Annotated[
    list[str] | None,
    typer.Option("--claude-dir", help="A Claude Code home; may be given several times."),
]
CodexDirs = Annotated[
    list[str] | None,
    typer.Option("--codex-dir", help="A Codex home; may be given several times."),
]
Content = Annotated[
    str | None,
    typer.Option(help="How much text leaves: none, summary or full.  [default: full]"),
]
RedactRules = Annotated[
    str | None, typer.Option(help="A TOML file with rules of your own for what is redacted.")
]
NoWatch = Annotated[bool, typer.Option("--no-watch", help="Do not read transcripts here.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open a browser.")]
NoAuth = Annotated[bool, typer.Option("--no-auth", help="Ask for no credential (loopback only).")]


class AgentName(StrEnum):
    """The agents whose hooks can be installed."""

    CLAUDE_CODE = "claude-code"
    CODEX = "codex"


Scope = Annotated[
    Literal["user", "project"], typer.Option(help="All your sessions, or those of this folder.")
]
Agents = Annotated[
    list[AgentName] | None,
    typer.Option("--agent", help="May be given several times.  [default: those that you have]"),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show a diff, and write nothing.")]
Filtered = Annotated[str | None, typer.Option(help="Only theirs.")]


@app.command()
def up(
    host: Host = None,
    port: Port = None,
    metrics_port: MetricsPort = None,
    data_dir: DataDir = None,
    claude_dir: ClaudeDirs = None,
    codex_dir: CodexDirs = None,
    content: Content = None,
    redact_rules: RedactRules = None,
    no_watch: NoWatch = False,
    no_browser: NoBrowser = False,
    no_auth: NoAuth = False,
) -> None:
    """Start the board: one service on one port, for this machine."""
    chosen = load(
        host=host, port=port, metrics_port=metrics_port, data_dir=data_dir, claude_dir=claude_dir,
        codex_dir=codex_dir, content=content, redact_rules=redact_rules,
        watch="no" if no_watch else None,
        browser="no" if no_browser else None,
        auth="no" if no_auth else None,
    )  # fmt: skip
    from tower import up as up_module

    _serve(lambda: up_module.run(chosen), chosen)


@app.command()
def hub(
    host: Host = None, port: Port = None, metrics_port: MetricsPort = None,
    data_dir: DataDir = None, no_auth: NoAuth = False,
) -> None:  # fmt: skip
    """Run one hub worker: sockets and the board, fed by the log in Redis."""
    chosen = load(
        host=host, port=port, metrics_port=metrics_port, data_dir=data_dir,
        auth="no" if no_auth else None,
    )  # fmt: skip
    _serve(lambda: _run_role("tower hub", "HubRole", chosen), chosen)


@app.command()
def ingest(
    host: Host = None, port: Port = None, metrics_port: MetricsPort = None,
    data_dir: DataDir = None, content: Content = None, redact_rules: RedactRules = None,
    no_auth: NoAuth = False,
) -> None:  # fmt: skip
    """Run one ingest: what agents and readers post to, put on the log in Redis."""
    chosen = load(
        host=host, port=port, metrics_port=metrics_port, data_dir=data_dir, content=content,
        redact_rules=redact_rules,
        auth="no" if no_auth else None,
    )  # fmt: skip
    _serve(lambda: _run_role("tower ingest", "IngestRole", chosen), chosen)


@app.command()
def recorder(
    host: Host = None, port: Port = None, metrics_port: MetricsPort = None, data_dir: DataDir = None
) -> None:
    """Run one recorder: of several, one leads, stores checkpoints and trims the log."""
    chosen = load(host=host, port=port, metrics_port=metrics_port, data_dir=data_dir)
    _serve(lambda: _run_role("tower recorder", "RecorderRole", chosen), chosen)


def _run_role(name: str, role: str, chosen: Settings) -> int:
    from tower import roles, serve

    return serve.run(chosen, name, getattr(roles, role), roles.greet)


def _serve(run: Callable[[], int], chosen: Settings) -> None:
    import logging

    logging.basicConfig(
        level=str(chosen["log_level"]).upper(), format="%(levelname)s %(name)s: %(message)s"
    )
    raise typer.Exit(settled(run))


@app.command()
def ship(
    to: Annotated[str | None, typer.Option(help="URL of the tower that takes it.")] = None,
    claude_dir: ClaudeDirs = None,
    codex_dir: CodexDirs = None,
    content: Content = None,
    redact_rules: RedactRules = None,
    once: Annotated[bool, typer.Option("--once", help="Send what is there, and end.")] = False,
    token_file: Annotated[str | None, typer.Option(help="A file with the token.")] = None,
    ca_file: Annotated[str | None, typer.Option(help="Certificates to trust instead.")] = None,
    state_dir: Annotated[str | None, typer.Option(help="Folder for the offsets.")] = None,
    metrics_port: MetricsPort = None,
    json_output: Json = False,
) -> None:
    """Read the transcripts of this machine and post them to a tower elsewhere."""
    from tower import ship as ship_module

    chosen = load(
        to=to, claude_dir=claude_dir, codex_dir=codex_dir, content=content,
        redact_rules=redact_rules, token_file=token_file, ca_file=ca_file, state_dir=state_dir,
        metrics_port=metrics_port,
    )  # fmt: skip
    _serve(lambda: ship_module.run(chosen, once=once, json_output=json_output), chosen)


@app.command()
def replay(
    paths: Annotated[list[str], typer.Argument(help="Transcripts, or folders of them.")],
    to: To = None,
    speed: Annotated[float, typer.Option(min=0.01, help="How many times as fast.")] = 10.0,
    sessions: Annotated[int | None, typer.Option(min=1, help="At most so many sessions.")] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Begin anew at the end, for ever.")] = False,
    json_output: Json = False,
) -> None:
    """Play recorded transcripts as if they happened now, under fresh ids."""
    from tower import replay as replay_module
    from tower.screens import screen_of

    chosen = load()
    screen = settled(lambda: screen_of(chosen))
    play = replay_module.Play(
        paths=paths, target=to or f"http://{chosen.address}", token=chosen["token"], speed=speed,
        sessions_max=sessions, loop=loop, json_output=json_output, screen=screen,
    )  # fmt: skip
    raise typer.Exit(replay_module.run(play))


@app.command()
def doctor(
    data_dir: DataDir = None, claude_dir: ClaudeDirs = None, codex_dir: CodexDirs = None,
    port: Port = None, json_output: Json = False,
) -> None:  # fmt: skip
    """Check what the board needs, and say what to do where something is missing."""
    from tower import doctor as doctor_module

    chosen = load(data_dir=data_dir, claude_dir=claude_dir, codex_dir=codex_dir, port=port)
    raise typer.Exit(doctor_module.run(chosen, json_output=json_output))


@app.command()
def export(
    format_: Annotated[str, typer.Option("--format", help="csv, json or html.")] = "json",
    output: Annotated[str, typer.Option(help="A file; - is standard output.")] = "-",
    ids: Annotated[
        list[str] | None, typer.Option("--id", help="A session; filters are passed over.")
    ] = None,
    status: Annotated[list[str] | None, typer.Option(help="May be given several times.")] = None,
    agent: Filtered = None,
    project: Filtered = None,
    user: Filtered = None,
    q: Annotated[str | None, typer.Option(help="Words that must all be found.")] = None,
    since: Annotated[str | None, typer.Option(help="A day, a time, or milliseconds.")] = None,
    until: Annotated[str | None, typer.Option(help="The same; a day with its end.")] = None,
    archived: Annotated[bool, typer.Option("--archived", help="Archived ones as well.")] = False,
    sort: Annotated[str, typer.Option(help="updated, started or cost.")] = "updated",
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write sessions as CSV, as JSON, or as a report in one HTML file."""
    from history.errors import BadQuery
    from tower import export as export_module

    filters: dict[str, object] = {
        "status": status, "agent": agent, "project": project, "user": user, "q": q,
        "since": since, "until": until, "archived": archived, "sort": sort,
    }  # fmt: skip
    try:
        asked = export_module.read(format_, ids, filters)
    except BadQuery as error:
        raise typer.BadParameter(str(error)) from error
    chosen = load(database_url=database_url, data_dir=data_dir)
    raise typer.Exit(settled(lambda: export_module.run(chosen, asked, output)))


@db_app.command("upgrade")
def db_upgrade(database_url: DatabaseUrl = None, data_dir: DataDir = None) -> None:
    """Bring the tables up to date; of several at once one does it, and the others wait."""
    from tower import database_commands

    chosen = load(database_url=database_url, data_dir=data_dir)
    raise typer.Exit(settled(lambda: database_commands.upgrade(chosen)))


@db_app.command("check")
def db_check(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, json_output: Json = False
) -> None:
    """Say whether the tables are those of this release; exit code 1 if they are not."""
    from tower import database_commands

    chosen = load(database_url=database_url, data_dir=data_dir)
    raise typer.Exit(settled(lambda: database_commands.check(chosen, json_output=json_output)))


@hooks_app.command("install")
def hooks_install(
    to: To = None,
    scope: Scope = "user",
    agent: Agents = None,
    http: Annotated[
        bool, typer.Option("--http", help="No process for each event; errors show without a tower.")
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Have agents tell the tower what they do, at once; nothing else in their settings changes."""
    from tower.hooks import commands

    chosen = load()
    names = list[str](agent or ())
    raise typer.Exit(
        settled(lambda: commands.install(chosen, to, scope, names, http=http, dry_run=dry_run))
    )


@hooks_app.command("uninstall")
def hooks_uninstall(scope: Scope = "user", agent: Agents = None, dry_run: DryRun = False) -> None:
    """Take the tower's hooks out again; what was there before is there again."""
    from tower.hooks import commands

    raise typer.Exit(commands.uninstall(scope, list[str](agent or ()), dry_run=dry_run))


@hooks_app.command("status")
def hooks_status(
    to: To = None, scope: Scope = "user", agent: Agents = None, json_output: Json = False
) -> None:
    """Say which hooks are installed, whether the tower answers, and when it last heard one."""
    from tower.hooks import commands

    names = list[str](agent or ())
    chosen = load()
    raise typer.Exit(
        settled(lambda: commands.status(chosen, to, scope, names, json_output=json_output))
    )


@hooks_app.command("send")
def hooks_send(
    url: Annotated[str, typer.Argument(help="Where hooks are posted.")],
    from_host: Annotated[str, typer.Option(help="The machine's name.")] = "",
    from_user: Annotated[str, typer.Option(help="The person's name.")] = "",
) -> None:
    """Post one hook, read from standard input: what installed hooks do where there is no curl."""
    from tower.hooks.send import send

    send(url, from_host, from_user)


@config_app.command("show")
def config_show(json_output: Json = False) -> None:
    """Print every setting with its value and where it came from."""
    rows = settings_module.shown(load())
    if json_output:
        print(as_json(rows))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:<{width}}  {_plain(row['value'])}  ({row['origin']})")


@app.command()
def version(json_output: Json = False) -> None:
    """Print the version."""
    try:
        number = distribution_version("agenttower")
    except PackageNotFoundError:
        number = "0+unknown"
    print(as_json({"version": number}) if json_output else number)


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value)


def main() -> None:
    """Entry point of ``tower`` and ``agenttower``."""
    app()
