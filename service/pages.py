"""The pages: search at `/`, trying the models at `/try`, operation at `/admin`."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug import Response

from service.assets import assets, register_asset_names

__all__ = ["pages"]

pages = Blueprint("pages", __name__)
"""Plain HTML; the ES modules under static/js speak to the API as any other client."""

pages.register_blueprint(assets)
register_asset_names(pages)


@pages.get("/")
def shop() -> str:
    """Show the search page; its address holds the whole search."""
    return render_template("shop.html")


@pages.get("/product/<id:product_id>")
def product(product_id: str) -> Response:
    """Send the short address of a product to the search page, which opens it."""
    return redirect(url_for("pages.shop", show=product_id))


@pages.get("/try", strict_slashes=False)
def try_page() -> str:
    """Show the page on which a picture is classified, compared and searched for objects."""
    return render_template("try.html")


@pages.get("/admin", strict_slashes=False)
def admin() -> str:
    """Show the operator's page, which uses the admin API with the token that it asks for."""
    return render_template("admin.html")
