"""A test client that holds every answer against the service's own description of it."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from service.app import with_whole_id

UNDESCRIBED = ("/openapi.json", "/docs", "/metrics", "/assets", "/try", "/admin", "/")


class CheckingClient(FlaskClient):
    """Fails the test when an answer does not fit the description, or is no problem document
    where it should be one."""

    spec: dict[str, Any]

    def read_description(self) -> None:
        self.spec = super().open("/openapi.json").get_json()

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        response = super().open(*args, **kwargs)
        request = response.request
        path, method = with_whole_id(request.path, request.environ), request.method
        if not path.startswith(UNDESCRIBED[:-1]) and path != "/":
            self._check(response, path, method)
        return response

    def _check(self, response: TestResponse, path: str, method: str) -> None:
        assert response.headers["X-Request-ID"]
        assert response.headers["Server-Timing"]
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        if response.status_code >= 400:
            assert response.content_type == "application/problem+json"
            self._fits(response.get_json(), {"$ref": "#/components/schemas/Problem"})
            assert response.get_json()["status"] == response.status_code
            assert response.get_json()["request_id"] == response.headers["X-Request-ID"]
        operation = self._operation(path, method)
        if operation is None:
            assert response.status_code in (400, 404, 405)
        elif response.status_code < 400:
            described = operation["responses"][str(response.status_code)].get("content", {})
            if response.get_data():
                assert response.mimetype in described
            if response.mimetype == "application/json":
                self._fits(response.get_json(), described["application/json"]["schema"])

    def _operation(self, path: str, method: str) -> dict[str, Any] | None:
        try:
            rule, _ = self.application.url_map.bind("localhost").match(
                path, method, return_rule=True
            )
        except HTTPException:
            return None
        return self.spec["paths"][re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)][method.lower()]

    def _fits(self, document: Any, schema: dict[str, Any]) -> None:
        Draft202012Validator({**schema, "components": self.spec["components"]}).validate(document)
