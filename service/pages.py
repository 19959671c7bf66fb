"""The pages: search at `/`, trying the models at `/try`, the API at `/docs`, operation at
`/admin`."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, url_for
from werkzeug import Response

from service.assets import assets, register_asset_names
from service.page_texts import DEFAULT_LANGUAGE, shop_language, texts_of

__all__ = ["pages"]

pages = Blueprint("pages", __name__)
"""Plain HTML; the ES modules under static/js speak to the API as any other client."""

pages.register_blueprint(assets)
register_asset_names(pages)


@pages.get("/")
def shop() -> Response:
    """Show the search page, in the shop's language; its address holds the whole search."""
    return _in_shop_language("shop.html")


@pages.get("/product/<id:product_id>")
def product(product_id: str) -> Response:
    """Send the short address of a product to the search page, which opens it."""
    return redirect(url_for("pages.shop", show=product_id))


@pages.get("/try", strict_slashes=False)
def try_page() -> Response:
    """Show the page on which a picture is classified, compared and searched for objects, in the
    shop's language."""
    return _in_shop_language("try.html")


@pages.get("/docs", strict_slashes=False)
def docs() -> Response:
    """Show the description of the API, on which requests can be tried."""
    return _page("docs.html")


@pages.get("/admin", strict_slashes=False)
def admin() -> Response:
    """Show the operator's page, which uses the admin API with the token that it asks for."""
    return _page("admin.html")


def _in_shop_language(template: str) -> Response:
    response = _page(template, language=shop_language())
    response.vary.add("Accept-Language")
    return response


def _page(template: str, *, language: str = DEFAULT_LANGUAGE) -> Response:
    texts = texts_of(language)
    return make_response(
        render_template(template, language=language, texts=texts, t=texts.__getitem__)
    )
