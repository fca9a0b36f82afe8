# One image for every process: `web` (the default), `ingest`, `work`, `migrate`, `doctor`.
FROM python:3.11-slim-bookworm

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY requirements/runtime.txt requirements/
RUN pip install --require-hashes -r requirements/runtime.txt

COPY pyproject.toml README.md LICENSE ./
COPY devices devices
COPY tracker tracker
# 1883 is the user number of the eclipse-mosquitto image: the broker must be able to read the password and
# access files that `work` writes for its own user alone.
RUN pip install --no-deps --no-build-isolation . \
    && groupadd --gid 1883 tracker \
    && useradd --uid 1883 --gid 1883 --no-create-home --home-dir /data --shell /usr/sbin/nologin tracker \
    && install -d -o tracker -g tracker -m 0700 /data /broker

USER tracker
WORKDIR /data
ENV TRACKER_DATA_DIR=/data TRACKER_BROKER_FILES=/broker TRACKER_HTTP=0.0.0.0:8000
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]

ENTRYPOINT ["tracker"]
CMD ["web"]
