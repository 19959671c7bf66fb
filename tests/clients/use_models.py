"""Uses the models that datamodel-code-generator made: what they write is taken and read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import httpx

place = Path(sys.argv[1])
sys.path.insert(0, str(place))

import models  # noqa: E402  # made a moment ago

service = json.loads((place / "service.json").read_text())
operator = {"Authorization": f"Bearer {service['token']}"}
http = httpx.Client(base_url=service["url"])

asked = models.SearchRequest(text="red", filter={"id": ["red", "blue"]})
body = asked.model_dump(mode="json", exclude_unset=True)
found = models.SearchAnswer.model_validate(http.post("/v1/search", json=body).json())
assert (found.hits[0].id, found.total) == ("red", 2), found

form = {"image": ("red.png", (place / "red.png").read_bytes(), "image/png")}
limit = models.SearchRequest(limit=1).model_dump_json(exclude_unset=True)
answer = http.post("/v1/search/upload", files=form, data={"request": limit})
assert [hit.id for hit in models.SearchAnswer.model_validate(answer.json()).hits] == ["red"]

row = models.ProductRow(id="red", title="Red again").model_dump(mode="json", exclude_unset=True)
queued = models.QueuedAnswer.model_validate(
    http.put("/v1/admin/products", json=[row], headers=operator).json()
)
job = http.get(f"/v1/admin/jobs/{queued.job_id}", headers=operator).json()
assert models.JobAnswer.model_validate(job).total == 1
print("datamodel-code-generator: filtered search, upload, upsert and its job")
