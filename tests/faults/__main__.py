"""``python -m tests.faults NUMBER…|all|short [--json] [--write FILE]``: faults by hand."""

import argparse
import json
import signal
import sys
from pathlib import Path

from tests.faults import report
from tests.faults.matrix import FAULTS, OTHERS, chosen
from tests.faults.run import run, told


def main() -> int:
    """Run them one after the other; exit code 1 if an invariant was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    numbers = ", ".join(each.number for each in FAULTS)
    parser.add_argument("numbers", nargs="*", help=f"all, short, or some of {numbers}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave logs and recordings in this folder")
    parser.add_argument("--json", action="store_true", help="the whole reports, as JSON lines")
    parser.add_argument("--write", type=Path, help="also keep what was seen in this page")
    parser.add_argument("--recorded", type=Path, help="run nothing: reports that --json has told")
    asked = parser.parse_args()
    if asked.recorded and asked.write:
        for line in asked.recorded.read_text().splitlines():
            report.keep(asked.write, json.loads(line))
        return 0
    if not asked.numbers:
        parser.error("say which faults")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is undone
    try:
        faults = chosen(asked.numbers)
    except KeyError as error:
        parser.error(f"there is no fault {error}; there are {numbers}")
    failed = 0
    for fault in faults:
        found = run(fault, asked.seed, asked.keep)
        failed += bool(found["violations"])
        sys.stdout.write((json.dumps(found) if asked.json else told(found)) + "\n")
        sys.stdout.flush()
        if asked.write:
            report.keep(asked.write, found)
    if asked.write and asked.numbers == ["all"]:
        for number, name, held, where in OTHERS:
            report.keep(asked.write, report.look(number, name, held, where))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
