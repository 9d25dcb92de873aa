# The bridge in a small image: not root, a root filesystem that may be read-only, state in one volume.
#
#   podman build --format docker -t reana-bridge .        (the format that knows HEALTHCHECK)
#   podman run --rm -p 127.0.0.1:8800:8800 -v bridge:/var/lib/reana-bridge \
#       -v ./reana-bridge.toml:/etc/reana-bridge/reana-bridge.toml:ro reana-bridge
#
# Where workflows run in this container too (serve without --role web), bubblewrap must be able to make its
# sandbox: see deploy/compose.yaml, service `worker`, for what that needs.
ARG BASE=docker.io/library/debian:trixie-slim

FROM ${BASE} AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && python3 -m venv /opt/uv \
    && /opt/uv/bin/pip install --no-cache-dir --disable-pip-version-check 'uv>=0.9'
ENV UV_PROJECT_ENVIRONMENT=/opt/reana-bridge \
    UV_PYTHON=/usr/bin/python3 \
    UV_PYTHON_DOWNLOADS=never \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1
WORKDIR /src
# The dependencies make a layer of their own: it is built again only when the lock file changes.
COPY pyproject.toml uv.lock ./
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-install-project
COPY README.md LICENSE ./
COPY webhooks webhooks
COPY reana_bridge reana_bridge
RUN /opt/uv/bin/uv sync --frozen --no-dev --no-editable

FROM ${BASE}
LABEL org.opencontainers.image.title="reana-bridge" \
      org.opencontainers.image.description="From a push to a verdict on the science" \
      org.opencontainers.image.licenses="MIT"
# git and git-lfs fetch commits, bubblewrap and slirp4netns hold jobs, python3-venv makes their environments,
# tini takes leave of the supervisors that outlive a restart of the bridge.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        bubblewrap ca-certificates git git-lfs python3 python3-venv slirp4netns tini \
    && rm -rf /var/lib/apt/lists/* /var/log/apt /var/log/dpkg.log \
    && useradd --system --uid 10001 --user-group --home-dir /var/lib/reana-bridge --shell /usr/sbin/nologin \
        reana-bridge \
    && install -d -o reana-bridge -g reana-bridge -m 0700 /var/lib/reana-bridge \
    && install -d -m 0755 /etc/reana-bridge /srv/git \
    && install -m 0644 /dev/null /etc/reana-bridge/reana-bridge.toml
COPY --from=build /opt/reana-bridge /opt/reana-bridge
ENV PATH=/opt/reana-bridge/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LANG=C.UTF-8 \
    REANA_BRIDGE_CONFIG=/etc/reana-bridge/reana-bridge.toml \
    REANA_BRIDGE__SERVER__HOST=0.0.0.0 \
    REANA_BRIDGE__SERVER__PORT=8800
USER reana-bridge
WORKDIR /var/lib/reana-bridge
VOLUME /var/lib/reana-bridge
EXPOSE 8800
# SIGTERM lets steps at work come to their end (server.drain_seconds, 20 s).
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['REANA_BRIDGE__SERVER__PORT'] + '/healthz', timeout=4)"]
ENTRYPOINT ["tini", "--", "reana-bridge"]
CMD ["serve"]
