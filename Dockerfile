# framefleet in one image: framefleet-broker, -worker, -producer, -sink and the command line.
#
#   docker build -t framefleet .
#
# compose.yaml builds it too. --build-arg
#   UNIT_TESTS=none        builds quicker: the tests' programs take longer than those for users;
#                          a pattern of ctest picks some of them
#   OPTIMIZE=-O1           for trying things: half a minute less to compile
#
# The base may be any debian:trixie-slim. Both stages have the same one: programs and libraries are
# copied from the first into the last.

FROM debian:trixie-slim AS build

# Changes with the list of packages alone.
COPY scripts/dependencies.txt /tmp/
RUN dpkg-query -W -f '${Package}\n' | sort >/tmp/base-packages \
    && apt-get -qq update \
    && awk '$1 ~ /^(build|image|run|test)$/ {print $2}' /tmp/dependencies.txt \
        | DEBIAN_FRONTEND=noninteractive xargs apt-get -qq -o Dpkg::Use-Pty=0 install -y \
            --no-install-recommends >/dev/null \
    && rm -rf /var/lib/apt/lists/*

# What programs are made of, a folder a layer, the least often changed first: what is before a change
# is not compiled again.
WORKDIR /src
COPY CMakeLists.txt CMakePresets.json ./
COPY cmake cmake
COPY scripts/lib.sh scripts/image.sh scripts/sbom.py scripts/dependencies.txt scripts/
COPY config config
ARG OPTIMIZE=-O2
COPY shared shared
RUN scripts/image.sh programs
COPY sink sink
RUN scripts/image.sh programs
COPY producer producer
RUN scripts/image.sh programs
COPY broker broker
RUN scripts/image.sh programs
COPY worker worker
RUN scripts/image.sh programs
COPY cli cli
RUN scripts/image.sh programs

# What they are tested with, where there are no test pictures: tests that need them say so.
COPY bench bench
COPY docs docs
COPY tests tests
ARG UNIT_TESTS=.
RUN scripts/image.sh tests "$UNIT_TESTS"

COPY LICENSE ./
RUN scripts/image.sh stage /stage /tmp/base-packages


FROM debian:trixie-slim

COPY --from=build /stage /
# A number, because that is what an orchestrator can see to be no root. The folders are there so
# that named volumes begin with their owner. The last lines see that no library is missing.
RUN groupadd --gid 10001 framefleet \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin framefleet \
    && install -d -o framefleet -g framefleet -m 700 \
        /run/framefleet /var/lib/framefleet/journal /var/lib/framefleet/store \
        /var/lib/framefleet/manifest /var/lib/framefleet/keys/broker \
        /var/lib/framefleet/keys/sink /var/lib/framefleet/keys/worker \
        /var/lib/framefleet/keys/producer \
    && ! ldd /usr/local/bin/framefleet* | grep 'not found' \
    && framefleet --version
USER 10001:10001

# One address inside a container for /metrics, /healthz and /readyz of whichever program runs.
ENV FRAMEFLEET_METRICS_LISTEN=0.0.0.0:9100
EXPOSE 9100
HEALTHCHECK --interval=5s --timeout=5s --start-period=30s --retries=3 CMD ["framefleet", "health"]
CMD ["framefleet", "--help"]
