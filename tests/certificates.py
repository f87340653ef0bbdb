"""An authority of a test's own and a server's certificate by it, made by openssl."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    """Files: the authority's certificate, and the server's with its key."""

    authority: Path
    server: Path


def made(folder: Path, *names: str) -> Certificates:
    """For a server of these names, each as openssl has it: ``DNS:…`` or ``IP:…``."""
    folder.mkdir(parents=True, exist_ok=True)
    authority, key, server = (folder / name for name in ("ca.pem", "ca.key", "server.pem"))
    common = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    common += ["-nodes", "-days", "2"]
    run(
        *common, "-subj", "/CN=made-up authority", "-keyout", str(key), "-out", str(authority),
        "-addext", "basicConstraints=critical,CA:TRUE",
        "-addext", "keyUsage=critical,keyCertSign",
    )  # fmt: skip
    run(
        *common, "-subj", "/CN=made-up server", "-CA", str(authority), "-CAkey", str(key),
        "-keyout", str(folder / "server.key"), "-out", str(server),
        "-addext", f"subjectAltName={','.join(names)}",
        "-addext", "basicConstraints=critical,CA:FALSE",
    )  # fmt: skip
    with server.open("ab") as both:
        both.write((folder / "server.key").read_bytes())
    return Certificates(authority, server)


def run(*command: str) -> None:
    """To its end, which must be a good one."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
