"""The compose stack: a real parser reads it, and the very commands it runs are run here,
natively, against each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import SecretStr
from redis import ConnectionPool

from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from tests.redis_server import free_port
from tests.support.waiting import until
from vitrine.settings import PREFIX, IngestSettings, Settings

ROOT = Path(__file__).parents[2]
FILES = (
    *("docker-compose.yml", "docker-compose.gpu.yml", "docker-compose.tls.yml"),
    *(".env.example", "settings.env.example"),
)
SECRETS = {
    "VITRINE_ADMIN_TOKEN": "token-of-the-test-0123",
    "QDRANT_API_KEY": "qdrant-key",
    "REDIS_PASSWORD": "redis-password",
}
VARIABLE = re.compile(r"\$\{(\w+)(:?[-?][^}]*)?\}")
PATIENCE_S = 200


def environment_of_compose() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}


def parse(folder: Path, variables: dict[str, str], *files: str) -> subprocess.CompletedProcess[str]:
    """What `docker-compose config` says of the project with .env.example filled in."""
    program = shutil.which("docker-compose")
    assert program is not None, (
        "docker-compose is missing; install it (Debian: apt-get install docker-compose)"
    )
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    lines = (ROOT / ".env.example").read_text().splitlines()
    filled = [
        f"{line}{variables[line[:-1]]}" if line.endswith("=") and line[:-1] in variables else line
        for line in lines
    ]
    extra = [f"{name}={value}" for name, value in variables.items() if name not in SECRETS]
    (folder / ".env").write_text("\n".join([*filled, *extra]) + "\n")
    shutil.copy(ROOT / "settings.env.example", folder / "settings.env")
    command = [program, *(part for name in files for part in ("-f", name)), "config"]
    return subprocess.run(
        command,
        check=False,
        cwd=folder,
        env=environment_of_compose(),
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The services as compose resolves them."""
    done = parse(tmp_path_factory.mktemp("compose"), SECRETS)
    assert done.returncode == 0, done.stderr
    services: dict[str, Any] = yaml.safe_load(done.stdout)["services"]
    return services


def test_the_stack_is_proxy_qdrant_redis_service_worker_and_a_demo_on_request(
    stack: dict[str, Any],
):
    always = {"proxy", "qdrant", "redis", "service", "worker"}
    assert set(stack) == always | {"demo"}
    assert stack["demo"]["profiles"] == ["demo"]
    assert all("profiles" not in stack[name] for name in always)


def test_the_gpu_override_is_read_as_well(tmp_path: Path):
    done = parse(tmp_path, SECRETS, "docker-compose.yml", "docker-compose.gpu.yml")
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    for name in ("service", "worker"):
        assert services[name]["image"].endswith("-cuda")
        assert services[name]["build"]["args"]["TORCH"] == "cuda"
        assert services[name]["environment"]["VITRINE_DEVICE"] == "cuda"
        assert services[name]["environment"]["VITRINE_BACKEND"] == "qdrant"
        assert services[name]["deploy"]["resources"]["reservations"]["devices"][0][
            "capabilities"
        ] == ["gpu"]


def test_the_image_has_the_build_of_torch_for_cpus_unless_told_otherwise(tmp_path: Path):
    for name, variables in (("cpu", {}), ("cuda", {"TORCH": "cuda", "EXTRAS": "s3fs"})):
        (tmp_path / name).mkdir()
        done = parse(tmp_path / name, SECRETS | variables)
        arguments = yaml.safe_load(done.stdout)["services"]["worker"]["build"]["args"]
        assert (arguments["TORCH"], arguments["EXTRAS"]) == (name, variables.get("EXTRAS", ""))


def test_the_tls_override_adds_a_port_and_the_certificate_and_asks_for_it(tmp_path: Path):
    files = ("docker-compose.yml", "docker-compose.tls.yml")
    (tmp_path / "without").mkdir()
    without = parse(tmp_path / "without", SECRETS, *files)
    assert without.returncode != 0
    assert "set TLS_CERTIFICATE in .env" in without.stderr
    (tmp_path / "with").mkdir()
    paths = {"TLS_CERTIFICATE": "/etc/ssl/shop.pem", "TLS_KEY": "/etc/ssl/shop.key"}
    done = parse(tmp_path / "with", SECRETS | paths, *files)
    assert done.returncode == 0, done.stderr
    proxy = yaml.safe_load(done.stdout)["services"]["proxy"]
    ports = str(proxy["ports"])  # as a text or as an object, whichever the parser chose
    assert "8080" in ports
    assert re.search(r"443.{1,20}8443|8443.{1,40}443", ports)
    assert any("/etc/ssl/shop.key:/etc/nginx/tls/key.pem" in mount for mount in proxy["volumes"])


def test_each_container_gets_only_its_own_secrets(stack: dict[str, Any]):
    holders = {
        secret: {
            name
            for name, service in stack.items()
            if secret in " ".join([str(service.get("environment")), str(service.get("command"))])
        }
        for secret in SECRETS.values()
    }
    everyone = {"service", "worker", "demo"}
    assert holders == {
        SECRETS["VITRINE_ADMIN_TOKEN"]: {"service"},
        SECRETS["QDRANT_API_KEY"]: everyone | {"qdrant"},
        SECRETS["REDIS_PASSWORD"]: everyone | {"redis"},
    }


@pytest.mark.parametrize("password", ["pa/ss", "p@ss", "p#ss", "p?s:s%"])
def test_a_redis_password_of_any_characters_reaches_both_ends(tmp_path: Path, password: str):
    done = parse(tmp_path, SECRETS | {"REDIS_PASSWORD": f"'{password}'"})
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert services["redis"]["command"][-1] == password
    settings = services["worker"]["environment"]
    queue = IngestSettings(
        queue_url=settings["VITRINE_QUEUE_URL"],
        queue_password=SecretStr(settings["VITRINE_QUEUE_PASSWORD"]),
    )
    options = ConnectionPool.from_url(queue.queue_url).connection_kwargs
    assert (options["password"], options["host"]) == (password, "redis")


def test_the_proxy_may_be_published_on_a_range_of_ports(tmp_path: Path):
    done = parse(tmp_path, SECRETS | {"PUBLISH": "127.0.0.1:8000-8003"})
    assert done.returncode == 0, done.stderr
    ports = yaml.safe_load(done.stdout)["services"]["proxy"]["ports"]
    assert ports == ["127.0.0.1:8000-8003:8080/tcp"]


@pytest.mark.parametrize("name", ["PUBLISH", "PUBLISH_TLS"])
def test_an_empty_place_to_publish_is_refused_and_not_taken_for_every_address(
    tmp_path: Path, name: str
):
    """Compose would publish an empty host part on a port of its own choice, to everybody."""
    files = ("docker-compose.yml", "docker-compose.tls.yml")
    paths = {"TLS_CERTIFICATE": "/etc/ssl/shop.pem", "TLS_KEY": "/etc/ssl/shop.key"}
    done = parse(tmp_path, SECRETS | paths | {name: ""}, *files)
    assert done.returncode != 0
    assert f"set {name} in .env" in done.stderr
    if name == "PUBLISH":
        assert "--scale proxy=0 to publish no port" in done.stderr


@pytest.mark.parametrize("missing", SECRETS)
def test_a_secret_that_is_not_set_is_named(tmp_path: Path, missing: str):
    done = parse(tmp_path, {name: value for name, value in SECRETS.items() if name != missing})
    assert done.returncode != 0
    assert f"set {missing} in .env" in done.stderr


def test_every_variable_has_a_default_or_a_clear_error_and_stands_in_the_example():
    text = "".join((ROOT / name).read_text() for name in FILES[:3])
    references = VARIABLE.findall(text.replace("$$", ""))
    assert references
    for name, rest in references:
        assert rest.startswith((":-", f":?set {name} in .env")), (
            f"{name} has neither a default nor a clear error"
        )
    example = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert {name for name, _ in references} <= example


def test_every_setting_that_is_named_exists(stack: dict[str, Any]):
    for service in ("service", "worker", "demo"):
        named = {name for name in stack[service]["environment"] if name.startswith(PREFIX)}
        assert {name.removeprefix(PREFIX).lower() for name in named} <= set(Settings.model_fields)


def test_images_are_pinned_volumes_named_and_nothing_runs_with_more_rights_than_it_needs(
    stack: dict[str, Any],
):
    pinned = (("qdrant", "v"), ("redis", ""), ("proxy", ""))
    for name, prefix in pinned:
        assert re.fullmatch(rf"[\w/]+:{prefix}\d+\.\d+\.\d+(-\w+)?", stack[name]["image"])
    for name, service in stack.items():
        assert "ports" not in service or name == "proxy", f"{name} is reachable from outside"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
        assert service["pids_limit"] > 0
        if name != "demo":
            assert service["healthcheck"]["test"]
            assert service["mem_limit"]
    for name in ("qdrant", "redis"):
        assert all(
            ":" in volume and not volume.startswith((".", "/")) for volume in stack[name]["volumes"]
        )
    for name in ("service", "worker", "demo"):
        assert set(stack[name]["depends_on"]) == {"qdrant", "redis"}
    assert stack["proxy"]["ports"] == ["127.0.0.1:8000:8080/tcp"]


def test_the_image_runs_as_a_normal_user_and_code_changes_do_not_reinstall_torch():
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    runtime = lines[lines.index(next(line for line in lines if line.endswith("AS runtime"))) :]
    assert [line for line in runtime if line.startswith("USER")] == [
        *("USER 10001:10001", "USER 0", "USER 10001:10001"),
    ]
    packages = lines[: lines.index(next(line for line in lines if line.endswith("AS wheel")))]
    copied = {word for line in packages if line.startswith("COPY") for word in line.split()[1:-1]}
    scripts = {f"deploy/{name}" for name in ("install-torch.sh", "slim.sh", "requirements.py")}
    assert copied == {"constraints.txt", "pyproject.toml"} | scripts
    assert packages.index("COPY pyproject.toml .") > packages.index(
        "RUN deploy/install-torch.sh python"
    )


def test_the_serving_image_is_made_without_torch_and_the_others_have_it():
    text = (ROOT / "Dockerfile").read_text()
    stages = dict(
        re.findall(r"^FROM \S+ AS (\S+)\n(.*?)(?=^FROM|\Z)", text, re.MULTILINE | re.DOTALL)
    )
    assert "torch" not in stages["packages-serve"]
    assert "requirements.py > requirements.txt" in stages["packages-serve"]
    assert "--from=packages-serve" in stages["serve"]
    assert "--from=packages " in stages["runtime"]
    assert "ORT_DISABLE_TELEMETRY=1" in stages["base"]
    assert "HEALTHCHECK" in stages["base"]
    assert "VITRINE_HOST=0.0.0.0" in stages["base"]


def test_what_the_images_need_is_not_ignored_by_docker():
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {
        "tests",
        "training",
        "benchmarks",
    }
    assert rooms | {"constraints.txt", "pyproject.toml", "README.md"} <= kept


# the commands, run here


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of the stack until the block ends, then SIGTERM, upon which it must end by
    itself."""
    with log.open("wb") as file:
        process = subprocess.Popen(
            native(command), env=environment, stdout=file, stderr=file, cwd=ROOT
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            assert process.wait(PATIENCE_S) in (0, -15), log.read_text()
        finally:
            process.kill()
            process.wait()


def native(command: list[str]) -> list[str]:
    """The command with the programs of this environment: `vitrine` and `python` of the one that
    runs the tests."""
    programs = {
        "vitrine": [sys.executable, "-c", "from vitrine.cli import main; main()"],
        "python": [sys.executable],
    }
    return [*programs.get(command[0], command[:1]), *command[1:]]


def healthy(service: dict[str, Any], environment: dict[str, str]) -> bool:
    """Run the service's own health check."""
    kind, *test = service["healthcheck"]["test"]
    command = (
        ["sh", "-c", *test]
        if kind == "CMD-SHELL"
        else native([part.replace("$$", "$") for part in test])
    )
    return (
        subprocess.run(
            command, check=False, env=environment, capture_output=True, timeout=90
        ).returncode
        == 0
    )


@pytest.mark.parametrize(("status", "expected"), [(200, True), (503, False)])
def test_the_health_check_of_qdrant_asks_whether_it_is_ready(
    stack: dict[str, Any], status: int, expected: bool
):
    asked = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        command = stack["qdrant"]["healthcheck"]["test"]
        here = [part.replace("/6333", f"/{server.server_port}") for part in command]
        assert here != command
        answer = healthy({"healthcheck": {"test": here}}, dict(os.environ))
        server.shutdown()
        thread.join()
    assert answer is expected
    assert asked == ["/readyz"]


def test_the_health_check_of_qdrant_fails_when_nobody_listens(stack: dict[str, Any]):
    here = [
        part.replace("/6333", f"/{free_port()}") for part in stack["qdrant"]["healthcheck"]["test"]
    ]
    assert not healthy({"healthcheck": {"test": here}}, dict(os.environ))


@pytest.mark.timeout(700)
def test_the_commands_of_the_stack_make_a_shop_of_the_demo_catalogue(tmp_path: Path):
    """Redis, demo, service and worker by their own commands.

    Qdrant's engine answers its gRPC calls in this process.
    """
    (tmp_path / "compose").mkdir()
    done = parse(
        tmp_path / "compose",
        SECRETS | {"DEMO_PRODUCTS": "24"},
    )
    stack = yaml.safe_load(done.stdout)["services"]
    trouble = Trouble()
    trouble.key = SECRETS["QDRANT_API_KEY"]
    with ExitStack() as everything:
        engine = everything.enter_context(closing(Engine()))
        qdrant_port = everything.enter_context(serve(engine, trouble=trouble))
        redis_port, port = free_port(), free_port()
        here = {
            "VITRINE_QDRANT_URL": "http://127.0.0.1:1",
            "VITRINE_QDRANT_GRPC_PORT": str(qdrant_port),
            "VITRINE_QUEUE_URL": stack["worker"]["environment"]["VITRINE_QUEUE_URL"].replace(
                "//redis:6379", f"//127.0.0.1:{redis_port}"
            ),
            "VITRINE_DATA_DIR": str(tmp_path / "data"),
            "VITRINE_IMAGE_STORE": str(tmp_path / "data" / "images"),
            "VITRINE_RUNTIME": "torch",
            "VITRINE_LOG_FORMAT": "human",
            "VITRINE_HOST": "127.0.0.1",
            "VITRINE_PORT": str(port),
            "HF_HOME": str(tmp_path / "data" / "models"),
        }
        environment = {
            name: {
                **os.environ,
                **{k: str(v) for k, v in stack[name].get("environment", {}).items()},
                **here,
                "OMP_NUM_THREADS": "1",
            }
            for name in stack
        }
        redis_command = [
            *stack["redis"]["command"],
            "--port",
            str(redis_port),
            "--dir",
            str(tmp_path),
        ]
        everything.enter_context(
            running(redis_command, environment["redis"], tmp_path / "redis.log")
        )
        shim = tmp_path / "bin" / "redis-cli"
        shim.parent.mkdir()
        shim.write_text(f'#!/bin/sh\nexec {shutil.which("redis-cli")} -p {redis_port} "$@"\n')
        shim.chmod(0o755)
        redis_environment = {**environment["redis"], "PATH": f"{shim.parent}:{os.environ['PATH']}"}
        until(lambda: healthy(stack["redis"], redis_environment), "redis becomes healthy")
        assert not healthy(stack["redis"], {**redis_environment, "REDISCLI_AUTH": "wrong"})

        demo = subprocess.run(
            native(stack["demo"]["command"]),
            check=False,
            env=environment["demo"],
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert demo.returncode == 0, demo.stderr
        assert not healthy(stack["service"], environment["service"])
        everything.enter_context(
            running(stack["service"]["command"], environment["service"], tmp_path / "service.log")
        )
        everything.enter_context(
            running(stack["worker"]["command"], environment["worker"], tmp_path / "worker.log")
        )
        until(
            lambda: healthy(stack["service"], environment["service"]), "the service becomes healthy"
        )
        use_the_shop(f"http://127.0.0.1:{port}")
        assert healthy(stack["worker"], environment["worker"])
        lost = {**environment["worker"], "VITRINE_QUEUE_PASSWORD": "wrong"}
        assert not healthy(stack["worker"], lost)


QUERY = {"q": "a red dress", "limit": 3, "ranking": "vector"}
"""By the vector alone: of two dozen products few are close to a red dress."""


def use_the_shop(url: str) -> None:
    """A search, and a change that the worker carries out."""
    with httpx.Client(
        base_url=url,
        timeout=60,
        headers={"Authorization": f"Bearer {SECRETS['VITRINE_ADMIN_TOKEN']}"},
    ) as client:
        until(lambda: client.get("/health/ready").status_code == 200, "the service becomes ready")
        answer = client.get("/v1/search", params=QUERY).json()
        assert len(answer["hits"]) == 3
        assert (answer["total"], answer["index"]["backend"]) == (24, "qdrant")
        product = answer["hits"][0]
        assert client.get(product["image_url"]).status_code == 200
        changed = client.patch(f"/v1/admin/products/{product['id']}", json={"price": 4321})
        assert changed.status_code == 202, changed.text
        job = f"/v1/admin/jobs/{changed.json()['job_id']}"
        until(lambda: client.get(job).json()["state"] == "done", "the worker changes the price")
        assert client.get(f"/v1/products/{product['id']}").json()["product"]["price"] == 4321
