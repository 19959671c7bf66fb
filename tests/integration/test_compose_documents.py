"""What README and docs/production.md tell to type for the stack, as far as no engine is needed.

README's commands are run as they stand, with a command `docker` that only has the files read by a
real parser of Compose files. That images are built and containers start is not shown here.
"""

from __future__ import annotations

import re
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from tests.integration.test_compose import FILES, SECRETS, environment_of_compose
from vitrine.cli import vitrine

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "docs/production.md")
DOCKER = """#!/bin/sh -e
# There is no engine here: the files are read, and what was to be done is noted.
[ "$1" = compose ] || exit 64
shift
files=
while [ "$1" = -f ]; do files="$files -f $2"; shift 2; done
docker-compose $files config > {folder}/config.yml
echo "$@" >> {folder}/noted
"""
COMMAND = re.compile(r"docker compose ((?:'[^'\n]*'|[^`#\n|&<>']|\n(?=--build))+)")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files of the stack as a clone has them, and a stand-in for Docker's command."""
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(DOCKER.format(folder=tmp_path))
    docker.chmod(0o755)
    return tmp_path


def run(line: str, checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = environment_of_compose()
    environment["PATH"] = f"{checkout / 'bin'}:{environment['PATH']}"
    return subprocess.run(
        ["sh", "-ec", line],
        check=False,
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
    )


def set_secrets(checkout: Path) -> None:
    """What README asks for between the first line and the third."""
    text = (checkout / ".env").read_text()
    for name in SECRETS:
        assert f"\n{name}=\n" in text
        text = text.replace(f"\n{name}=\n", f"\n{name}={secrets.token_hex(24)}\n")
    (checkout / ".env").write_text(text)


def lines_of(document: str, heading: str) -> list[str]:
    """The lines of the first block of commands below a heading."""
    text = (ROOT / document).read_text("utf-8").partition(f"## {heading}\n")[2]
    (block,) = re.findall(r"\A.*?```(?:sh)?\n(.*?)```", text, re.DOTALL)
    return [line for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("document", "heading"),
    [("README.md", "Run it as a stack"), ("docs/production.md", "First start")],
)
def test_the_commands_run_as_they_stand(checkout: Path, document: str, heading: str):
    lines = lines_of(document, heading)
    copies = [line for line in lines if line.startswith("cp ")]
    assert lines[:2] == copies
    for line in copies:
        done = run(line, checkout)
        assert done.returncode == 0, done.stderr
    first = run(lines[2], checkout)
    assert first.returncode != 0, "without its secrets the stack must not start"
    assert re.search(r"set \w+ in \.env", first.stderr)
    set_secrets(checkout)
    for line in lines[2:]:
        done = run(line, checkout)
        assert done.returncode == 0, (line, done.stderr)
    noted = (checkout / "noted").read_text().splitlines()
    assert len(noted) == len(lines) - 2
    assert noted[0].startswith("up -d")
    services = yaml.safe_load((checkout / "config.yml").read_text())["services"]
    assert {"proxy", "service", "worker", "qdrant", "redis"} <= set(services)


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command of Compose that the documents tell, with where it stands."""
    for document in DOCUMENTS:
        for match in COMMAND.finditer((ROOT / document).read_text("utf-8")):
            yield document, shlex.split(match[1])


def test_every_command_names_files_services_and_programs_that_there_are(checkout: Path):
    run("cp .env.example .env; cp settings.env.example settings.env", checkout)
    set_secrets(checkout)
    assert run("docker compose ps", checkout).returncode == 0
    services = set(yaml.safe_load((checkout / "config.yml").read_text())["services"])
    told = list(commands())
    assert len(told) >= 12
    for document, words in told:
        check(document, words, services)


def check(document: str, words: list[str], services: set[str]) -> None:
    while words[:1] == ["-f"]:
        assert (ROOT / words[1]).is_file(), (document, words)
        words = words[2:]
    deed, *rest = words
    if deed == "up":
        scaled = [rest[n + 1] for n, word in enumerate(rest) if word == "--scale"]
        assert {each.partition("=")[0] for each in scaled} <= services, (document, words)
    elif deed in ("build", "stop"):
        assert set(rest) <= services, (document, words)
    elif deed == "cp":
        assert {word.partition(":")[0] for word in rest if ":" in word} <= services
    elif deed in ("exec", "run"):
        place = next(n for n, word in enumerate(rest) if word in services)
        check_program(document, rest[place + 1 :])
    else:
        assert deed == "kill", (document, words)


def check_program(document: str, words: list[str]) -> None:
    """`vitrine` has the command, and the command the options; the rest is the base image's."""
    if not words or words[0] != "vitrine":
        assert not words or words[0] in ("sh", "tar"), (document, words)
        return
    command = vitrine.get_command(click.Context(vitrine), words[1])
    assert command is not None, (document, words)
    known = {option for parameter in command.params for option in parameter.opts}
    assert {word for word in words[2:] if word.startswith("--")} <= known, (document, words)
