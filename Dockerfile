# Stages: what is installed (torch first, so that neither code nor other packages reinstall it), the code as a wheel, the image.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PATH=/venv/bin:$PATH
RUN python -m venv /venv
WORKDIR /build
COPY constraints.txt .
# The PyTorch project's CPU index makes the image two gigabytes smaller than the default index's CUDA build.
ARG TORCH_INDEX_URL=
RUN pip install ${TORCH_INDEX_URL:+--index-url "$TORCH_INDEX_URL"} "$(grep -i '^torch==' constraints.txt)"
COPY pyproject.toml .
RUN python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt

FROM python:${PYTHON} AS wheel
WORKDIR /build
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .

FROM python:${PYTHON} AS runtime
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VITRINE_DATA_DIR=/data HF_HOME=/data/models
RUN groupadd --gid 10001 vitrine \
    && useradd --uid 10001 --gid vitrine --home-dir /data --no-create-home --shell /usr/sbin/nologin vitrine \
    && install -d -o vitrine -g vitrine /data
COPY --from=packages /venv /venv
RUN --mount=type=bind,from=wheel,source=/wheel,target=/wheel pip install --no-cache-dir --no-deps /wheel/*.whl
USER vitrine
WORKDIR /data
VOLUME /data
EXPOSE 8000
CMD ["vitrine", "up", "--host", "0.0.0.0"]

# Drawing the demo catalogue needs the system's OpenGL; serving does not.
FROM runtime AS demo
USER root
RUN apt-get update && apt-get install -y --no-install-recommends libegl1 libgl1 && rm -rf /var/lib/apt/lists/*
RUN --mount=type=bind,source=constraints.txt,target=/constraints.txt \
    pip install --no-cache-dir -c /constraints.txt skia-python
USER vitrine
CMD ["vitrine", "demo"]

FROM runtime
