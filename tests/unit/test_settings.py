"""Settings: each is documented, read from the environment, and refused with its name when wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from tests.fakes import FakeEmbedder
from vitrine import doctor
from vitrine.cli import vitrine
from vitrine.embedding.ports import Compute
from vitrine.errors import InvalidSettings
from vitrine.settings import Settings, load_settings, settings_tables
from vitrine.wiring import Vitrine

ROOT = Path(__file__).parents[2]
ROWS = [row for row in settings_tables().splitlines() if row.startswith("| `")]


def test_the_documents_hold_every_setting_with_its_default():
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    assert text.endswith(settings_tables() + "\n"), "put what `vitrine settings` prints there"
    assert len(ROWS) == len(Settings.model_fields)


def test_the_settings_that_the_readme_shows_are_those_of_the_documents():
    shown = [
        line
        for line in (ROOT / "README.md").read_text("utf-8").splitlines()
        if line.startswith("| `VITRINE_")
    ]
    assert len(shown) == 10
    assert set(shown) <= set(ROWS)


def test_every_setting_says_what_it_is_for():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_settings_come_from_the_environment_and_flags_win(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRINE_PORT", "9000")
    monkeypatch.setenv("VITRINE_THREADS", "")
    assert (load_settings().port, load_settings().threads) == (9000, Settings().threads)
    assert load_settings(port=9001).port == 9001


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VITRINE_PORT", "high"),
        ("VITRINE_PORT", "70000"),
        ("VITRINE_BACKEND", "chroma"),
        ("VITRINE_QUEUE_URL", "amqp://x"),
        ("VITRINE_WORKERS", "-1"),
        ("VITRINE_QDRANT_API_KEY", "schlüssel"),
        ("VITRINE_QDRANT_API_KEY", "two\nlines"),
        ("VITRINE_FETCH_USER_AGENT", "Müller's shop"),
        ("VITRINE_EMBEDDER_TOKEN", "two\nlines"),
        ("VITRINE_QUEUE_URL", "redis://queue:6379/first"),
        ("VITRINE_REVOKED_KEYS", "vk1.eyJpIjoiYxTkNGU4NTEifQ.Tm0cGcGr753Z2Y5EeJuTtQ"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert [e.field for e in caught.value.errors] == [name]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_a_wrong_setting_is_refused_in_plain_words(monkeypatch: pytest.MonkeyPatch, name: str):
    variable = f"VITRINE_{name.upper()}"
    refusals = []
    for value in ("none", "ünïcödé €", "http://[", "http://host:port", "1e999", "-2"):
        monkeypatch.setenv(variable, value)
        try:
            load_settings()
        except InvalidSettings as error:
            refusals.append(str(error))
    assert [r for r in refusals if not r.startswith(f"{variable}: ")] == []
    assert [r for r in refusals if re.search(r"Input|String|pattern|<class|should", r)] == []


def test_every_default_may_be_written_out(monkeypatch: pytest.MonkeyPatch):
    settings = Settings()
    for name in Settings.model_fields:
        default = getattr(settings, name)
        secret = isinstance(default, SecretStr)
        text = default.get_secret_value() if secret else str(default)
        monkeypatch.setenv(f"VITRINE_{name.upper()}", text)
    assert load_settings() == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VITRINE_EMBEDDER_URL", "http://host:port"),
        ("VITRINE_QDRANT_URL", "http://one:6333,http://two:port"),
        ("VITRINE_QDRANT_URL", "http://"),
        ("VITRINE_PUBLIC_URL", "https://shop.example:port/search"),
        ("VITRINE_PUBLIC_URL", "http://["),
    ],
)
def test_an_address_that_no_client_can_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=f"{name}: .*a host and perhaps a port"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("VITRINE_BACKENDD", "did you mean VITRINE_BACKEND?"),
        ("VITRINE_WORKRES", "did you mean VITRINE_WORKERS?"),
        ("VITRINE_QDRANT_URI", "did you mean VITRINE_QDRANT_URL?"),
        ("VITRINE_CODES_FROM", "is called VITRINE_QUANTIZE_FROM now"),
        ("VITRINE_ZZZZZZZZZZZZ", "`vitrine settings` lists them all"),
        ("VITRINE_FOO", "`vitrine settings` lists them all"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, name: str, hint: str
):
    monkeypatch.setenv(name, "x")
    with pytest.raises(InvalidSettings) as caught:
        load_settings()
    assert [e.field for e in caught.value.errors] == [name]
    assert hint in str(caught.value)


@pytest.mark.parametrize("command", sorted(e.name for e in entry_points(group="vitrine.commands")))
def test_every_command_refuses_an_unknown_setting(monkeypatch: pytest.MonkeyPatch, command: str):
    monkeypatch.setenv("VITRINE_BACKENDD", "qdrant")
    result = CliRunner().invoke(vitrine, [command, "--help"])
    assert isinstance(result.exception, InvalidSettings)


def test_a_misspelt_setting_ends_a_command_with_status_2_and_the_right_name():
    done = subprocess.run(
        [sys.executable, "-c", "from vitrine.cli import main; main()", "doctor"],
        env={**os.environ, "VITRINE_BACKENDD": "qdrant"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "did you mean VITRINE_BACKEND?" in done.stderr


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("localhost:6333", "write http://localhost:6333"),
        ("qdrant.shop.example:6333", "write http://qdrant.shop.example:6333"),
        ("localhost", "a folder such as ./qdrant"),
        ("grpc://localhost:6334", "must start with http:// or https://"),
        ("http://one:6333,two:6333", "write http://two:6333"),
    ],
)
def test_an_address_of_qdrant_without_its_scheme_is_refused_with_the_right_spelling(
    monkeypatch: pytest.MonkeyPatch, url: str, remedy: str
):
    monkeypatch.setenv("VITRINE_QDRANT_URL", url)
    with pytest.raises(InvalidSettings, match="VITRINE_QDRANT_URL") as caught:
        load_settings()
    assert remedy in str(caught.value)


def test_secrets_are_not_printed():
    assert "hush" not in repr(Settings(admin_token="hush", qdrant_api_key="hush"))  # type: ignore[arg-type]  # pydantic wraps it


@pytest.mark.parametrize("password", ["pa/ss", "p@ss", "p#ss", "p?s:s", "pass é%"])
def test_a_password_of_any_characters_reaches_redis(monkeypatch: pytest.MonkeyPatch, password: str):
    from redis import ConnectionPool

    monkeypatch.setenv("VITRINE_QUEUE_URL", "redis://queue:6379/2")
    monkeypatch.setenv("VITRINE_QUEUE_PASSWORD", password)
    options = ConnectionPool.from_url(load_settings().queue_url).connection_kwargs
    assert (options["password"], options["host"], options["port"]) == (password, "queue", 6379)


@pytest.mark.parametrize("address", ["redis://:a/b@queue", "redis://:a#b@queue", "redis://:1?2@q"])
def test_an_address_torn_by_a_password_says_where_the_password_belongs(
    monkeypatch: pytest.MonkeyPatch, address: str
):
    monkeypatch.setenv("VITRINE_QUEUE_URL", address)
    with pytest.raises(InvalidSettings, match="a password belongs into VITRINE_QUEUE_PASSWORD"):
        load_settings()


def test_doctor_carries_out_only_the_checks_that_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("VITRINE_QUEUE_URL", "redis://127.0.0.1:1/0")
    only = [f"--only={name}" for name in ("data folder", "backend")]
    healthy = CliRunner().invoke(vitrine, ["doctor", *only])
    assert healthy.exit_code == 0, healthy.output
    assert healthy.output.count("ok   ") == 2
    lost = CliRunner().invoke(vitrine, ["doctor", *only, "--only=queue"])
    assert lost.exit_code == 1
    assert "the queue does not answer" in lost.output


def test_doctor_blames_a_data_folder_alone_for_what_it_makes_impossible(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "file/data"))
    told = CliRunner().invoke(vitrine, ["doctor", "--only=data folder", "--only=backend"])
    assert told.exit_code == 1
    assert told.output.count("WRONG") == 1
    assert (
        "?      backend\n       cannot be checked before the data folder can be used" in told.output
    )
    assert "Errno" not in told.output


def test_doctor_looks_at_what_is_first_read_in_the_middle_of_the_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    a_file = tmp_path / "file"
    a_file.write_text("not judgements", "utf-8")
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    checks = [f"--only={name}" for name in ("detector", "queue", "files")]
    sound = CliRunner().invoke(vitrine, ["doctor", *checks])
    assert sound.exit_code == 0, sound.output

    monkeypatch.setenv("VITRINE_DETECTOR", "./no-such-folder")
    monkeypatch.setenv("VITRINE_QUEUE_URL", f"sqlite:{a_file}/jobs.sqlite")
    monkeypatch.setenv("VITRINE_JUDGEMENTS", str(a_file))
    monkeypatch.setenv("VITRINE_CATALOGUE_ROOT", str(a_file))
    wrong = CliRunner().invoke(vitrine, ["doctor", *checks])
    assert wrong.exit_code == 1
    assert wrong.output.count("WRONG") == 3
    for part in (
        "the model folder ./no-such-folder does not exist",
        f"VITRINE_QUEUE_URL: {a_file} cannot be written",
        f"VITRINE_JUDGEMENTS: {a_file}:1",
        f"VITRINE_CATALOGUE_ROOT: {a_file} is not a folder",
    ):
        assert part in wrong.output


def test_doctor_carries_out_the_checks_that_other_rooms_register(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    port = EntryPoint("port", "service.checks:port", "vitrine.checks")
    monkeypatch.setattr(doctor, "entry_points", lambda group: {"vitrine.checks": [port]}[group])
    settings = Settings(data_dir=tmp_path, host="no such host")
    (told,) = doctor.examine(settings, ["port"])
    assert told[0] == "port"
    assert "VITRINE_HOST: no such host is not an address" in told[1][0]


@pytest.mark.parametrize(
    ("compute", "told"),
    [
        (Compute("cpu", "int8"), "fake runs on cpu in int8"),
        (
            Compute("cuda", "bf16", text_graphs=True),
            "fake runs on cuda in bf16, texts as CUDA graphs",
        ),
        (Compute("cuda:1", "fp32"), "fake runs on cuda:1 in fp32, texts without CUDA graphs"),
    ],
)
def test_doctor_tells_where_the_model_runs(
    compute: Compute, told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    embedder = FakeEmbedder()
    embedder.compute = compute
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(
        doctor, "Vitrine", lambda settings: Vitrine(settings, embedder=lambda _: embedder)
    )
    printed = CliRunner().invoke(vitrine, ["doctor", "--only=model"]).output
    assert f"ok     model\n       {told}\n" in printed
