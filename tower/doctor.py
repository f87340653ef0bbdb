"""``tower doctor``: what the board needs, checked one by one, with what to do.

Changes nothing. Exit code 1 if something that matters is missing.
"""

import http.client
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from hub.app import ui_folder
from ingest.files import scan
from tower.homes import homes_in
from tower.settings import Settings, as_json

WATCHES_MIN = 8_192


class Finding(Struct):
    """The outcome of one check; ``ok`` is null for a mere remark."""

    name: str
    ok: bool | None
    message: str


def run(settings: Settings, *, json_output: bool) -> int:
    """Print every finding; gives the exit code."""
    findings = [check(settings) for check in CHECKS]
    if json_output:
        print(as_json(findings))
    else:
        for finding in findings:
            mark = {True: "ok  ", False: "FAIL", None: "note"}[finding.ok]
            print(f"{mark}  {finding.name}: {finding.message}")
    return int(any(finding.ok is False for finding in findings))


def _python(_: Settings) -> Finding:
    return Finding("python", True, f"{sys.version.split()[0]} at {sys.executable}")


def _dashboard(_: Settings) -> Finding:
    built = (ui_folder() / "index.html").is_file()
    return Finding("dashboard", built, "built" if built else "not built; run scripts/up")


def _data_dir(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = next(each for each in (folder, *folder.parents) if os.access(each, os.F_OK))
    writable = existing.is_dir() and os.access(existing, os.W_OK)
    hint = "" if writable else "; choose another with --data-dir"
    return Finding("data_dir", writable, f"{folder}{hint}")


def _transcripts(settings: Settings) -> Finding:
    homes = homes_in(settings)
    found = scan(homes)
    size_mb = sum(each.size for each in found) / 1e6
    named = ", ".join(home.path for home in homes)
    if not found:
        return Finding(
            "transcripts", None, f"none below {named} yet; they appear with the first session"
        )
    return Finding("transcripts", True, f"{len(found)} files, {size_mb:.0f} MB below {named}")


def _watches(_: Settings) -> Finding:
    path = Path("/proc/sys/fs/inotify/max_user_watches")
    if not path.exists():
        return Finding("watches", None, "no inotify here; changes are found by other means")
    limit = int(path.read_text())
    hint = "" if limit >= WATCHES_MIN else f"; raise fs.inotify.max_user_watches to {WATCHES_MIN}"
    return Finding("watches", limit >= WATCHES_MIN, f"{limit:,} allowed{hint}")


def _tower(settings: Settings) -> Finding:
    url = f"http://{settings.address}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return Finding("tower", answer.status == 200, f"ready at {url}")
    except urllib.error.HTTPError as error:
        return Finding("tower", False, f"{url} answers {error.code}; is another program there?")
    except http.client.HTTPException:
        return Finding("tower", False, f"another program is at {url}; choose another --port")
    except OSError:
        return Finding("tower", None, f"none is running at {url}; start it with `tower up`")


def _hooks(_: Settings) -> Finding:
    from tower.hooks.plan import is_installed, present_agents

    there = present_agents()
    without = [agent.title for agent in there if not is_installed(agent)]
    if without:
        told = f"none for {' and '.join(without)}; `tower hooks install` makes statuses immediate"
        return Finding("hooks", None, told)
    if not there:
        return Finding("hooks", None, "no agent is at home here yet")
    named = " and ".join(agent.title for agent in there)
    return Finding("hooks", True, f"there for {named}; `tower hooks status` says more")


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    _python,
    _dashboard,
    _data_dir,
    _transcripts,
    _watches,
    _hooks,
    _tower,
)
