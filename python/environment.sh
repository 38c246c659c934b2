#!/bin/sh
# Makes or refreshes .venv at the repository root: pinned packages, then the wheel of this folder, built and installed
# as users get it. What has not changed since the last run is left alone, without a look at the network.
#
#   sh python/environment.sh run       requirements.txt and the wheel
#   sh python/environment.sh test      requirements-test.txt too
#
# The jars of the wheel must lie in target/jars (`mvn package`). PYTHON names the interpreter; python3 if unset.
set -eu
cd "$(dirname "$0")/.."
venv=.venv
python=${PYTHON:-python3}
export PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

fail() {
    echo "$1" >&2
    exit 1
}

# Says which Python "$1" is ("3.11.7 in /usr"); fails when it cannot run or is older than 3.11.
identity() {
    "$1" -c 'import sys
print("%d.%d.%d in %s" % (sys.version_info[:3] + (getattr(sys, "base_prefix", sys.prefix),)))
sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# One hash over the names and contents of files and folders.
digest() {
    find "$@" -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum
}

make_venv() {
    found=$(identity "$python") || fail "gumbel4j needs Python 3.11 or newer, but $python is ${found:-missing}: apt install python3 python3-venv, or let the environment variable PYTHON name a newer one."
    "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python ($found) cannot make a virtual environment: apt install python3-venv"
    echo "Making $venv with Python $found"
    "$python" -m venv --clear "$venv"
}

install_requirements() {
    pins=$(digest "python/$1")
    if [ "$(cat "$venv/$1.sha256" 2>/dev/null)" != "$pins" ]; then
        echo "Installing python/$1 into $venv"
        "$venv/bin/python" -m pip install --quiet -r "python/$1" || fail "Installing python/$1 failed, pip says why above; with nothing changed since, later runs need no network."
        echo "$pins" > "$venv/$1.sha256"
    fi
}

install_wheel() {
    sources=$(digest python/src python/pyproject.toml python/hatch_build.py pom.xml LICENSE target/jars)
    if [ "$(cat "$venv/wheel.sha256" 2>/dev/null)" != "$sources" ]; then
        echo "Building the wheel and installing it into $venv"
        rm -rf target/wheel
        GUMBEL4J_JARS=$PWD/target/jars
        export GUMBEL4J_JARS
        (cd python && "../$venv/bin/python" -m hatchling build --target wheel --directory ../target/wheel)
        "$venv/bin/python" -m pip install --quiet --no-index --no-deps --force-reinstall target/wheel/*.whl
        echo "$sources" > "$venv/wheel.sha256"
    fi
}

present=$(identity "$venv/bin/python") || present=
if [ -z "$present" ] || { [ -n "${PYTHON:-}" ] && [ "$(identity "$python")" != "$present" ]; }; then
    make_venv
fi
install_requirements requirements.txt
if [ "$1" = test ]; then
    install_requirements requirements-test.txt
fi
install_wheel
