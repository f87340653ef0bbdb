# Shared by the scripts beside it, which set ROOT and then source this file. POSIX sh.
#
# The environment is .venv in the checkout. It is made from the hash-pinned files in requirements/,
# by uv, and uv comes from whatever the machine has. Each finished step leaves a copy of what it
# was made from in .venv/.made, so that a second start compares a few files and installs nothing.

PYTHON_MIN=3.11
PROGRAM=$(basename "$0")
VENV=$ROOT/.venv
PY=$VENV/bin/python
MADE=$VENV/.made

say() { printf '%s\n' "$*" >&2; }
fail() { say "$PROGRAM: $*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# Prints where a Python is, if it is new enough. It is run, because a name on PATH may be a shim
# that leads nowhere.
is_new_enough() {
    "$1" -c "import sys
if sys.version_info < tuple(map(int, '$PYTHON_MIN'.split('.'))): sys.exit(1)
print(sys.executable)" 2>/dev/null </dev/null
}

find_python() {
    for candidate in python3 python3.14 python3.13 python3.12 python3.11 python; do
        is_new_enough "$candidate" && return 0
    done
    return 1
}

# Runs a command as root, if this user may do so without a password.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_apt() {
    has apt-get && { [ "$(id -u)" = 0 ] || { has sudo && sudo -n true 2>/dev/null; }; }
}

apt_install() {
    say "Installing with apt-get: $*"
    as_root apt-get -qq update </dev/null >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null
}

# The four ways to an environment that has uv. Each is quiet when it fails: the next is tried.
uv_into_venv() { "$@" install -q --require-hashes -r "$ROOT/requirements/bootstrap.txt"; }

by_venv() { "$1" -m venv --clear "$VENV" && uv_into_venv "$PY" -m pip; }
by_virtualenv() { "$1" -m virtualenv -q --clear "$VENV" && uv_into_venv "$PY" -m pip; }
by_pip() { # a Debian python3 has no ensurepip, but a pip beside it can install into another place
    "$1" -m venv --clear --without-pip "$VENV" && uv_into_venv "$1" -m pip --python "$PY"
}
by_apt() {
    may_apt || return 1
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    apt_install "python$version-venv" && by_venv "$1"
}

bootstrap() {
    log=$(mktemp)
    for way in by_venv by_virtualenv by_pip by_apt; do
        if "$way" "$1" >>"$log" 2>&1 </dev/null; then
            rm -f "$log"
            return 0
        fi
    done
    tail -n 15 "$log" >&2
    rm -f "$log"
    rm -rf "$VENV"
    fail "cannot make an environment with $1. Install uv, or let Python make environments" \
        "(Debian and Ubuntu: sudo apt-get install python3-venv), and start again."
}

# Whether .venv has a Python that is new enough, and a uv is at hand to install into it.
venv_works() {
    [ -x "$PY" ] && is_new_enough "$PY" >/dev/null &&
        { has uv || [ -x "$VENV/bin/uv" ] || uv_into_venv "$PY" -m pip >/dev/null 2>&1; }
}

# Makes .venv, unless there is one that works.
ensure_venv() {
    if venv_works; then return 0; fi
    say "Making the Python environment in .venv"
    rm -rf "$VENV"
    python=$(find_python) || python=
    if has uv; then # uv can fetch a Python where none is new enough
        uv venv -q --python "${python:->=$PYTHON_MIN}" "$VENV" && return 0
    fi
    [ -n "$python" ] || fail "Python $PYTHON_MIN or later is needed, and none is on PATH." \
        "Install it (Debian 12, Ubuntu 24.04 and later: sudo apt-get install python3 python3-venv;" \
        "macOS: brew install python), or install uv, which brings its own, and start again."
    bootstrap "$python"
}

# Runs uv: the machine's own, else the one in .venv.
uv_run() {
    if [ -z "${UV_DEFAULT_INDEX-}${UV_INDEX_URL-}" ] && [ -n "${PIP_INDEX_URL-}" ]; then
        export UV_DEFAULT_INDEX="$PIP_INDEX_URL" # a mirror told to pip is meant for uv too
    fi
    if has uv; then uv "$@"; else "$VENV/bin/uv" "$@"; fi
}

# ensure_packages runtime|dev|build: exactly what requirements/$1.txt says, by hash.
ensure_packages() {
    lock=$ROOT/requirements/$1.txt
    if cmp -s "$lock" "$MADE/$1"; then return 0; fi
    say "Installing requirements/$1.txt"
    # Where Python may not keep what it compiles, every start would compile everything again.
    ahead=${PYTHONDONTWRITEBYTECODE:+--compile-bytecode}
    uv_run pip install -q $ahead --python "$PY" --require-hashes -r "$lock" ||
        fail "installing failed."
    mkdir -p "$MADE" && cp "$lock" "$MADE/$1"
}

# The project itself, editable; its build hook builds the dashboard, with a Node of its own if need
# be. Done again when the packaging, the checkout's place or the dashboard's sources change.
ensure_project() {
    project=$(printf '%s\n' "$ROOT" && cat "$ROOT/pyproject.toml" "$ROOT/hatch_build.py")
    if [ "$project" = "$(cat "$MADE/project" 2>/dev/null)" ] && "$PY" "$ROOT/hatch_build.py" check
    then return 0; fi
    say "Building the dashboard and installing Agent Tower into .venv"
    uv_run pip install -q --python "$PY" --no-deps --reinstall-package agenttower \
        --build-constraints "$ROOT/requirements/build.txt" --editable "$ROOT" ||
        fail "the build failed; the lines above say why."
    if [ -n "${PYTHONDONTWRITEBYTECODE-}" ]; then
        (cd "$ROOT" && env -u PYTHONDONTWRITEBYTECODE "$PY" -m compileall -q \
            session bus ingest hub history tower)
    fi
    mkdir -p "$MADE" && printf '%s\n' "$project" >"$MADE/project"
}

# ensure_program APT_PACKAGE BREW_PACKAGE COMMAND…: one of the commands must exist. Where it may
# not be installed, its tests are left out; with CI=true that is an error.
ensure_program() {
    package=$1 brew_package=$2
    shift 2
    for command in "$@"; do
        if has "$command"; then return 0; fi
    done
    if may_apt && apt_install "$package"; then return 0; fi
    case $(has apt-get && echo apt || uname) in
        apt) how="sudo apt-get install $package" ;;
        Darwin) how="brew install $brew_package" ;;
        *) how="install it with the package manager of this system" ;;
    esac
    if [ "${CI-}" = true ]; then fail "$package is missing, and CI needs it: $how"; fi
    say "$PROGRAM: $package is missing, so its tests are left out. To run them: $how"
}
