#!/usr/bin/env bash
# Installs what is missing, builds what users run (preset release), and runs every test:
# unit, simulation, integration, end to end. Starts no daemon but framefleet's own.
#
#   scripts/test.sh             all of it; under 15 minutes on a clean clone with 2 CPUs
#   scripts/test.sh -L unit     arguments go to ctest: one label here, `-R NAME` one test
#
# The last line is `N passed, N failed`, counted in ctest's tests; the exit code is 0 only where
# none failed and something ran. What could not run says SKIPPED and why, and is listed before it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_tree

# attribute NAME FILE : of the <testsuite> element of a JUnit report.
attribute() { sed -nE "0,/$1=\"[0-9]+\"/s/.*[[:space:]]$1=\"([0-9]+)\".*/\1/p" "$2"; }

install_packages build run test
configure release -DFRAMEFLEET_TESTS=ON || { closing_line 0 1; exit 1; }
build release || { closing_line 0 1; exit 1; }

report=$PWD/build/release/tests.xml
log=build/release/Testing/Temporary/LastTest.log
rm -f "$report" "$log"
# Half of them mostly wait.
say "running the tests"
status=0
ctest --preset release -j 4 --output-junit "$report" "$@" </dev/null || status=$?
[ -s "$report" ] || { closing_line 0 1; exit 1; }

total=$(attribute tests "$report")
failed=$(attribute failures "$report")
not_run=$(($(attribute skipped "$report") + $(attribute disabled "$report")))
passed=$((total - failed - not_run))

if [ "$not_run" -gt 0 ] || grep -q '^SKIPPED' "$log"; then
    say "WARNING: not everything ran ($not_run whole tests did not); what was skipped, and why:"
    grep '^SKIPPED' "$log" | sort | uniq -c | sed 's/^/    /' || true
fi
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
closing_line "$passed" "$failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
