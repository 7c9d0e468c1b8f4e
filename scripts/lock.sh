#!/bin/sh
# Pin every dependency with its hashes, for every platform and every Python that we support. The smaller locks
# constrain the larger ones, so that installing one over another changes nothing.
set -eu
cd "$(dirname "$0")/.."

compile() {
    output=$1
    shift
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade --no-config \
        --output-file "$output" "$@"
}

echo "setuptools>=77" | compile requirements-build.lock -
compile requirements.lock pyproject.toml --constraints requirements-build.lock
compile requirements-homeserver.lock pyproject.toml --extra homeserver --constraints requirements.lock
compile requirements-dev.lock pyproject.toml --extra homeserver --extra dev \
    --constraints requirements-homeserver.lock
compile requirements-runtimes.lock pyproject.toml --extra runtimes --constraints requirements-dev.lock
compile requirements-bench.lock pyproject.toml --extra bench --constraints requirements-dev.lock
