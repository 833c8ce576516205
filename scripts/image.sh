#!/usr/bin/env bash
# What the Dockerfile runs in its first stage, one verb a layer. Not for people: it expects the tree
# and the packages of the groups build, run and test.
#
#   scripts/image.sh programs         builds what users run, as far as its folders are there
#   scripts/image.sh tests PATTERN    builds and runs the unit tests whose names match; `none`: none
#   scripts/image.sh stage FOLDER FILE    gathers in FOLDER what the last stage has beside Debian's
#                                     packages that FILE lists: they are in its base already; and
#                                     the bill of materials of both (sbom.py)
#
# OPTIMIZE in the environment: the compiler's flags, -O2 by default.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_tree

# They read parts of the tree that the image does not have; scripts/test.sh runs them.
readonly not_here='^(tidy|monitoring|compose_file)$'

configure_with() {
    local part parts=
    for part in sink producer broker worker cli; do
        [ ! -d "$part" ] || parts="$parts;$part"
    done
    configure release "-DCMAKE_CXX_FLAGS_RELEASE=${OPTIMIZE:--O2} -DNDEBUG" \
        "-DFRAMEFLEET_PARTS=${parts#;}" "$@"
}

build_programs() {
    configure_with -DFRAMEFLEET_TESTS=OFF && build release
}

run_tests() {
    local pattern=$1 targets
    if [ "$pattern" = none ]; then
        say "WARNING: this image is built without its unit tests"
        return
    fi
    configure_with -DFRAMEFLEET_TESTS=ON
    mapfile -t targets < <(test_programs release unit -R "$pattern" -E "$not_here")
    [ "${#targets[@]}" -gt 0 ] || die "no unit test is called like $pattern"
    build release --target "${targets[@]}"
    ctest --preset release -L unit -R "$pattern" -E "$not_here" -j "$(nproc)" </dev/null
    grep -h '^SKIPPED' build/release/Testing/Temporary/LastTest.log | sort | uniq -c || true
}

# in_usr PATH : its name below /usr, where all files are that a package calls /lib.
in_usr() { case $1 in /usr/*) printf '%s\n' "$1" ;; *) printf '/usr%s\n' "$1" ;; esac }

# read_owners : fills `owner`, the package of every shared library of this machine.
declare -A owner
read_owners() {
    local package path
    while read -r package path; do owner[$path]=$package; done < <(
        grep -H '\.so' /var/lib/dpkg/info/*.list |
            sed -E 's|^.*/([^/:]+)(:[^/:]+)?\.list:(/usr)?|\1 /usr|')
}

# stage_package NAME : its licence, and its record where scanners of images look for it: the
# libraries come without dpkg's database.
stage_package() {
    install -D -m 644 "/usr/share/doc/$1/copyright" "$stage/usr/share/doc/$1/copyright"
    install -d "$stage/var/lib/dpkg/status.d"
    dpkg-query -s "$1" >"$stage/var/lib/dpkg/status.d/$1"
}

# stage_libraries PROGRAM… : every shared library that they load at their start, under the name that
# the loader asks for. Half the size of their packages, which bring drivers, data and programs.
stage_libraries() {
    local library package
    read_owners
    ldd "$@" | awk '/not found/ {exit 1} $2 == "=>" && $3 ~ /^\// {print $3}' | sort -u \
        >"$work/libraries"
    while read -r library; do
        package=${owner[$(in_usr "$(realpath "$library")")]:-}
        [ -n "$package" ] || die "no package has $library"
        library=$(in_usr "$library")
        echo "$package $library" >>"$work/files"
        grep -qx "$package" "$base_packages" && continue
        install -D -m 644 "$library" "$stage$library"
        echo "$package"
    done <"$work/libraries" >>"$work/packages"
}

# version_of PROGRAM : the second word that it says.
version_of() { "$1" --version | awk 'NR == 1 {print $2}'; }

# room WORDS FILE… : how much of the image that is.
room() {
    printf '    %4d MiB  %s\n' $((($(du -ck "${@:2}" | tail -n 1 | cut -f1) + 512) / 1024)) "$1"
}

# What the image has beside its base, and what for (docs/OPERATIONS.md, Room, says why).
tell_room() {
    local bin=$stage/usr/local/bin all worker files library
    libraries_of() {
        ldd "$@" | awk '$2 == "=>" && $3 ~ /^\// {print $3}' | sort -u | while read -r library; do
            [ ! -e "$stage$(in_usr "$library")" ] || echo "$stage$(in_usr "$library")"
        done
    }
    mapfile -t all < <(libraries_of "$bin"/*)
    mapfile -t worker < <(libraries_of "$bin"/framefleet{,-broker,-sink,-worker})
    mapfile -t files < <(printf '%s\n' "${all[@]}" "${worker[@]}" | sort | uniq -u)
    say "the image's own files"
    room "programs of framefleet" "$bin"
    room "libraries of worker, broker, sink and command line: ${#worker[@]}" "${worker[@]}"
    room "libraries more, to read videos and the formats bmp and tiff: ${#files[@]}" "${files[@]}"
    room "cascades" "$stage/usr/share/opencv4"
    room "licences and records of packages" "$stage/usr/share/doc" "$stage/var/lib/dpkg"
    say "the largest of them, in MiB"
    find "$stage" -type f -size +5M -printf '%k %f\n' | sort -rn | head -n 12 |
        awk '{printf "    %4d  %s\n", $1 / 1024, $2}'
}

stage_image() {
    readonly stage=$1 base_packages=$2
    work=$(mktemp -d)
    readonly work
    install -D -s -m 755 -t "$stage/usr/local/bin" build/release/bin/framefleet{,-*}
    install -D -m 644 -t "$stage/usr/local/share/doc/framefleet/examples" config/*.toml
    install -D -m 644 -t "$stage/usr/local/share/doc/framefleet" LICENSE
    stage_libraries "$stage"/usr/local/bin/*
    local package file
    for package in $(packages_of run); do
        echo "$package" >>"$work/packages"
        dpkg-query -L "$package" | while read -r file; do
            [ -f "$file" ] || continue
            install -D -m 644 "$file" "$stage$file"
            echo "$package $file" >>"$work/files"
        done
    done
    sort -u "$work/packages" | while read -r package; do stage_package "$package"; done
    scripts/sbom.py framefleet "$(version_of "$stage/usr/local/bin/framefleet")" "$base_packages" \
        <"$work/files" >"$stage/usr/local/share/doc/framefleet/sbom.cdx.json"
    tell_room
    rm -r "$work"
}

case ${1:-} in
programs) build_programs ;;
tests) run_tests "${2:?a pattern}" ;;
stage) stage_image "${2:?a folder}" "${3:?a list of packages}" ;;
*) die "programs, tests or stage?" ;;
esac
