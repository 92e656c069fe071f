# One image for all of it: `refsync` itself, Prefect's server and its workers, of the same versions.
#
#     docker build --tag refsync:0.1.0 .
#     docker run --rm --volume "$PWD:/refsync" --volume "$PWD/customers:/jobs:ro" refsync:0.1.0 refsync check

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/refsync
# what the lock says and no more: one pin of the ServiceNow library contradicts Prefect's, and pip
# has no override (docs/decisions/001-uv-and-overrides.md)
COPY requirements.lock ./
RUN /opt/refsync/bin/pip install --no-cache-dir --no-deps --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY schemas ./schemas
COPY sources ./sources
COPY mappings ./mappings
COPY referential ./referential
COPY sandbox ./sandbox
COPY flows ./flows
RUN /opt/refsync/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 refsync \
    && install --directory --owner refsync --group refsync /refsync /jobs
COPY --from=build /opt/refsync /opt/refsync
ENV PATH=/opt/refsync/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DO_NOT_TRACK=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    REFSYNC_CONFIG=/refsync/refsync.yaml \
    REFSYNC_JOBS=/jobs
USER refsync
# refsync.yaml, and whatever its relative paths name; the customers' folder is mounted at /jobs
WORKDIR /refsync
# no ENTRYPOINT: a worker of type docker gives the container a command of its own
# no HEALTHCHECK: a feed that is stale (`refsync health`) is not mended by a new container
CMD ["refsync", "--help"]
