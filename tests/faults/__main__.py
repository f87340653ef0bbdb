"""``python -m tests.faults NUMBER…|all|short [--json] [--write FILE]``: faults by hand."""

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from tests.faults import report
from tests.faults.matrix import FAULTS, chosen
from tests.faults.others import OTHERS, looked_at
from tests.faults.run import PATIENT, run, told

Json = dict[str, Any]


def main() -> int:
    """Run them one after the other; exit code 1 if an invariant was violated."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    numbers = ", ".join([*(each.number for each in FAULTS), *(each[0] for each in OTHERS)])
    parser.add_argument("numbers", nargs="*", help=f"all, short, or some of {numbers}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="leave logs and recordings in this folder")
    parser.add_argument(
        "--patient", action="store_true", help="judge no times: the machine is busy"
    )
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
        found = run(fault, asked.seed, asked.keep, PATIENT if asked.patient else None)
        failed += bool(found["violations"])
        _tell(found, json.dumps(found) if asked.json else told(found), asked.write)
    for other in looked_at(asked.numbers):
        found = report.look(*other)
        failed += not found["is_good"]
        _tell(found, json.dumps(found) if asked.json else found["row"], asked.write)
    return int(failed > 0)


def _tell(found: Json, words: str, page: Path | None) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
    if page is not None:
        report.keep(page, found)


if __name__ == "__main__":
    sys.exit(main())
