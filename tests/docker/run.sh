#!/usr/bin/env bash
# Builds the image and what stands in for other images, and runs compose_test.py with them. Called
# by tests/docker/engine.sh, where there is an engine.
#
# CHECK_LONG=1: as users build it, with all unit tests, and again with the classic builder.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
in_tree

# What differs between here and there is what the image brings along: tests of that.
readonly of_libraries='unit_telemetry|unit_transport|worker_decoding_test|worker_process_pool_test'
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

timed compose build broker
timed compose build prometheus alertmanager
docker image inspect -f '{{.Size}}' debian:trixie-slim framefleet |
    awk '{mib[NR] = $1 / 1048576} END {
        printf "==> the image has %d MiB: %d of its base, %d of its own\n",
               mib[2], mib[1], mib[2] - mib[1]}'
if [ -n "${CHECK_LONG:-}" ]; then
    DOCKER_BUILDKIT=0 timed docker build -t framefleet --build-arg UNIT_TESTS=none .
fi
timed python3 -B tests/docker/compose_test.py
