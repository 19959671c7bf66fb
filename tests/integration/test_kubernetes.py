"""The Kubernetes example: every object fits Kubernetes' published schema, and what it names
exists."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from vitrine.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "kubernetes" / "vitrine.yaml"


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(FILE.read_text()) if each]


def validate(path: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("kubernetes-validate")), "--strict", str(path)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=400)


def test_every_object_fits_the_schema_of_its_kind(tmp_path: Path):
    done = validate(FILE)
    assert done.returncode == 0, done.stdout + done.stderr
    misspelt = tmp_path / "misspelt.yaml"
    misspelt.write_text(FILE.read_text().replace("readinessProbe", "readynessProbe"))
    assert validate(misspelt).returncode != 0, "a wrong word would not be noticed"


def pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        each["spec"]["template"]["spec"]
        for each in objects
        if each["kind"] in ("Deployment", "StatefulSet")
    ]


def test_no_pod_runs_with_more_rights_than_it_needs(objects: list[dict[str, Any]]):
    for pod in pods(objects):
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


def test_every_setting_that_is_named_exists_and_secrets_come_from_the_secret(
    objects: list[dict[str, Any]],
):
    (config,) = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    secret = [
        entry
        for pod in pods(objects)
        for container in pod["containers"]
        for entry in container.get("env", ())
    ]
    names = [*config, *(entry["name"] for entry in secret)]
    settings = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert {name for name in names if name.startswith(PREFIX)} <= settings
    assert all("secretKeyRef" in entry["valueFrom"] for entry in secret)
    assert not {name for name in config if name.endswith(("KEY", "TOKEN", "PASSWORD"))}


def test_a_selector_meets_the_pods_of_its_deployment(objects: list[dict[str, Any]]):
    for each in objects:
        if each["kind"] in ("Deployment", "StatefulSet"):
            labels = each["spec"]["template"]["metadata"]["labels"]
            assert each["spec"]["selector"]["matchLabels"].items() <= labels.items()
    targets = {
        (each["spec"]["scaleTargetRef"]["kind"], each["spec"]["scaleTargetRef"]["name"])
        for each in objects
        if each["kind"] == "HorizontalPodAutoscaler"
    }
    assert targets <= {(each["kind"], each["metadata"]["name"]) for each in objects}
