"""What befalls the ingest: it dies under load, or is sent what nobody should send."""

import json
import time

from tests.faults.scene import Scene
from tests.tower.processes import BEARER

GROWTH_MB_MAX = 32.0
PAUSE_S = 1.0
BODIES = {
    "no JSON": b"{", "NaN": b'{"id": NaN}', "a lone surrogate": b'{"id": "\\ud800"}',
    "depth": b"[" * 10_000, "a huge number": b'{"received_at": 1' + b"0" * 400 + b"}",
    "an unknown type": b'{"type": "bomb"}', "keys twice": b'{"type":"event","type":"event"}',
    "10 MB": b'{"text": "' + b"x" * 10_000_000 + b'"}', "no text": b"\xff\xfe\x00",
}  # fmt: skip


def killed(scene: Scene) -> None:
    """SIGKILL several times; each time it comes again on its port a second later."""
    for _ in range(scene.shape.times):
        scene.kill("ingest")
        time.sleep(PAUSE_S)
        scene.begin("ingest").become_ready()
        time.sleep(PAUSE_S)


def malformed(scene: Scene) -> None:
    """Bodies that no reader would send, ten times each, on two routes."""
    ingest, answers = scene.roles["ingest"], {}
    before = scene.usage()["ingest"]["rss_mb"]
    for _ in range(10):
        for name, body in BODIES.items():
            for path in ("/v1/deltas", "/v1/events"):
                try:
                    status = ingest.ask(path, "POST", body, **BEARER)[0]
                except OSError:
                    status = 0  # too large, and ended before it was sent
                answers[f"{name} {path}"] = status
                scene.demand(400 <= status < 500 or status == 0, f"I14 {name}: {status} {path}")
    grown = scene.usage()["ingest"]["rss_mb"] - before
    scene.seen["answers"] = json.loads(json.dumps(answers))
    scene.seen["grown_mb"] = round(grown, 1)
    scene.demand(grown <= GROWTH_MB_MAX, f"I14 the ingest has grown by {grown:.0f} MB")
