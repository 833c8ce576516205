# Prometheus and Alertmanager of Debian, laid out as their makers' images: the programs as entry
# points, a data folder that a named volume takes its owner from, no root.

FROM debian:trixie-slim AS prometheus
RUN apt-get -qq update \
    && DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y \
        --no-install-recommends prometheus prometheus-alertmanager >/dev/null \
    && rm -rf /var/lib/apt/lists/* \
    && install -d -o nobody -g nogroup /prometheus /alertmanager
USER nobody
WORKDIR /prometheus
ENTRYPOINT ["prometheus"]

FROM prometheus AS alertmanager
WORKDIR /alertmanager
ENTRYPOINT ["prometheus-alertmanager"]
