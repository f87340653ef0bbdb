"""Every setting with its default, and where its value came from.

Order: flags, environment (TOWER_ and the name in capitals; of a secret also a file that holds it),
tower.toml here, tower.toml in the user's config folder, default. Read by the commands and by
``tower config show``.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tower.setting import Setting, SettingsError, Value

CONFIG_NAME = "tower.toml"
EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - asked about, not bound


def default_data_dir() -> str:
    """Where the service keeps its secrets and its history."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return str(Path(home) / "agenttower")


def default_state_dir() -> str:
    """Where a shipper keeps how far it is."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    return str(Path(home) / "agenttower")


def default_claude_dirs() -> list[str]:
    """The Claude Code home of this user."""
    return [os.environ.get("CLAUDE_CONFIG_DIR") or str(Path.home() / ".claude")]


def default_codex_dirs() -> list[str]:
    """The Codex home of this user."""
    return [os.environ.get("CODEX_HOME") or str(Path.home() / ".codex")]


SETTINGS: tuple[Setting, ...] = (
    Setting(name="host", kind="text", default="127.0.0.1", help="Address to listen on."),
    Setting(
        name="port", kind="int", default=8787, bounds=(0, 65535), help="Port; 0 takes a free one."
    ),
    Setting(
        name="metrics_port",
        kind="int",
        default=None,
        bounds=(0, 65535),
        help="One more port, for health and metrics alone, without a credential.",
    ),
    Setting(
        name="redis_url",
        kind="text",
        default=None,
        secret=True,
        help="The log of hub, ingest and recorder: redis:// (or rediss, +sentinel, +cluster).",
    ),
    Setting(
        name="database_url",
        kind="text",
        default=None,
        secret=True,
        help="History: sqlite:///file or postgresql://…; `tower up` keeps its own in --data-dir.",
    ),
    Setting(
        name="auto_migrate",
        kind="bool",
        default=True,
        help="Bring the tables up to date at start; else `tower db upgrade` does.",
    ),
    Setting(
        name="retain_days",
        kind="int",
        default=None,
        bounds=(1, 36_500),
        help="Past sessions are deleted after so many days of silence; else never.",
    ),
    Setting(
        name="audit_days",
        kind="int",
        default=365,
        bounds=(1, 36_500),
        help="So many days it is kept who opened, changed and exported what.",
    ),
    Setting(
        name="to",
        kind="text",
        default=None,
        help="The tower that `tower ship` sends to, as a URL.",
    ),
    Setting(
        name="ca_file",
        kind="text",
        default=None,
        help="Certificates that `tower ship` trusts instead of the system's.",
    ),
    Setting(
        name="token_file",
        kind="text",
        default=None,
        help="A file with the token that `tower ship` shows, read anew at every request.",
    ),
    Setting(
        name="state_dir", kind="text", default=None, help="Folder for the offsets of `tower ship`."
    ),
    Setting(name="data_dir", kind="text", default=None, help="Folder for the service's own files."),
    Setting(
        name="claude_dir",
        kind="paths",
        default=None,
        help="Claude Code homes to read (each contains projects/).",
    ),
    Setting(
        name="codex_dir",
        kind="paths",
        default=None,
        help="Codex homes to read (each contains sessions/), or folders of rollouts.",
    ),
    Setting(
        name="content",
        kind="content",
        default="full",
        help="How much text leaves: none, summary (first lines) or full.",
    ),
    Setting(
        name="redact_rules",
        kind="text",
        default=None,
        help="A TOML file with rules of your own for what is redacted.",
    ),
    Setting(name="watch", kind="bool", default=True, help="Read transcripts on this machine."),
    Setting(name="browser", kind="bool", default=True, help="Open the board in a browser."),
    Setting(
        name="auth",
        kind="bool",
        default=True,
        help="Ask for a credential; false only on a loopback address.",
    ),
    Setting(
        name="token",
        kind="text",
        default=None,
        secret=True,
        help="The owner's token, good for everything; made at the first start.",
    ),
    Setting(
        name="allowed_hosts",
        kind="texts",
        default=[],
        help="Names under which the board may be asked for (addresses always may).",
    ),
    Setting(
        name="allowed_origins",
        kind="texts",
        default=[],
        help="Origins of dashboards that are hosted elsewhere.",
    ),
    Setting(
        name="trusted_proxies",
        kind="networks",
        default=[],
        help="Addresses and networks of proxies whose X-Forwarded-For and -Proto are believed.",
    ),
    Setting(
        name="subscriptions",
        kind="int",
        default=4,
        bounds=(2, 32),
        help="Sessions that one client has open, unless it asks for another number.",
    ),
    Setting(name="log_level", kind="level", default="warning", help="How much is logged."),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}
_COMPUTED = {
    "data_dir": default_data_dir,
    "state_dir": default_state_dir,
    "claude_dir": default_claude_dirs,
    "codex_dir": default_codex_dirs,
}


class Settings:
    """Values by name, each with its origin."""

    def __init__(self, values: dict[str, Value]) -> None:
        self.values = values

    def __getitem__(self, name: str) -> Any:
        return self.values[name].value

    @property
    def data_dir(self) -> Path:
        """The folder for the service's own files."""
        return Path(self["data_dir"]).expanduser()

    @property
    def history_path(self) -> Path:
        """Where history is kept that has no database of its own."""
        return self.data_dir / "history.db"

    @property
    def address(self) -> str:
        """Where this machine finds the tower, as a URL has it."""
        return address_of(self["host"], self["port"])


def address_of(host: str, port: int) -> str:
    """Host and port as a URL has them; a tower that listens everywhere is also here."""
    name = "localhost" if host in EVERYWHERE else host
    return f"{f'[{name}]' if ':' in name else name}:{port}"


def load(flags: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> Settings:
    """Settle every setting; a flag that is None was not given. Raises SettingsError."""
    environ = os.environ if environ is None else environ
    files = [(str(path), _read_file(path)) for path in config_files(environ)]
    _refuse_unknown(files)
    return Settings({setting.name: _settle(setting, flags, environ, files) for setting in SETTINGS})


def _settle(
    setting: Setting,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    files: list[tuple[str, dict[str, Any]]],
) -> Value:
    if flags.get(setting.name) is not None:
        return Value(setting.parse(flags[setting.name], "flag"), "flag")
    if setting.env_no and environ.get(setting.env_no):
        origin = f"environment {setting.env_no}"
        return Value(not setting.parse(environ[setting.env_no], origin), origin)
    if setting.env_file and environ.get(setting.env_file):
        return _settle_by_file(setting, setting.env_file, environ)
    if environ.get(setting.env):
        origin = f"environment {setting.env}"
        return Value(setting.parse(environ[setting.env], origin), origin)
    for path, told in files:
        if setting.name in told:
            return Value(setting.parse(told[setting.name], path), path)
    computed = _COMPUTED.get(setting.name)
    return Value(computed() if computed else setting.default, "default")


def _settle_by_file(setting: Setting, variable: str, environ: Mapping[str, str]) -> Value:
    """A secret that stands alone in a file; white space around it does not belong to it."""
    path = environ[variable]
    origin = f"environment {variable}: {path}"
    if environ.get(setting.env):
        raise SettingsError(f"{setting.name}: set either {setting.env} or {variable}, not both")
    try:
        told = Path(path).read_text("utf-8").strip()
    except (OSError, ValueError) as error:
        raise SettingsError(f"{setting.name} ({origin}): {_why(error)}") from error
    return Value(setting.parse(told, origin), origin)


def _why(error: OSError | ValueError) -> str:
    """What is wrong with a file, without what stands in it."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return "expected text in UTF-8"


def config_files(environ: Mapping[str, str]) -> list[Path]:
    """The files that are read, the first one wins."""
    home = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return [Path(CONFIG_NAME).absolute(), Path(home) / "agenttower" / CONFIG_NAME]


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from error


def _refuse_unknown(files: list[tuple[str, dict[str, Any]]]) -> None:
    for path, told in files:
        for name in told:
            if name not in BY_NAME:
                known = ", ".join(BY_NAME)
                raise SettingsError(f"{path}: unknown setting {name!r}; known are {known}")


def shown(settings: Settings) -> list[dict[str, Any]]:
    """Every setting for people and scripts, secrets masked."""
    return [
        {
            "name": name,
            "value": "(set)" if BY_NAME[name].secret and value.value else value.value,
            "origin": value.origin,
        }
        for name, value in settings.values.items()
    ]


def as_json(value: Any) -> str:
    """JSON for ``--json``, indented for people who read it all the same."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
