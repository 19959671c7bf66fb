"""Every error as a problem document (RFC 9457), by one ordered table."""

from __future__ import annotations

import logging
import re
from typing import NamedTuple, NoReturn, cast

from flask import Flask, Response, current_app, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge

from service.models.problem import MEDIA_TYPE, Fault, Problem
from service.problem_page import in_browser, problem_page
from service.validation import faults_of
from vitrine import errors

__all__ = ["TABLE", "problem_response", "refuse", "register_errors"]

RETRY_AFTER_S = 5
LONGEST_MESSAGE = 500
MOST_FAULTS = 20
_ADMIN = "/v1/admin/"
_PATH = re.compile(
    r"""(?<=['"])/[^'"]+/[^'"]*"""  # quoted, as in the text of an OSError
    r"""|(?<=file://)/[^\s'"]+"""
    r"""|(?<![\w/:.])/(?!v1/)(?:[^\s/'"]+/)+[^\s/'":,;]*"""
)
"""An absolute path of two names or more; an address's path follows its host and is none."""

log = logging.getLogger(__name__)


class Row(NamedTuple):
    """What one of our exceptions is in HTTP; `slug` ends the problem's type."""

    raised: type[errors.VitrineError]
    status: int
    slug: str
    title: str


TABLE: tuple[Row, ...] = (
    Row(errors.InvalidSettings, 503, "misconfigured", "The service is not configured for this"),
    Row(errors.InvalidImage, 422, "invalid-image", "Invalid image"),
    Row(errors.InvalidFilter, 422, "invalid-filter", "Invalid filter"),
    Row(errors.InvalidCursor, 422, "invalid-cursor", "Invalid cursor"),
    Row(errors.InvalidProduct, 422, "invalid-product", "Invalid product"),
    Row(errors.InvalidInput, 422, "invalid-request", "Invalid request"),
    Row(errors.NotFound, 404, "not-found", "Not found"),
    Row(errors.Conflict, 409, "conflict", "Conflict with the current state"),
    Row(errors.Abandoned, 499, "abandoned", "The client closed the connection"),
    Row(errors.Cancelled, 409, "cancelled", "The work was cancelled"),
    Row(errors.ModelUnavailable, 503, "model-unavailable", "The model is not available"),
    Row(errors.ModelBusy, 503, "model-busy", "The model is busy"),
    Row(errors.DecoderBusy, 503, "decoder-busy", "The service is busy with pictures"),
    Row(errors.ModelMismatch, 503, "model-mismatch", "The index was built with another model"),
    Row(errors.NoLiveVersion, 503, "no-live-version", "No index version is live"),
    Row(errors.IndexUnavailable, 503, "index-unavailable", "The index is unavailable"),
    Row(errors.StorageUnavailable, 503, "storage-unavailable", "The store is unavailable"),
)
"""The first row whose exception fits decides; the rest is a 500 that leaks nothing."""


def register_errors(app: Flask) -> None:
    """Let every error of the app leave as a problem document."""
    app.register_error_handler(errors.VitrineError, _ours)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _unknown)


def refuse(error: ValidationError) -> NoReturn:
    """Turn what a request model found wrong into our error."""
    raise errors.InvalidQuery(faults_of(error)) from None


def _ours(error: errors.VitrineError) -> Response:
    row = next((row for row in TABLE if isinstance(error, row.raised)), None)
    if row is None:
        return _unknown(error)
    if row.status >= 500:
        level = (
            logging.DEBUG if isinstance(error, errors.ModelLoading) else logging.WARNING
        )  # probes ask until it is there
        log.log(level, "%s: %s", row.slug, error)
    faults = error.errors if isinstance(error, errors.InvalidInput) else ()
    return problem_response(
        Problem(
            type=f"urn:vitrine:problem:{row.slug}",
            title=row.title,
            status=row.status,
            detail=_short(_for_client(str(error), row.status)),
            errors=[
                Fault(field=_short(f.field), message=_short(_for_client(f.message, row.status)))
                for f in faults[:MOST_FAULTS]
            ]
            or None,
            reason=error.reason if isinstance(error, errors.InvalidImage) else None,
            job_id=error.job_id if isinstance(error, errors.Conflict) else None,
            instance=_short(request.path),
            request_id=g.get("request_id", ""),
        )
    )


def _of_http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 or error.response is not None:
        return cast(
            Response, error.get_response()
        )  # a redirect, or an answer that a library made whole
    if status >= 500:
        return _unknown(error)
    response = problem_response(_plain(status, error.name, _detail(error)))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _for_client(text: str, status: int) -> str:
    """What went wrong here, without where: of a path on this machine only the last name is given.

    The log has all of it, and so has whoever holds the admin token.
    """
    if status < 500 or request.path.startswith(_ADMIN):
        return text
    return _PATH.sub(lambda path: path[0].rstrip("/").rpartition("/")[2], text)


def _detail(error: HTTPException) -> str:
    """What is wrong and what is allowed; werkzeug's own words where there is no more to say."""
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted({*(error.valid_methods or ())} - {"OPTIONS"}))
        return f"{request.method} is not allowed here; allowed are {methods}"
    if isinstance(error, NotFound) and error.description == NotFound.description:
        return "there is nothing at this address; see /docs"
    too_large = RequestEntityTooLarge
    if isinstance(error, too_large) and error.description == too_large.description:
        most = current_app.config["MAX_CONTENT_LENGTH"] / 1e6
        parts = current_app.config["MAX_FORM_PARTS"]
        return (
            f"a body may have {most:g} MB (VITRINE_MAX_BODY_MB) and a form {parts} parts; send less"
            " at once"
        )
    return error.description or error.name


def _unknown(error: Exception) -> Response:
    log.error(
        "unexpected %s in %s %s", type(error).__name__, request.method, request.path, exc_info=error
    )
    detail = "the service failed on this request; see its log under the request id"
    return problem_response(_plain(500, "Internal Server Error", detail))


def problem_response(problem: Problem) -> Response:
    """The document as a response, in a browser a page; a 503 says when to try again."""
    if in_browser():
        response = problem_page(problem)
    else:
        response = Response(
            problem.model_dump_json(), status=problem.status, content_type=MEDIA_TYPE
        )
    if problem.status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def _plain(status: int, title: str, detail: str) -> Problem:
    """A problem of which the status says all that there is to say."""
    request_id = g.get("request_id", "")
    return Problem(
        type="about:blank",
        title=title,
        status=status,
        detail=_short(detail),
        instance=_short(request.path),
        request_id=request_id,
    )


def _short(text: str) -> str:
    """What the caller sent may be a megabyte; a message that quotes it need not be."""
    safe = text.encode("utf-8", "replace").decode()
    return (
        safe
        if len(safe) <= LONGEST_MESSAGE
        else f"{safe[: LONGEST_MESSAGE - 1]}\N{HORIZONTAL ELLIPSIS}"
    )
