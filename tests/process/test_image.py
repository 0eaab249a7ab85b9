"""The exercise of a Dockerfile runs every step, and notices each way in which an image can fail.

A tiny image stands in for the real one, which `make image-check` exercises: that one needs a registry.
"""

from pathlib import Path

import pytest

from scripts.image.__main__ import main

DOCKERFILE = r"""FROM python:3.13-slim AS build
WORKDIR /opt/source
COPY server.py ./
RUN python -m venv --without-pip /opt/app \
 && cp server.py /opt/app/bin/serve && chmod 755 /opt/app/bin/serve

FROM python:3.13-slim
COPY --from=build /opt/app /opt/app
WORKDIR /opt/app
ENV PATH=/opt/app/bin:$PATH AUTOSCALER_HTTP_PORT=9090
EXPOSE 9090
USER 10001:10001
HEALTHCHECK CMD ["python", "-c", \
 "import os, socket; socket.create_connection(('127.0.0.1', int(os.environ['AUTOSCALER_HTTP_PORT'])))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["serve"]
CMD ["run"]
"""

SERVER = """\
#!/usr/bin/env python
import os, signal, socket, sys
assert sys.argv[1:] == ["run"] and sys.prefix.endswith("/opt/app") and "PYTHONPATH" not in os.environ
listener = socket.create_server(("127.0.0.1", int(os.environ["AUTOSCALER_HTTP_PORT"])))
signal.signal(signal.SIGTERM, lambda *_: sys.exit(STATUS))
while True:
    listener.accept()[0].close()
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / ".dockerignore").write_text("*\n!server.py\n", encoding="utf-8")
    (tmp_path / "server.py").write_text(SERVER.replace("STATUS", "0"), encoding="utf-8")
    (tmp_path / "secret").write_text("not for images", encoding="utf-8")
    return tmp_path


def test_a_sound_image_is_built_started_asked_and_stopped(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(str(context))
    said = capsys.readouterr()
    assert (status, said.err) == (0, "")
    assert said.out.endswith("every step of the Dockerfile works\n")


@pytest.mark.parametrize(
    ("before", "after", "complaint"),
    [
        ("cp server.py", "cp missing.py", "line 4, RUN: ended with 1"),
        ("COPY server.py", "COPY secret", "line 3, COPY: secret is not in the context"),
        ("COPY server.py", "COPY absent", "line 3, COPY: absent is not in the context"),
        ("WORKDIR /opt/source", "WORKDIR /srv", "line 2, WORKDIR: /srv is outside /opt"),
        ("--from=build", "--from=built", "line 8, COPY: there is no stage built"),
        ("STOPSIGNAL SIGTERM", "SHELL []", "line 15: SHELL is not known here"),
        (
            "STOPSIGNAL SIGTERM",
            "STOPSIGNAL SIGINT",
            "line 15, STOPSIGNAL: the daemon is stopped with SIGTERM",
        ),
        ("EXPOSE 9090", "EXPOSE 80", "line 11, EXPOSE: AUTOSCALER_HTTP_PORT is another port"),
        ("USER 10001:10001", "USER root", "line 12, USER: the user is not a number"),
        ('["serve"]', '["server"]', "cannot run ['server']"),
        ('CMD ["run"]', 'CMD ["walk"]', "the container ended with 1 at its start"),
        ("import os, socket; ", "import sys; sys.exit(0); ", "the health check passes before anything runs"),
        ("HEALTHCHECK CMD", "ENTRYPOINT", "there is no HEALTHCHECK"),
    ],
)
def test_a_fault_is_named_with_its_line(
    context: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, complaint: str
) -> None:
    file = context / "Dockerfile"
    assert before in DOCKERFILE
    file.write_text(DOCKERFILE.replace(before, after), encoding="utf-8")
    status = main(str(context))
    assert status == 1
    assert complaint in capsys.readouterr().err


def test_an_image_that_does_not_end_well_on_sigterm_is_red(
    context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (context / "server.py").write_text(SERVER.replace("STATUS", "7"), encoding="utf-8")
    status = main(str(context))
    assert status == 1
    assert "the container ended with 7 on SIGTERM" in capsys.readouterr().err
