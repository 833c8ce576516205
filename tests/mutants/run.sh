#!/usr/bin/env bash
# Breaks the cores on purpose, one rule at a time, and sees that the tests notice.
#
#   tests/mutants/run.sh                    every patch of this folder
#   tests/mutants/run.sh fifo_broken …      these alone
#
# Each patch is applied to a copy of the tree; the simulator (FRAMEFLEET_MUTANT_SEEDS long runs,
# 1000, and ten times as many short ones) and then the scenarios and unit tests of the cores run
# against it. A mutant that nothing notices has survived: the tests have a hole. So has one that no
# longer applies or compiles. The unchanged tree goes first and must pass. The last line is
# `N passed, N failed`, counted in mutants.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tree=$(cd "$here/../.." && pwd)
readonly here tree
readonly seeds=${FRAMEFLEET_MUTANT_SEEDS:-1000}
readonly folders=(shared/base broker/core worker/core producer/core sink/core tests/support
    tests/simulation tests/scenarios tests/unit/base tests/unit/broker tests/unit/worker_core
    tests/unit/producer_core tests/unit/sink_core)

# compile ROOT SOURCE OBJECTS : from ROOT/SOURCE into OBJECTS, the path's slashes as dashes.
compile() {
    g++ -std=c++20 -O1 -w -I"$1" -DFMT_HEADER_ONLY -DFRAMEFLEET_SOURCE_DIR="\"$1\"" \
        -DFRAMEFLEET_TEST_DATA='"/nonexistent"' -DFRAMEFLEET_BINARY_DIR='"/nonexistent"' \
        -c "$1/$2" -o "$3/${2//\//-}.o"
}

# link OBJECTS PROGRAMS : `sim` and `tests` from the objects.
link() {
    local sim=() tests=() object
    for object in "$1"/*.o; do
        case ${object##*/} in
            tests-simulation-simulation_test.cpp.o) ;;
            tests-simulation-*) sim+=("$object") ;;
            tests-*) tests+=("$object") ;;
            *) sim+=("$object") tests+=("$object") ;;
        esac
    done
    g++ -o "$2/sim" "${sim[@]}" && g++ -o "$2/tests" "${tests[@]}"
}

# judge PROGRAMS : says what failed, or nothing. Something that hangs is noticed too.
judge() {
    if ! timeout 300 "$1/sim" --seed 1 --seeds "$seeds" >"$1/sim.log" 2>&1 ||
        ! timeout 300 "$1/sim" --seed 1 --seeds $((seeds * 10)) --steps 200 >"$1/sim.log" 2>&1; then
        echo simulator
        return
    fi
    timeout 300 "$1/tests" --use-colour no >"$1/tests.log" 2>&1 || echo tests
}

# one WORK NAME : tries one mutant; a line for the reader, and a file WORK/NAME.failed on failure.
one() {
    local work=$1 name=$2 mutant=$1/$2 changed noticed_by
    mkdir -p "$mutant/objects"
    cp -r "$work/tree" "$mutant/tree"
    cp "$work"/objects/*.o "$mutant/objects/"
    fail() {
        echo "failed: $name: $1"
        : >"$mutant.failed"
    }
    changed=$(sed -n 's|^+++ b/||p' "$here/$name.patch")
    if ! patch -s -p1 -d "$mutant/tree" <"$here/$name.patch" >"$mutant/patch.log" 2>&1; then
        fail "does not apply any more"
    elif ! compile "$mutant/tree" "$changed" "$mutant/objects" 2>"$mutant/compile.log" ||
        ! link "$mutant/objects" "$mutant"; then
        fail "does not compile: $(head -1 "$mutant/compile.log")"
    else
        noticed_by=$(judge "$mutant")
        if [ -n "$noticed_by" ]; then
            echo "passed: $name, noticed by the $noticed_by"
        else
            fail "survived: $(head -1 "$here/$name.patch")"
        fi
    fi
    rm -rf "$mutant"
}

# Called by itself, so that xargs can do several at a time.
case ${1:-} in
    --one)
        one "$2" "$3"
        exit 0
        ;;
    --compile)
        compile "$2" "$4" "$3"
        exit
        ;;
esac

work=$(mktemp -d "${TMPDIR:-/tmp}/framefleet-mutants-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree" "$work/objects"
(cd "$tree" && tar -cf - "${folders[@]}") | tar -xf - -C "$work/tree"

# Of the support the tests of the cores link its main alone; the rest takes functions' places.
sources=(-name '*.cpp' ! \( -path './tests/support/*' ! -name catch_main.cpp \))
if ! (cd "$work/tree" && find . "${sources[@]}" -printf '%P\n') |
    xargs -P "$(nproc)" -I{} "$here/run.sh" --compile "$work/tree" "$work/objects" {} ||
    ! link "$work/objects" "$work"; then
    echo "the tree itself does not compile"
    exit 1
fi
noticed_by=$(judge "$work")
if [ -n "$noticed_by" ]; then
    tail -20 "$work"/*.log
    echo "the unchanged tree fails: $noticed_by"
    exit 1
fi

if [ $# -gt 0 ]; then
    names=("$@")
else
    mapfile -t names < <(basename -s .patch "$here"/*.patch)
fi
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} "$here/run.sh" --one "$work" {}
failed=$(find "$work" -maxdepth 1 -name '*.failed' | wc -l)
echo "$((${#names[@]} - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
