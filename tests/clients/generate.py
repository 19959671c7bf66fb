"""`make clients`: clients are generated from the description of a running service, and used.

Each does what a shop's program does: a filtered search, an upload, an upsert whose job it follows.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx
from PIL import Image

from tests.integration.service.process import ServiceProcess

HERE = Path(__file__).parent
TOKEN = "a-token-of-the-tests"


def main(generators: Path) -> None:
    """Generate and use the clients with the programs of an environment."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with ServiceProcess(place, admin_token=TOKEN) as service:
            service.wait_until("/health/ready")
            description = place / "openapi.json"
            description.write_bytes(httpx.get(f"{service.url}/openapi.json").content)
            picture = io.BytesIO()
            Image.new("RGB", (32, 32), "red").save(picture, "PNG")
            (place / "red.png").write_bytes(picture.getvalue())
            json.dump({"url": service.url, "token": TOKEN}, (place / "service.json").open("w"))
            generate(generators, place)
            for user in ("use_client.py", "use_models.py"):
                run([generators / "python", HERE / user, place])
            use_typescript(place)


def generate(generators: Path, place: Path) -> None:
    """The client of openapi-python-client and the models of datamodel-code-generator."""
    described = place / "openapi.json"
    client = ["generate", "--path", described, "--output-path", place / "client", "--meta", "none"]
    run([generators.absolute() / "openapi-python-client", *client])
    models = ["--input", described, "--input-file-type", "openapi", "--output", place / "models.py"]
    kind = ["--output-model-type", "pydantic_v2.BaseModel"]
    run([generators / "datamodel-codegen", *models, *kind])


def use_typescript(place: Path) -> None:
    """The types of openapi-typescript with its defaults, compiled strictly and used."""
    code = place / "typescript"
    shutil.copytree(HERE / "typescript", code)
    run(["npm", "install", "--silent", "--no-audit", "--no-fund"], code)
    run(["npx", "openapi-typescript", place / "openapi.json", "--output", "api.d.ts"], code)
    strict = ["--strict", "--target", "es2022", "--module", "nodenext", "--skipLibCheck"]
    run(["npx", "tsc", *strict, "use.ts"], code)
    run(["node", "use.js", place], code)


def run(command: list[str | Path], folder: Path | None = None) -> None:
    """Run a program in five minutes at most; its failure is this one's."""
    print("+", *command, flush=True)
    subprocess.run(command, check=True, timeout=300, cwd=folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
