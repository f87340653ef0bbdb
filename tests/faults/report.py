"""``docs/reliability.md``: one row for each fault that was run, with what was seen.

A row is replaced when its fault is run again; a fault without a run has none.
"""

import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.faults.matrix import FAULTS
from tests.faults.others import OTHERS

Json = dict[str, Any]
MARK = "<!-- What follows is written by `scripts/bench faults`. -->"


def keep(page: Path, found: Json) -> None:
    """Put one report into its row; the page's words before ``MARK`` stay."""
    words, _, tables = page.read_text().partition(MARK)
    rows = read(tables)
    rows[found["number"]] = found["row"] if "row" in found else row(found)
    page.write_text(f"{words}{MARK}\n\n{render(rows)}")


def read(tables: str) -> dict[str, str]:
    """Number → row."""
    found = re.finditer(r"^\| (\d+[a-z]?) \|.*$", tables, re.MULTILINE)
    return {each[1]: each[0] for each in found}


def render(rows: dict[str, str]) -> str:
    """All tables, and what has no row."""
    shown = [rows[each.number] for each in FAULTS if each.number in rows]
    others = [rows[number] for number, *_ in OTHERS if number in rows]
    missing = [(each.number, each.name) for each in FAULTS]
    missing += [(number, name) for number, name, *_ in OTHERS]
    absent = [f"- {number}: {what}" for number, what in missing if number not in rows]
    lines = [
        f"## Seen\n\nMachine of the newest row: {machine()}.\n",
        "| # | fault | injected | must hold | seen | command |\n|---|---|---|---|---|---|",
        *shown,
        "\n## Shown by tests of their own\n",
        "| # | fault | must hold | seen | command |\n|---|---|---|---|---|",
        *others,
    ]
    if absent:
        lines += ["\n## Not shown\n\nFor these there is no run yet:\n", *absent]
    return "\n".join(lines) + "\n"


def machine() -> str:
    """Where this was seen."""
    gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    redis = subprocess.run(
        ["redis-server", "--version"], capture_output=True, text=True, check=True
    )
    version = re.search(r"v=([\d.]+)", redis.stdout)
    cores = f"{os.cpu_count()} cores of {processor()}, {gb:.0f} GB"
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{cores}, {system}, Redis {version[1] if version else 'of no version'}"


def processor() -> str:
    """Its maker and name, without what the trade adds."""
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return re.sub(r"\(\w+\)| Processor", "", found[1]).strip() if found else "an unnamed kind"


def row(found: Json) -> str:
    """The row of a run."""
    fault = next(each for each in FAULTS if each.number == found["number"])
    cells = [fault.number, fault.name, fault.injected, fault.must_hold, said(found)]
    return "| " + " | ".join([*cells, f"`{fault.command}`"]) + " |"


def said(found: Json) -> str:
    """What was seen, in a few words and numbers."""
    seen = found["seen"]
    bad = found["violations"]
    if not seen:
        return f"**the run failed**: {bad[0].splitlines()[-1][:160]}"
    parts = [f"**{len(bad)} violations**: {bad[0][:160]}" if bad else "0 violations"]
    parts.append(f"{seen['acknowledged']} acknowledged, {seen['lost_by_redis']} lost by Redis")
    if seen["refused"] or seen["unanswered"]:
        refused = f"{seen['refused']} posts refused, {seen['unanswered']} broken off"
        parts.append(f"{refused}, the slowest answer {seen['slowest_answer_s']} s")
    parts.append(f"{seen['reconnects']} reconnects, {seen['stale']} marked stale")
    parts.append(f"live {_worst(seen['live_again_s'])}")
    ages = [_p99(seen[f"fresh_{when}_s"]) for when in ("before", "hurt", "after")]
    parts.append(f"fresh {', '.join(ages)}")
    asked = seen["attention"]
    parts.append(f"asked {_worst(asked['in_peace_s'])}, {_worst(asked['hurt_s'])}")
    known = ("exit_s", "freed_s", "bytes_each_max", "taken_over_s", "ready_again_s", "replies_lost",
             "truncated_bytes", "trimmed", "reset", "grown_mb", "healthz_slowest_s", "ended_s",
             "subscribes_sent", "closed_after_s", "held_s", "hurts", "soaked_s",
             "grown_mb_per_min")  # fmt: skip
    parts += [f"{name} {seen[name]}" for name in known if name in seen]
    judged = "" if found["is_timed"] else ", times not judged"
    told = f" ({found['day']}, {processor()}, load {found['load']:g}{judged})"
    return "; ".join(parts).replace("|", "/").replace("\n", " ") + told


def _worst(spread: Json) -> str:
    return f"{spread['max']:.1f} s" if spread else "–"


def _p99(spread: Json) -> str:
    return f"{spread['p99']:.2f} s" if spread else "–"


def look(number: str, name: str, held: str, where: str) -> Json:
    """Run the tests that show it; gives its row."""
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", *where.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or ["nothing"])[-1].strip("= ")
    cells = [number, name, held, last, f"`scripts/test {where}`"]
    row = "| " + " | ".join(cells) + " |"
    return {"number": number, "row": row, "is_good": done.returncode == 0}
