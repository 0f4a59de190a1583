#!/bin/sh
# Installs requirements.lock and .venv/bin/footnote into .venv. Does nothing if that is done, and starts over if an
# earlier run was interrupted. `setup.sh --lock` resolves pyproject.toml again instead, and `setup.sh --hashes` only
# writes requirements.hashes for the present requirements.lock.
set -eu
cd "$(dirname "$0")"

say() { printf '%s\n' "footnote setup: $*" >&2; }
new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in "${PYTHON:-python3}" python3.14 python3.13 python3.12 python3.11; do
        if new_enough "$candidate"; then python=$candidate; return; fi
    done
    say "needs Python 3.11 or newer; install it, or name it: make setup PYTHON=/path/to/python3.11"
    exit 69
}

make_lock() {
    find_python
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    "$python" -m venv "$folder/venv"
    "$folder/venv/bin/python" -m pip install torch==2.13.0
    "$folder/venv/bin/python" -m pip install '.[dev]'
    {
        echo "# Exact versions of everything that \`make setup\` installs. Written by \`make lock\`."
        # torch's local build label (+cpu) and its GPU libraries belong to one machine, not to the lock.
        "$folder/venv/bin/python" -m pip freeze --exclude footnote |
            sed 's/^\(torch==[0-9.]*\)+.*/\1/' | grep -v -i -E '^(nvidia|triton|cuda)'
    } > "$folder/lock"
    mv "$folder/lock" requirements.lock
    make_hashes
}

make_hashes() {
    "$folder/venv/bin/python" -m pip install uv==0.13.9
    {
        echo "# The SHA-256 of every file of each release in requirements.lock, for any platform. Written by \`make lock\`."
        echo "# torch is not among them: which file it is depends on the machine (see requirements.lock)."
        grep -v -e '^#' -e '^torch==' requirements.lock |
            "$folder/venv/bin/uv" pip compile --quiet --universal --python-version 3.11 --no-deps --generate-hashes \
                --no-annotate --no-header -
    } > "$folder/hashes"
    mv "$folder/hashes" requirements.hashes
}

if [ "${1:-}" = --lock ]; then make_lock; exit; fi
if [ "${1:-}" = --hashes ]; then
    find_python
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    "$python" -m venv "$folder/venv"
    make_hashes
    exit
fi

done_file=.venv/setup-done
started_file=.venv/setup-started
torch_from=${TORCH_INDEX:-}
state="$(cat requirements.lock requirements.hashes pyproject.toml setup.sh | cksum) $PWD"

if [ -x .venv/bin/footnote ] && [ -f "$done_file" ] && [ "$(sed -n 1p "$done_file")" = "$state" ]; then
    if [ -z "$torch_from" ] || [ "$(sed -n 2p "$done_file")" = "$torch_from" ]; then exit 0; fi
fi

find_python
if [ -f "$started_file" ] || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    "$python" -m venv --clear .venv
elif [ -f "$done_file" ] && [ "$(sed -n 1p "$done_file" | cut -d' ' -f3-)" != "$PWD" ]; then
    say "the folder has moved since .venv was created; creating it again"
    "$python" -m venv --clear .venv
fi
touch "$started_file"
rm -f "$done_file"

pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }
say "installing the packages of requirements.lock (minutes the first time)"
if [ -n "$torch_from" ]; then
    # Ignore the configuration, so that no other index provides torch.
    PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS='' PIP_EXTRA_INDEX_URL='' \
        pip install --no-deps --force-reinstall --index-url "$torch_from" "$(grep '^torch==' requirements.lock)"
fi
# First what has hashes; then torch with its GPU libraries, and packages that only this platform needs.
pip install --require-hashes --no-deps -r requirements.hashes
pip install -r requirements.lock
pip install --no-deps --no-build-isolation --editable .
printf '%s\n%s\n' "$state" "$torch_from" > "$done_file"
rm -f "$started_file"
say "done: .venv/bin/footnote is ready"
