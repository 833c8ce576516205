#!/usr/bin/env bash
# Runs a command where there is a Docker engine, compose v2, buildx and the image
# debian:trixie-slim, without a registry of images. What is there is used; what is not is made from
# Debian packages in a temporary folder and gone afterwards: the engine (its own data root; stopped
# by its process id; firewall, bridge and forwarding as before), the plugins (unpacked, not
# installed), the base image.
#
#   tests/docker/engine.sh COMMAND [ARGUMENT…]
#
# Ends with the command's exit code, or with 77 after a line `SKIPPED: …` where no engine can run.
# FORCE_ENGINE=1: an engine of its own even where there is one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
in_tree

readonly base=debian:trixie-slim
readonly suite=trixie
readonly patience=30 # seconds, for the engine to answer and to end, and for a registry

skip() {
    echo "SKIPPED: docker: $*"
    exit 77
}

work=$(mktemp -d /tmp/framefleet-docker.XXXXXX)
readonly work
started=

# lap WORDS… : what is done, and when.
lap() { say "[$SECONDS s] $*"; }

# trixie_sources : this machine's own sources of packages, but of Debian 13.
trixie_sources() {
    local file=/etc/apt/sources.list.d/debian.sources here
    [ -f "$file" ] || skip "no $file to learn from where packages of Debian 13 come"
    here=$(. /etc/os-release && echo "$VERSION_CODENAME")
    sed "/^#/d; s/\\b$here/$suite/g" "$file" >"$work/$suite.sources"
}

# The plugins that users have; Debian 12 has neither.
get_plugins() {
    local plugins=$work/config/cli-plugins apt=$work/apt
    if docker compose version >/dev/null 2>&1 && docker buildx version >/dev/null 2>&1; then
        return
    fi
    mkdir -p "$plugins" "$apt"/{sources,lists/partial,cache/archives/partial,packages}
    cp "$work/$suite.sources" "$apt/sources/"
    local private=(-qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$apt/sources"
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
    apt-get "${private[@]}" update
    (cd "$apt/packages" && apt-get "${private[@]}" download "docker-compose/$suite" \
        "docker-buildx/$suite" >/dev/null && for package in *.deb; do dpkg -x "$package" x; done)
    cp "$apt"/packages/x/usr/libexec/docker/cli-plugins/* "$plugins/"
    export DOCKER_CONFIG=$work/config
    lap "compose and buildx are there: $(docker compose version --short)"
}

engine_answers() { docker info >/dev/null 2>&1; }

# What an engine changes on its machine and leaves behind.
remember_network() {
    forwarding=$(cat /proc/sys/net/ipv4/ip_forward)
    forward_policy=$(iptables -S FORWARD | sed -n 's/^-P FORWARD //p')
    had_bridge=$(ip link show docker0 >/dev/null 2>&1 && echo yes || echo no)
}

restore_network() {
    [ "$had_bridge" = no ] || return 0 # another engine's: what there is may be its own
    local table chain rule
    iptables -P FORWARD "$forward_policy"
    for table in filter nat; do
        iptables -t "$table" -S | grep -E '^-A .*(-j DOCKER|-[io] docker0)' |
            while read -r -a rule; do
                iptables -t "$table" -D "${rule[@]:1}" || true
            done
        for chain in $(iptables -t "$table" -S | sed -nE 's/^-N (DOCKER.*)/\1/p'); do
            iptables -t "$table" -F "$chain"
        done
        for chain in $(iptables -t "$table" -S | sed -nE 's/^-N (DOCKER.*)/\1/p'); do
            iptables -t "$table" -X "$chain"
        done
    done
    ip link delete docker0
    echo "$forwarding" >/proc/sys/net/ipv4/ip_forward
}

start_engine() {
    [ "$(id -u)" -eq 0 ] || skip "no engine answers, and starting one needs root"
    (install_packages docker) || skip "no engine answers, and none can be installed"
    remember_network
    export DOCKER_HOST=unix://$work/docker.sock
    started=yes
    setsid dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" \
        --pidfile "$work/dockerd.pid" >"$work/dockerd.log" 2>&1 </dev/null &
    local engine=$!
    for _ in $(seq $((patience * 5))); do
        if engine_answers; then
            lap "engine $(docker info -f '{{.ServerVersion}} {{.Driver}} cgroup{{.CgroupVersion}}')"
            return
        fi
        kill -0 "$engine" 2>/dev/null || break
        sleep 0.2
    done
    tail -n 20 "$work/dockerd.log"
    skip "an engine does not start here (its last words are above)"
}

# ended PID : waits for its end, and says whether it came.
ended() {
    for _ in $(seq $((patience * 10))); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}

stop_engine() {
    local file pid
    for file in "$work/dockerd.pid" "$work/exec/containerd/containerd.pid"; do
        if ! pid=$(cat "$file" 2>/dev/null) || ! kill "$pid" 2>/dev/null; then continue; fi
        ended "$pid" || kill -KILL "$pid" || true
    done
    restore_network
}

# An engine that was killed leaves its data folder mounted on itself, and more below it.
unmount_below() {
    local point
    awk -v below="$1/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r |
        while read -r point; do umount "$point" || umount --lazy "$point"; done
}

leave() {
    local code=$?
    set +e
    trap - EXIT
    [ -z "$started" ] || stop_engine
    unmount_below "$work"
    rm -rf "$work" || say "WARNING: $work is left behind"
    lap "done"
    exit "$code"
}

# The base image, made of packages: a machine with a registry has pulled it, or pulls it here. Like
# that of a registry it does not wait for the disk after every package, and has no manuals.
get_base() {
    docker image inspect "$base" >/dev/null 2>&1 && return
    timeout "$patience" docker pull -q "$base" >/dev/null 2>&1 && return
    (install_packages docker) || skip "no registry is reached, and mmdebstrap cannot be installed"
    mmdebstrap --quiet --variant=minbase --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
        --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/locale/*' "$suite" - "$work/$suite.sources" |
        docker import -c 'CMD ["bash"]' - "$base" >/dev/null
    lap "base image $base"
}

command -v dpkg >/dev/null || skip "neither an engine nor Debian's packages are here"
trap leave EXIT
trixie_sources
if [ -n "${FORCE_ENGINE:-}" ] || ! engine_answers; then start_engine; fi
get_plugins
get_base
"$@"
