# shellcheck shell=bash
# What demo.sh, test.sh and check.sh share: packages, configuring, building, and how they speak.
# Sourced. `in_tree` comes first: the rest expects the root of the tree as working folder. All of it
# may be called again at any time and does nothing where there is nothing to do.

readonly packages_file=scripts/dependencies.txt

# For people: one line, easy to find between the lines of compilers.
say() { printf '==> %s\n' "$*"; }
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# The line that a run of tests ends with, alone on its line: the same words from every script.
closing_line() { printf '%d passed, %d failed\n' "$1" "$2"; }

# packages_of GROUP… : names from the list, one a line.
packages_of() {
    awk -v groups=" $* " '!/^#/ && NF && index(groups, " " $1 " ") {print $2}' "$packages_file" |
        sort -u
}

# missing_of GROUP… : those of them that are not installed, one a line.
missing_of() {
    local package
    for package in $(packages_of "$@"); do
        dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
            printf '%s\n' "$package"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        die "this needs root or sudo: $*"
    fi
}

apt_quietly() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# known_to_apt PACKAGE… : whether the package lists on this machine know all of them.
known_to_apt() {
    local package
    for package in "$@"; do
        apt-cache show --no-all-versions -- "$package" >/dev/null 2>&1 || return 1
    done
}

# install_packages GROUP… : installs what is missing of these groups, and nothing else.
install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "not a Debian system: make sure that you have what $packages_file lists ($*)"
        return 0
    fi
    mapfile -t missing < <(missing_of "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    known_to_apt "${missing[@]}" || apt_quietly update
    # Lists that are too old name files that the mirror has replaced: fetch them and try once more.
    apt_quietly install --no-install-recommends -y "${missing[@]}" >/dev/null || {
        apt_quietly update
        apt_quietly install --no-install-recommends -y "${missing[@]}" >/dev/null ||
            die "apt-get could not install: ${missing[*]}"
    }
}

# unpack_packages GROUP FOLDER : the files of these packages below FOLDER, once. Nothing is
# installed: no daemon starts, no user is made, and no root is needed.
unpack_packages() {
    local group=$1 folder=$2 packages archive
    [ ! -e "$folder/unpacked" ] || return 0
    mapfile -t packages < <(packages_of "$group")
    known_to_apt "${packages[@]}" || apt_quietly update
    rm -rf "$folder"
    mkdir -p "$folder/archives"
    say "unpacking ${packages[*]}"
    (cd "$folder/archives" && apt-get -qq download "${packages[@]}" 2>/dev/null) || {
        apt_quietly update
        (cd "$folder/archives" && apt-get -qq download "${packages[@]}") || return 1
    }
    for archive in "$folder"/archives/*.deb; do dpkg -x "$archive" "$folder" || return 1; done
    rm -r "$folder/archives"
    touch "$folder/unpacked"
}

# How many compilers at once: one per CPU that this process may use, and 1.5 GiB of memory for each.
build_jobs() {
    local cpus memory_kib by_memory
    cpus=$(nproc)
    memory_kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
    by_memory=$((memory_kib / (1536 * 1024)))
    [ "$by_memory" -ge 1 ] || by_memory=1
    echo $((cpus < by_memory ? cpus : by_memory))
}

# configure PRESET [CMake argument…]; quiet unless it fails. Where nothing is remembered by ccache,
# what nearly every file includes is read once.
configure() {
    local preset=$1 log=build/$1/configure.log quicker=(-DFRAMEFLEET_FROM_SCRATCH=ON)
    shift
    mkdir -p "build/$preset"
    command -v ccache >/dev/null && quicker=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
    say "configuring build/$preset"
    cmake --preset "$preset" "${quicker[@]}" "$@" >"$log" 2>&1 </dev/null || {
        cat "$log" >&2
        printf 'error: cmake could not configure build/%s (its words are above)\n' "$preset" >&2
        return 1
    }
}

# build PRESET [argument of cmake --build…]
build() {
    local preset=$1 started=$SECONDS
    shift
    say "building build/$preset"
    cmake --build --preset "$preset" -j "$(build_jobs)" "$@" </dev/null || {
        printf 'error: build/%s does not build (the first error above says why)\n' "$preset" >&2
        return 1
    }
    say "built build/$preset in $((SECONDS - started)) s"
}

# test_programs PRESET LABEL [argument of ctest…] : build targets of the tests that have the label
# and match. framefleet_test() gives a test and its program one name; other tests (scripts) have no
# program to build.
test_programs() {
    local preset=$1 label=$2
    shift 2
    comm -12 \
        <(ctest --test-dir "build/$preset" -N -L "$label" "$@" |
            sed -nE 's/^ +Test +#[0-9]+: (\S+).*/\1/p' | sort) \
        <(ninja -C "build/$preset" -t targets all |
            sed -nE 's|^tests/([^/:]+): CXX_EXECUTABLE.*|\1|p' | sort)
}

# in_tree: goes to the root of the tree, from wherever the script was called.
in_tree() {
    cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
    [ -f "$packages_file" ] || die "$PWD is not the framefleet tree"
}
