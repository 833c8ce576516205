#!/usr/bin/env bash
# Builds the image and what stands in for other images, and runs compose_test.py with them. Called
# by tests/docker/engine.sh, where there is an engine.
#
# CHECK_LONG=1: as users build it, with all unit tests; again after a change of one source, to see
# how long that takes; and with the classic builder.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
in_tree

# What differs between here and there is what the image brings along: tests of that.
of_libraries='hardening|unit_telemetry|unit_transport|worker_decoding_test|worker_process_pool_test'
readonly of_libraries=$of_libraries'|worker_models_test|worker_real_models_test'
if [ -z "${CHECK_LONG:-}" ]; then
    export OPTIMIZE=-O1 UNIT_TESTS="^($of_libraries)\$"
fi

compose() { docker compose --progress plain -f compose.yaml -f compose.ci.yaml "$@"; }

# timed WORDS… : runs it, says how long it took.
timed() {
    local began=$SECONDS
    "$@"
    say "$((SECONDS - began)) s: $*"
}

# Every network on every photo as its authors' recipe has it, by both backends; then by the image as
# it is shipped, in children of a worker.
look_at_photos() {
    local models shared
    shared=$(realpath ../shared)
    if [ ! -e "$shared/models/yolox_nano.onnx" ]; then
        echo "SKIPPED: the networks of the image: no models at $shared"
        return
    fi
    docker build -q --target build -t framefleet-build --build-arg "OPTIMIZE=${OPTIMIZE:--O2}" \
        --build-arg "UNIT_TESTS=${UNIT_TESTS:-.}" .
    docker run --rm -e CHECK_LONG=1 -v "$shared:/shared:ro" framefleet-build \
        build/release/tests/worker_real_models_test
    models=$(mktemp -d)
    cp config/models/*.toml "$shared"/models/* "$models"
    chmod -R a+rX "$models"
    docker run --rm -v "$models:/models:ro" -v "$shared/data/photos:/photos:ro" framefleet \
        framefleet detect --models /models --detect objects,faces --json /photos/dog.jpg
    rm -r "$models"
}

timed compose build broker
timed look_at_photos
timed compose build prometheus alertmanager
docker image inspect -f '{{.Size}}' debian:trixie-slim framefleet |
    awk '{mib[NR] = $1 / 1048576} END {
        printf "==> the image has %d MiB: %d of its base, %d of its own\n",
               mib[2], mib[1], mib[2] - mib[1]}'
if [ -n "${CHECK_LONG:-}" ]; then
    changed=$(mktemp -d)
    trap 'rm -rf "$changed"' EXIT
    tar -c --exclude=./build --exclude=./.git . | tar -x -C "$changed"
    echo "// changed" >>"$changed/cli/main.cpp"
    timed docker build -t framefleet:changed --build-arg UNIT_TESTS=none "$changed"
    DOCKER_BUILDKIT=0 timed docker build -t framefleet:classic --build-arg UNIT_TESTS=none .
fi
timed python3 -B tests/docker/compose_test.py
