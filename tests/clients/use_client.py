"""Uses the package that openapi-python-client made; every module of it is imported first."""

from __future__ import annotations

import importlib
import io
import json
import pkgutil
import sys
from pathlib import Path

place = Path(sys.argv[1])
sys.path.insert(0, str(place))

import client  # noqa: E402  # made a moment ago

for module in pkgutil.walk_packages(client.__path__, "client."):
    importlib.import_module(module.name)

from client import AuthenticatedClient, Client  # noqa: E402
from client.api.admin import get_job, put_products  # noqa: E402
from client.api.search import search, search_upload  # noqa: E402
from client.models import ProductRow, SearchRequest, SearchUploadBody  # noqa: E402
from client.models import SearchRequestFilter as Filter  # noqa: E402
from client.types import File  # noqa: E402

service = json.loads((place / "service.json").read_text())
shop = Client(base_url=service["url"])
operator = AuthenticatedClient(base_url=service["url"], token=service["token"])

found = search.sync(
    client=shop, body=SearchRequest(text="red", filter_=Filter.from_dict({"id": ["red", "blue"]}))
)
assert found.hits[0].id == "red", found
assert found.total == 2

picture = File(payload=io.BytesIO((place / "red.png").read_bytes()), file_name="red.png")
seen = search_upload.sync(
    client=shop, body=SearchUploadBody(image=picture, request=SearchRequest(limit=1))
)
assert [hit.id for hit in seen.hits] == ["red"], seen

row = ProductRow.from_dict({"id": "red", "title": "Red again"})
queued = put_products.sync(client=operator, body=[row])
job = get_job.sync(job_id=queued.job_id, client=operator)
assert job.id == queued.job_id
assert job.total == 1
print("openapi-python-client: filtered search, upload, upsert and its job")
