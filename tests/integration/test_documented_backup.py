"""The commands of docs/production.md that back up and restore the stack, as they stand there.

There is no engine of containers here. `docker` is a program of the test that runs `compose exec`
natively: with the container's own environment, as compose resolves it, and a folder in the place
of /data. What only a real container could show (its user, what its image holds) is not shown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue
from tests.contract.test_backups import content, equal
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from tests.integration.test_compose import ROOT, SECRETS, native, parse
from vitrine.index import IndexVersions
from vitrine.index.qdrant import open_versions
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

PAGE = (ROOT / "docs" / "production.md").read_text()

DOCKER = """#!{python}
import json, os, sys

def refuse(why):
    sys.exit("the test's own docker, which runs `compose exec -T` only: " + why)

containers, folder, programs = json.loads({state!r})
compose, verb, terminal, name, program, *arguments = sys.argv[1:]
if (compose, verb, terminal) != ("compose", "exec", "-T") or name not in containers:
    refuse(" ".join(sys.argv[1:]))
command = [*programs.get(program, [program]), *arguments]
command = [part.replace("/data", folder) for part in command]
os.execvpe(command[0], command, os.environ | containers[name])
"""


def documented() -> tuple[list[str], list[str]]:
    """The command lines of the section: those that back up, and those that put it back."""
    (section,) = re.findall(r"^## Backup and restore\n(.*?)^## ", PAGE, re.MULTILINE | re.DOTALL)
    saved, put_back = re.findall(r"^ +```\n(.*?)^ +```$", section, re.MULTILINE | re.DOTALL)
    return (
        [line.strip() for line in saved.splitlines()],
        [line.strip() for line in put_back.splitlines()],
    )


@dataclass(frozen=True)
class Stack:
    """A stack: Qdrant's engine, a data folder, and a `docker` whose containers know only these."""

    versions: IndexVersions
    programs: Path

    def run(self, line: str, folder: Path) -> str:
        """Run a command line as an operator does; what it said."""
        done = subprocess.run(
            ["sh", "-c", line],
            check=False,
            cwd=folder,
            env=os.environ | {"PATH": f"{self.programs}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout


def make_stack(ended: ExitStack, folder: Path) -> Stack:
    for name in ("compose", "data", "bin"):
        (folder / name).mkdir(parents=True)
    parsed = parse(folder / "compose", SECRETS)
    assert parsed.returncode == 0, parsed.stderr
    trouble = Trouble()
    trouble.key = SECRETS["QDRANT_API_KEY"]
    port = ended.enter_context(serve(ended.enter_context(closing(Engine())), trouble=trouble))
    here = {
        "VITRINE_QDRANT_URL": "http://127.0.0.1:1",
        "VITRINE_QDRANT_GRPC_PORT": str(port),
        "VITRINE_DATA_DIR": str(folder / "data"),
        "OMP_NUM_THREADS": "1",
    }
    containers = {
        name: {k: str(v) for k, v in service.get("environment", {}).items()} | here
        for name, service in yaml.safe_load(parsed.stdout)["services"].items()
    }
    state = json.dumps([containers, str(folder / "data"), {"vitrine": native(["vitrine"])}])
    docker = folder / "bin" / "docker"
    docker.write_text(DOCKER.format(python=sys.executable, state=state))
    docker.chmod(0o755)
    settings = Settings(
        qdrant_url="http://127.0.0.1:1",
        qdrant_grpc_port=port,
        qdrant_api_key=SECRETS["QDRANT_API_KEY"],
    )
    versions = open_versions(settings)
    ended.callback(versions.close)
    return Stack(versions, docker.parent)


@pytest.fixture
def stacks(tmp_path: Path) -> Iterator[tuple[Stack, Stack]]:
    """A stack whose live version has products, and an empty one."""
    with ExitStack() as ended:
        full, empty = (make_stack(ended, tmp_path / name) for name in ("full", "empty"))
        index = full.versions.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        index.upsert(make_catalogue(25, 6, images=(1, 3)))
        full.versions.complete(index.info.name)
        full.versions.publish(index.info.name)
        yield full, empty


def test_the_commands_back_up_one_stack_and_fill_an_empty_one(
    stacks: tuple[Stack, Stack], tmp_path: Path
):
    full, empty = stacks
    saved, put_back = documented()
    assert any("vitrine backup" in line for line in saved)
    assert any("vitrine restore" in line for line in put_back)
    told = [full.run(line, tmp_path) for line in saved]
    assert "25 products of version" in told[0]
    told = [empty.run(line, tmp_path) for line in put_back]
    assert "it is live" in told[-1]
    restored = empty.versions.live()
    assert equal(content(restored), content(full.versions.live()))
    assert restored.info.name != full.versions.live().info.name
