# Images: `serve` answers and carries out live writes with exported models (no torch), `runtime` (the default) also loads
# and exports models and reads catalogues, `demo` also draws. What is installed comes first, torch before all else, so that
# changed code reinstalls nothing.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS packages-serve
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/venv/bin:$PATH
RUN python -m venv /venv
WORKDIR /build
COPY constraints.txt pyproject.toml ./
COPY deploy/requirements.py deploy/
# Further packages, pinned or not: EXTRAS="s3fs" for pictures in S3.
ARG EXTRAS=
# hadolint ignore=DL3013,SC2086  # versions are pinned by the constraints; EXTRAS is a list
RUN python deploy/requirements.py > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt ${EXTRAS}

FROM python:${PYTHON} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/venv/bin:$PATH
RUN python -m venv /venv
WORKDIR /build
COPY constraints.txt .
COPY deploy/install-torch.sh deploy/slim.sh deploy/
# The build for CPUs, unless TORCH=cuda or TORCH_INDEX_URL says otherwise.
ARG TORCH=cpu
ARG TORCH_INDEX_URL=
RUN deploy/install-torch.sh python
COPY pyproject.toml .
COPY deploy/requirements.py deploy/
ARG EXTRAS=
# hadolint ignore=DL3013,SC2086  # versions are pinned by the constraints; EXTRAS is a list
RUN python deploy/requirements.py models catalogues evaluation > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt ${EXTRAS} \
    && deploy/slim.sh /venv

FROM python:${PYTHON} AS wheel
WORKDIR /build
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:${PYTHON} AS base
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    VITRINE_DATA_DIR=/data VITRINE_HOST=0.0.0.0 HF_HOME=/data/models \
    ORT_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_TELEMETRY=1 DO_NOT_TRACK=1
RUN groupadd --gid 10001 vitrine \
    && useradd --uid 10001 --gid vitrine --home-dir /data --no-create-home --shell /usr/sbin/nologin vitrine \
    && install -d -o vitrine -g vitrine /data
WORKDIR /data
VOLUME /data
EXPOSE 8000
# A worker has another check (docker-compose.yml): it listens on no port.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:%s/health/live' % os.environ.get('VITRINE_PORT', 8000), timeout=4)"]

FROM base AS serve
COPY --from=packages-serve /venv /venv
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir --no-deps /wheel/*.whl
USER 10001:10001
CMD ["vitrine", "up"]

FROM base AS runtime
COPY --from=packages /venv /venv
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir --no-deps /wheel/*.whl
USER 10001:10001
CMD ["vitrine", "up"]

# Drawing the demo catalogue needs the system's OpenGL; serving does not.
FROM runtime AS demo
USER 0
# hadolint ignore=DL3008  # Debian's present security updates, not those of a day
RUN apt-get update && apt-get install -y --no-install-recommends libegl1 libgl1 && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir -c /constraints.txt skia-python
USER 10001:10001
CMD ["vitrine", "demo"]

FROM runtime
