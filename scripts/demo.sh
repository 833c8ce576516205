#!/usr/bin/env bash
# Shows what framefleet does, on your pictures or on a set of real ones.
#
#   scripts/demo.sh ~/photos              faces, edges and corners of every picture in the folder
#   scripts/demo.sh --detect markers a.jpg b.avi    arguments go to `framefleet run`, as they are
#   scripts/demo.sh                       the example pictures and the video of pedestrians of
#                                         Debian's package opencv-doc
#
# Installs what is missing (root or sudo), builds, runs, says where the results are and what to try
# next. The same command again goes on where an interrupted one stopped.
# Results: results/demo in the tree, or where --out says. Exit codes: those of `framefleet run`, but
# 0 where some pictures failed: that is what happens to broken pictures, and the report lists them.
set -euo pipefail
called_from=$PWD
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
in_tree
readonly program=$PWD/build/release/bin/framefleet
readonly doc_folder=/usr/share/doc/opencv-doc/examples/data
readonly own_folder=$PWD/build/demo-data

# Where the example pictures are: installed, or unpacked here where this machine's dpkg leaves
# /usr/share/doc out (as container images do).
example_folder() {
    if [ -e "$doc_folder/vtest.avi" ]; then
        printf '%s\n' "$doc_folder"
    else
        [ -e "$own_folder/vtest.avi" ] || unpack_examples >&2
        printf '%s\n' "$own_folder"
    fi
}

unpack_examples() {
    local package
    say "unpacking the example pictures into build/demo-data"
    package=$(mktemp -d)
    known_to_apt opencv-doc || apt_quietly update
    (cd "$package" && apt-get -qq -o APT::Sandbox::User= download opencv-doc) ||
        die "cannot get Debian's package opencv-doc; name a folder of your own instead"
    mkdir -p "$own_folder"
    dpkg --fsys-tarfile "$package"/opencv-doc_*.deb |
        tar -x -C "$own_folder" --strip-components=7 ".$doc_folder"
    rm -r "$package"
}

# run ARGUMENT… : `framefleet run` from where the script was called; 3 (some failed) is no error.
run() {
    local status=0
    printf '\n$ framefleet run'
    printf ' %q' "$@"
    printf '\n'
    (cd "$called_from" && exec "$program" run "$@") || status=$?
    [ "$status" -ne 3 ] || {
        echo
        echo "Some pictures failed (exit code 3). They are listed above with their reason, and each"
        echo "has its row in the table outcomes; the others are not touched by it."
        return 0
    }
    return "$status"
}

# what_next FOLDER ARGUMENT… : where the results of that run are, and what to do with them.
what_next() {
    local folder=$1 again=
    shift
    [ "$#" -eq 0 ] || again=$(printf ' %q' "$@")
    cat <<END

Results: $folder
  results.sqlite   one row per picture (outcomes), one per detection (detections)
  results.ndjson   the same, one JSON object per picture
  annotated/       the pictures with what was found drawn on them

Try next:
  sqlite3 -readonly $folder/results.sqlite \\
      'SELECT label, count(*), round(avg(score), 2) FROM detections GROUP BY label'
  sqlite3 -readonly $folder/results.sqlite \\
      "SELECT origin, reason FROM outcomes WHERE status != 'ok'"
  scripts/demo.sh$again
      again: every picture is stored already, so nothing is worked on twice
  $program run --help
      other detectors, workers, folders; a picture with options: --detect 'faces?min_size=80'
END
}

# The --out among the arguments, or nothing.
out_of() {
    while [ "$#" -gt 0 ]; do
        case $1 in
        --out=*) printf '%s\n' "${1#--out=}" ;;
        --out) [ "$#" -gt 1 ] && printf '%s\n' "$2" ;;
        esac
        shift
    done
}

names_detectors() { [[ " $* " == *" --detect"[\ =]* ]]; }

install_packages build run demo
configure release -DFRAMEFLEET_TESTS=OFF
build release --target framefleet

if [ "$#" -gt 0 ]; then
    arguments=()
    names_detectors "$@" || arguments+=(--detect "faces,edges,corners")
    out=$(out_of "$@")
    if [ -z "$out" ]; then
        out=$PWD/results/demo
        arguments+=(--annotate --out "$out")
    fi
    run "${arguments[@]}" "$@"
    what_next "$out" "$@"
else
    install_packages example
    examples=$(example_folder)
    run --detect faces,edges,corners --annotate --out "$PWD/results/demo/pictures" "$examples"
    run --detect people --annotate --out "$PWD/results/demo/pedestrians" "$examples/vtest.avi"
    what_next "$PWD/results/demo/pictures"
    echo
    echo "The video of pedestrians is in $PWD/results/demo/pedestrians, as numbered pictures."
fi
