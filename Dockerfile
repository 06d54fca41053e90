# One image for the core and the page. The base is pinned by tag, and by digest where one is given:
#   docker build --build-arg PYTHON_DIGEST=@sha256:... .
ARG PYTHON_TAG=3.11-slim-bookworm
ARG PYTHON_DIGEST=

FROM python:${PYTHON_TAG}${PYTHON_DIGEST} AS built
WORKDIR /build
RUN python -m venv /opt/spineclip
COPY requirements.txt ./
RUN /opt/spineclip/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY spineclip spineclip
COPY collector collector
COPY processing processing
COPY dashboards dashboards
COPY firmware_sim firmware_sim
RUN /opt/spineclip/bin/pip install --no-cache-dir --no-deps --no-index --no-build-isolation .

FROM python:${PYTHON_TAG}${PYTHON_DIGEST}
# What the printed report draws its letters with.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
COPY --from=built /opt/spineclip /opt/spineclip
ENV PATH=/opt/spineclip/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 HOME=/tmp
USER 10001:10001
WORKDIR /tmp
ENTRYPOINT ["spineclip"]
CMD ["--help"]
