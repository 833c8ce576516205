#!/usr/bin/env bash
# What is slower or stricter than the tests: style, spelling, self-contained headers, the second
# compiler with its analyser, the long simulation, sanitizers, made-up input, rules broken on
# purpose, what a decision costs, the fleet in containers. Each step is named and counted; one that
# fails does not stop the next, and the script fails at the end.
#
#   scripts/check.sh               every step
#   scripts/check.sh format tidy   these alone
#   scripts/check.sh --long chaos  for hours: more of what a step tries at random
#
# CHECK_SHORT=1 (.ci/run): less of that, so that a change is judged in time.
#
# The last line is `N passed, N failed`, counted in steps; one that cannot run on this machine says
# SKIPPED and why, and is neither. Logs: build/check/STEP.log.
set -uo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_tree

readonly steps=(
    format spelling scripts headers tidy simulation isolation journal disks chaos failpoints
    network hostile units cameras motion autoscale folder monitoring asan tsan fuzz mutants cost
    docker
)
readonly logs=build/check
readonly cannot_run=77 # the exit code of a step that this machine cannot run
[ "${1:-}" != --long ] || { export CHECK_LONG=1 && shift; }
passed=0
failed=0

# usually NUMBER LONG [SHORT] : the second with --long, the third where little is to be tried.
usually() {
    if [ -n "${CHECK_LONG:-}" ]; then
        echo "$2"
    elif [ -n "${CHECK_SHORT:-}" ]; then
        echo "${3:-$1}"
    else
        echo "$1"
    fi
}

# sources PATTERN… : files of the tree, without what is ignored. Works in a clone and in a tarball.
sources() {
    if [ -e .git ]; then
        git ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do
            if [ -e "$file" ]; then printf '%s\n' "$file"; fi
        done
    else
        local pattern find_names=()
        for pattern in "$@"; do find_names+=(-o -name "$pattern"); done
        find . -path ./build -prune -o -type f \( "${find_names[@]:1}" \) -print
    fi
}

# every NUMBER : of the lines that come in every so many, beginning with another one each day.
every() { awk -v every="$1" -v day=$(($(date +%s) / 86400)) '(NR + day) % every == 0'; }

# The house is formatted by one version: others disagree about details.
step_format() {
    clang-format --version | grep -q 'version 14\.' || {
        echo "clang-format 14 is not there, but $(clang-format --version)"
        return 1
    }
    sources '*.cpp' '*.hpp' | xargs -n 20 -P "$(nproc)" clang-format --dry-run -Werror
}

# Unit tests misspell on purpose, to be asked "did you mean …?".
step_spelling() {
    sources '*.cpp' '*.hpp' '*.md' '*.py' '*.sh' '*.txt' '*.toml' '*.cmake' |
        grep -v 'tests/unit/' | xargs -r codespell --ignore-words-list=nack,fro,te,parm,keypair
}

step_scripts() {
    { sources '*.sh' && echo .ci/run; } | xargs shellcheck -x
}

# Every public header compiles by itself.
step_headers() {
    configure release -DFRAMEFLEET_TESTS=ON &&
        build release --target all_verify_interface_header_sets
}

# Clang must read what GCC reads; clang-tidy looks at what all processes lean on, in short at every
# second file.
step_tidy() {
    local files
    mapfile -t files < <(sources '*.cpp' | grep -E '^(\./)?(shared/base|[a-z]+/core)/[^/]+$' |
        every "$(usually 1 1 2)" | sed 's|^\./||; s|.*|/&$|')
    [ "${#files[@]}" -gt 0 ] || { echo "no file to look at"; return 1; }
    configure tidy -DCMAKE_CXX_CLANG_TIDY= -DFRAMEFLEET_FROM_SCRATCH=OFF &&
        run-clang-tidy -quiet -p build/tidy -j "$(build_jobs)" "${files[@]}"
}

# Tests whose child processes live in a sandbox that no sanitizer fits into.
readonly sandboxed='worker_(process_pool|format_pools|malformed_children)_test'

# sanitized PRESET LABEL [EXCLUDED] : builds the programs of the tests with that label, but those
# that the expression names, and runs them. Scripts have nothing to be instrumented.
sanitized() {
    local targets excluded=${3:-nothing}
    configure "$1" || return 1
    mapfile -t targets < <(test_programs "$1" "$2" | grep -vE "$excluded")
    [ "${#targets[@]}" -gt 0 ] || { echo "no test has the label $2"; return 1; }
    build "$1" --target "${targets[@]}" &&
        ctest --preset "$1" -L "$2" -E "$excluded|^tidy$" -j 2 </dev/null
}

# A tenth of the simulator's seeds, others than the tests have: it runs twenty times slower here.
# So does virtual time, whose cores the simulator drives too. Child processes have less room for
# addresses than a sanitizer's shadow takes, and may not do what it does. Every state of a journal
# is read in a child of its own, which is dear here.
step_asan() {
    FRAMEFLEET_CRASH_STATES=100 sanitized asan 'unit|sim' \
        "^simulation(_short)?$|^scheduling$|$sandboxed" &&
        build asan --target framefleet-sim &&
        build/asan/bin/framefleet-sim --seed 100000 --seeds 500 &&
        build/asan/bin/framefleet-sim --seed 100000 --seeds 5000 --steps 200
}

# About four minutes of CPU: many short schedules, because the rarest violations need two or three
# faults close together and nothing else, and long ones that must come to rest. Other seeds than the
# tests have.
step_simulation() {
    local sim=build/release/bin/framefleet-sim short long
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet-sim || return 1
    "$sim" --seed 1000000 --seeds "$(usually 600000 6000000 120000)" --steps 200 &
    short=$!
    "$sim" --seed 1000000 --seeds "$(usually 20000 200000 4000)"
    long=$?
    wait "$short" && [ "$long" -eq 0 ]
}

# Real processes; the tests take fewer pictures.
step_isolation() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet &&
        ISOLATION_TASKS=$(usually 10000 10000 5000) \
            ctest --preset release -R '^e2e_isolation$' -V </dev/null
}

# What may lie on a disk after a crash or a bit that turned over, of the journal and of the store:
# more states than the tests try, and other ones.
step_journal() {
    local store status
    configure release -DFRAMEFLEET_TESTS=ON &&
        build release --target journal_crash_states store_crash_states || return 1
    FRAMEFLEET_CRASH_STATES=$(usually 2000 2000 1000) FRAMEFLEET_CRASH_SEED=2 \
        build/release/tests/store_crash_states &
    store=$!
    FRAMEFLEET_CRASH_STATES=$(usually 7000 7000 3500) FRAMEFLEET_CRASH_SEED=2 \
        build/release/tests/journal_crash_states
    status=$?
    wait "$store" && [ "$status" -eq 0 ]
}

# Full disks, and an error of every kind at more calls of a run than the tests have (CHECK_LONG: at
# every one).
step_disks() {
    local runs=12
    [ -z "${CHECK_LONG:-}" ] || runs=0
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet \
        framefleet_io_faults &&
        IO_ERROR_RUNS=$runs \
            ctest --preset release -R '^e2e_(full_disk|io_error)$' -j 2 -V </dev/null
}

# Kills at random, with a journal: more tasks than the tests have, and at least a hundred kills;
# with --long a million tasks in fifty rounds, and five thousand kills.
step_chaos() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet || return 1
    CHAOS_TASKS=$(usually 10000 20000 5000) CHAOS_RATE=130 CHAOS_KILLS=$(usually 50 100 25) \
        CHAOS_ROUNDS=$(usually 1 25) \
        ctest --preset release -R '^e2e_journal_chaos' -j 2 -V </dev/null
}

# Every process dies at every failpoint, and stands still there; with --long 50 times each.
step_failpoints() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet \
        framefleet-{broker,worker,producer,sink} failpoints-{broker,worker,producer,sink} ||
        return 1
    FAILPOINTS=0 FAILPOINT_ROUNDS=$(usually 1 50) \
        ctest --preset release -R '^e2e_failpoints$' -V </dev/null
}

# Lines that are cut in every way, processes that are stopped, clocks that jump, ten times too much
# work, senders that leave at once. Most of it is waiting, so it runs side by side. CHECK_LONG: each
# cut and stop outlasts the patience of libzmq and of TCP, and all else takes ten times as long.
step_network() {
    local rounds=20 seconds=4 stops=1,4 overload=30
    if [ -n "${CHECK_LONG:-}" ]; then
        rounds=200 seconds=40 stops=1,4,20 overload=300
    fi
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet || return 1
    PARTITION_SECONDS=$seconds PAUSE_SECONDS=$stops OVERLOAD_SECONDS=$overload \
        BURST_ROUNDS=$rounds ctest --preset release -C check -L '^network$' -j 8 -V </dev/null
}

# Peers that speak ZMTP by hand and nonsense: ten thousand connections, five million empty frames, a
# message that never ends, beside a producer that must not lose a task. Then peers that have keys,
# or none, and mean ill.
step_hostile() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet-broker \
        framefleet-worker framefleet-sink framefleet || return 1
    HOSTILE_CROWD=$(usually 10000 15000) HOSTILE_CRUMBS=$(usually 5000000 50000000) \
        HOSTILE_SECONDS=$(usually 4 120) \
        ctest --preset release -R '^e2e_hostile' -V </dev/null
}

# The units for systemd by its own judgement, and the programs in their sandbox.
step_units() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet-broker \
        framefleet-worker framefleet-worker-imgcodecs framefleet-producer framefleet-capture \
        framefleet-sink framefleet && ctest --preset release -C check -L '^packaging$' -V </dev/null
}

# Cameras of an RTSP server that is stopped, killed and started again: three times, or a hundred.
# Beside them, because they mostly wait: one that comes and goes 20 times, and some that are too
# fast.
step_cameras() {
    (install_packages cameras) || true # without an RTSP server the test is skipped
    configure release -DFRAMEFLEET_TESTS=ON && build release --target camera_watch \
        synthetic_frames framefleet || return 1
    RTSP_CYCLES=$(usually 3 100) ctest --preset release -C check -L '^cameras$' -j 4 -V </dev/null
}

# A camera that gives twelve times as many frames for a while, and the workers that come and go
# with it.
step_autoscale() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet &&
        AUTOSCALE_SECONDS=18 ctest --preset release -R '^e2e_autoscale$' -V </dev/null
}

# The motion gate on a real video of pedestrians, which is unpacked and not installed.
step_motion() {
    local package=$PWD/build/check/opencv-doc
    unpack_packages walkers "$package" && configure release -DFRAMEFLEET_TESTS=ON &&
        build release --target unit_producer_motion &&
        FRAMEFLEET_PEDESTRIANS=$package/usr/share/doc/opencv-doc/examples/data/vtest.avi \
            build/release/tests/unit_producer_motion
}

# A folder of many pictures and one of ten times as many, for the same memory; with --long a hundred
# thousand.
step_folder() {
    configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet &&
        FOLDER_PICTURES=$(usually 2000,20000 10000,100000) \
            ctest --preset release -R '^e2e_folder$' -V </dev/null
}

# Dashboards, alerts and their tests by Grafana's schema, and by the real Prometheus and its
# Alertmanager, which are unpacked and not installed.
step_monitoring() {
    local tools=$PWD/build/check/prometheus
    unpack_packages unpack "$tools" || return 1
    command -v npm >/dev/null || (install_packages npm) || true # without it the test is skipped
    "$tools/usr/bin/promtool" check config monitoring/prometheus/prometheus.yml &&
        "$tools/usr/bin/promtool" test rules monitoring/prometheus/framefleet.rules.test.yml &&
        "$tools/usr/bin/amtool" check-config monitoring/alertmanager/alertmanager.yml &&
        configure release -DFRAMEFLEET_TESTS=ON && build release --target framefleet &&
        ctest --preset release -C check -L '^monitoring$' -V </dev/null
}

# Tests of what starts threads: the journal's and the store's, the pool's, the log's and the page of
# metrics. All else is one thread; libzmq, OpenCV and what they load are not instrumented, and what
# they do correctly would be reported.
step_tsan() { sanitized tsan threads; }

# fuzz TARGET FOLDER : makes up input for a minute (an hour with --long), beginning with the
# committed corpus; a finding is kept in FOLDER.
fuzz() {
    local log=$2/$1.log program=build/fuzz/fuzz/fuzz_$1
    mkdir -p "$2/$1"
    if "$program" -max_total_time="$(usually 60 3600 15)" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$2/$1-" "$2/$1" "tests/fuzz/corpus/$1" \
        >"$log" 2>&1; then
        printf '%s: %d executions, %d per second\n' "$1" \
            "$(sed -nE 's/^stat::number_of_executed_units: +//p' "$log")" \
            "$(sed -nE 's/^stat::average_exec_per_sec: +//p' "$log")"
        sed -nE 's/^(types |handed out )/    \1/p' "$log"
        return
    fi
    tail -n 40 "$log"
    ls "$2/$1"-* || return 1
    echo "error: $program aborts with that input; once mended it belongs in tests/fuzz/corpus/$1"
    return 1
}

# fuzz_all FOLDER TARGET… : one after the other.
fuzz_all() {
    local name status=0 found=$1
    for name in "${@:2}"; do fuzz "$name" "$found" || status=1; done
    return "$status"
}

# Two targets at a time.
step_fuzz() {
    local names other status found=$logs/fuzz
    configure fuzz && build fuzz || return 1
    rm -rf "$found"
    mapfile -t names < <(ls tests/fuzz/corpus)
    fuzz_all "$found" "${names[@]:0:${#names[@]}/2}" &
    other=$!
    fuzz_all "$found" "${names[@]:${#names[@]}/2}"
    status=$?
    wait "$other" && [ "$status" -eq 0 ]
}

# Rules broken on purpose, one at a time: the simulator and the tests of the cores must notice each;
# in short every sixth, other ones each day.
step_mutants() {
    local names
    mapfile -t names < <(basename -s .patch tests/mutants/*.patch | every "$(usually 1 1 6)")
    tests/mutants/run.sh "${names[@]}"
}

# A decision of the broker costs the same with 10 sources as with 100 000; every workload of the
# bench runs, and its counts close (bench/METHOD.md).
step_cost() {
    (install_packages bench) || true # without them two rivals less are compiled
    configure bench && build bench --target bench-dispatcher-cost &&
        python3 bench/micro/cost_check.py build/bench/bench/bench-dispatcher-cost &&
        configure release -DFRAMEFLEET_TESTS=ON &&
        build release --target framefleet framefleet-bench &&
        python3 bench/fleet/bench_check.py build/release/bin/framefleet
}

# Image and compose.yaml in a real engine, which is started here where there is none.
step_docker() { tests/docker/engine.sh tests/docker/run.sh; }

# run_step NAME : while it passes, what was skipped and what took how long; its whole log where it
# fails.
run_step() {
    local started=$SECONDS log=$logs/$1.log code=0
    printf '==> %-10s' "$1"
    "step_$1" >"$log" 2>&1 </dev/null || code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
        printf 'passed (%d s)\n' $((SECONDS - started))
        sed -n 's/^.*SKIPPED: /    SKIPPED: /p' "$log" | sort -u
        sed -nE 's/^(#[0-9]+ [0-9.]+ )?==> (.*\b[0-9]+ s\b.*)/    \2/p' "$log"
    elif [ "$code" -eq "$cannot_run" ]; then
        printf '\n'
        grep '^SKIPPED' "$log"
    else
        failed=$((failed + 1))
        printf 'FAILED (%d s)\n' $((SECONDS - started))
        tail -n 200 "$log" | sed "s/^/    /"
    fi
}

for name in "$@"; do
    [[ " ${steps[*]} " == *" $name "* ]] || die "no step is called $name; there are: ${steps[*]}"
done
install_packages build run test check
mkdir -p "$logs"
[ "$#" -gt 0 ] || set -- "${steps[@]}"
for name in "$@"; do run_step "$name"; done
closing_line "$passed" "$failed"
[ "$failed" -eq 0 ]
