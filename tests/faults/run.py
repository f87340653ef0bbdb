"""One fault from beginning to end: a scene of its own, load, the injury, rest, the verdict."""

import contextlib
import json
import os
import tempfile
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tests.faults.checker import judge
from tests.faults.evidence import collect
from tests.faults.fault import Fault
from tests.faults.numbers import harmed, live_again, numbers
from tests.faults.scene import Scene

Json = dict[str, Any]
STUCK_S = 60.0
PATIENT: Json = {"patience": 5.0}
BRIEF: Json = {
    "sessions": 20, "clients": 12, "rate": 50, "times": 2, "peace_s": 3.0, "calm": 0.5, **PATIENT
}  # fmt: skip


def run(fault: Fault, seed: int = 1, keep: Path | None = None, more: Json | None = None) -> Json:
    """The report: what was seen, and every violation; a run that fails is one as well.

    Logs and recordings stay below ``keep``, if it is given. ``more`` changes the scene: ``BRIEF``
    is a smaller one. It is ``PATIENT`` as well: it asks what is true in the end, and not how soon,
    for a machine that is busy with other things.
    """
    more = {"seed": seed, **(more or {})}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tower-faults-") as folder:
        try:
            place = Path(folder)
            if keep is not None:
                place = keep / f"{fault.number}-{seed}"
                place.mkdir(parents=True)
            told = _run(fault, place, more)
        except Exception as error:  # noqa: BLE001 - the others are run all the same
            lines = "".join(traceback.format_exception(error)[-3:])
            told = {"seen": {}, "is_timed": False, "violations": [f"the run failed: {lines}"]}
    return {"number": fault.number, "name": fault.name, "seed": seed,
            "day": datetime.now(UTC).strftime("%Y-%m-%d"), "load": round(os.getloadavg()[0], 1),
            "took_s": round(time.monotonic() - began, 1), **told}  # fmt: skip


def _run(fault: Fault, folder: Path, more: Json) -> Json:
    with contextlib.ExitStack() as stack:
        shape = fault.shape(folder, stack)
        scene = Scene(folder, stack, msgspec.structs.replace(shape, **more))
        scene.start()
        working = scene.work()
        time.sleep(scene.shape.peace_s)
        scene.mark("hurt")
        fault.hurt(scene)
        scene.mark("healed")
        time.sleep(fault.after_s * scene.shape.calm)
        scene.mark("ended")
        scene.story.ended.set()
        for each in working:
            each.join(STUCK_S * scene.shape.patience)
            scene.demand(not each.is_alive(), "I12 a producer gets no answer any more")
        scene.mark("ended")
        found = collect(scene)
        seen = numbers(scene, found)
        violations = scene.complaints + judge(found, may_lose=fault.may_lose)
        violations += harmed(seen) if fault.harms_nobody and found.is_timed else []
        late = [each for each in live_again(found, found.when("healed")) if each > fault.live_s]
        if late and found.is_timed:
            violations.append(f"I1 {len(late)} clients were not live {fault.live_s:g} s after")
    violations = [each for each in violations if each.split()[0] not in fault.excused]
    return {"seen": seen, "violations": violations, "is_timed": found.is_timed}


def told(report: Json) -> str:
    """One report for a person."""
    head = f"{report['number']} {report['name']}: {len(report['violations'])} violations"
    lines = [head, *(f"  {each}" for each in report["violations"][:20])]
    return "\n".join([*lines, f"  {json.dumps(report['seen'])}"])
