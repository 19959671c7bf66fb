"""What went wrong as a page in words, for somebody who opened an address in a browser."""

from __future__ import annotations

from flask import Response, current_app, make_response, render_template, request

from service.assets import address
from service.models.problem import Problem
from service.page_texts import shop_language, texts_of

__all__ = ["in_browser", "problem_page"]

_FOR_PROGRAMS = ("/v1/", "/health/", "/metrics")


def in_browser() -> bool:
    """Whether the request prefers HTML to JSON, of an app with pages and not for a program."""
    if "pages" not in current_app.blueprints or request.path.startswith(_FOR_PROGRAMS):
        return False
    return request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"


def problem_page(problem: Problem) -> Response:
    """The page, in the shop's language; what the service itself says of a problem is English."""
    language = shop_language()
    texts = texts_of(language)
    response = make_response(
        render_template(
            "problem.html",
            language=language,
            texts=texts,
            t=texts.__getitem__,
            asset=address,
            problem=problem,
        ),
        problem.status,
    )
    response.vary.update(("Accept", "Accept-Language"))
    return response
