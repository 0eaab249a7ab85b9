# The image of the daemon: a virtual environment of locked, hashed packages on a slim Python, and nothing to build with.
# Everything made here lies under /opt, which is how `make image-check` can run each step without a container engine.

FROM python:3.13-slim AS build
WORKDIR /opt/source

# The tools that build, apart from what will run.
COPY requirements-build.lock requirements.lock ./
RUN python -m venv /opt/build \
 && /opt/build/bin/python -m pip install --no-cache-dir --require-hashes --requirement requirements-build.lock

# The packages that run. The environment has no pip of its own: it is never changed again.
RUN python -m venv --without-pip /opt/autoscaler \
 && /opt/build/bin/python -m pip --python /opt/autoscaler/bin/python install --no-cache-dir \
    --require-hashes --only-binary :all: --requirement requirements.lock

# The program last: it changes most often.
COPY pyproject.toml README.md LICENSE ./
COPY autoscaler ./autoscaler
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheel . \
 && /opt/build/bin/python -m pip --python /opt/autoscaler/bin/python install --no-deps --no-index /opt/wheel/*.whl


FROM python:3.13-slim
COPY --from=build /opt/autoscaler /opt/autoscaler
WORKDIR /opt/autoscaler

# The image's standard library comes uncompiled and the user below may not write it: compile now what a start imports.
RUN /opt/autoscaler/bin/python -c "import autoscaler.service.wiring, autoscaler.service.daemon, autoscaler.service.cli"

# The port is set here because the environment beats a configuration file, so the health check always asks the right one.
ENV PATH=/opt/autoscaler/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AUTOSCALER_HTTP_PORT=9090
EXPOSE 9090

# A number, so that a platform can see without a user database that this is not root.
USER 10001:10001

# Fly reads fly.toml's checks instead; this one serves every other place.
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s --retries=3 CMD ["python", "-c", "import http.client, os, sys; ask = http.client.HTTPConnection('127.0.0.1', int(os.environ['AUTOSCALER_HTTP_PORT']), timeout=4); ask.request('GET', '/livez'); sys.exit(ask.getresponse().status != 200)"]

# No shell between the platform and the daemon: SIGTERM reaches it, and it finishes its tick.
STOPSIGNAL SIGTERM
ENTRYPOINT ["autoscaler"]
CMD ["run"]
