"""Who may use the admin API: whoever holds the token."""

from __future__ import annotations

import hmac

from flask import request
from flask_openapi3.types import SecuritySchemesDict
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Forbidden, Unauthorized

from service.container import current_vitrine

__all__ = ["SCHEME", "require_admin"]

SCHEME: SecuritySchemesDict = {
    "admin": {"type": "http", "scheme": "bearer", "description": "the value of VITRINE_ADMIN_TOKEN"}
}
"""The security scheme of OpenAPI."""


def require_admin() -> None:
    """Let only requests with the admin token pass; runs before anything of the request is read."""
    token = current_vitrine().settings.admin_token.get_secret_value()
    if not token:
        raise Forbidden(
            "the admin API is off because no token is set; "
            "set VITRINE_ADMIN_TOKEN and restart the service"
        )
    scheme, _, token_sent = request.headers.get("Authorization", "").partition(" ")
    sound = hmac.compare_digest(token_sent.strip().encode("latin-1", "replace"), token.encode())
    if scheme.lower() != "bearer" or not sound:
        what = "wrong" if token_sent else "missing"
        raise Unauthorized(
            f"the admin token is {what}; send Authorization: Bearer TOKEN",
            www_authenticate=WWWAuthenticate("bearer", {"realm": "admin"}),
        )
