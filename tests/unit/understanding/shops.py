"""A small shop in each language, for the tests of understanding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType, Schema
from vitrine.products import Product
from vitrine.understanding import QueryReader, grammar, learn_known_values
from vitrine.words import Analyzer, VocabularyCounts, document_words

SCHEMA = Schema(
    (
        *(Field(name, kind) for name, kind in BUILT_IN_FIELDS.items()),
        Field("pattern", FieldType.KEYWORD),
        Field("size", FieldType.KEYWORD),
    )
)
UNDERSTOOD = {"pattern": None, "size": None}
COLORS = ("Black", "Red", "Blue", "Green", "White")


@dataclass(frozen=True)
class Wares:
    """What a shop sells: things by category, brands, patterns, and titles that look like
    grammar."""

    currency: str
    things: dict[str, str]
    brands: tuple[str, ...]
    patterns: tuple[str, ...]
    titles: tuple[str, ...]
    prose: str = field(default="")


SHOPS = {
    "en": Wares(
        "USD",
        {
            "Women/Dresses": "Maxi Dress",
            "Men/Hoodies & Sweatshirts": "Zip Hoodie",
            "Shoes/Sneakers": "Runner Sneakers",
            "Jackets": "Rain Jacket",
            "Bags": "Tote Bag",
        },
        ("Acme", "Juniper Lane"),
        ("Plain", "Floral"),
        (
            "No Fear Tee",
            "From Dusk Till Dawn Poster",
            "Under 30 Club Mug",
            "Without You Record",
            "Up to Date Jacket",
            "Wall Shelf",
            "Water Bottle",
            "Slim Jeans",
        ),
        "With stripes, logo, print, zipper, hoods, pockets and long sleeves; for gifts and toys.",
    ),
    "de": Wares(
        "EUR",
        {
            "Damen/Kleider": "Langes Kleid",
            "Herren/Hoodies & Sweatshirts": "Hoodie",
            "Schuhe/Sneaker": "Laufschuhe",
            "Jacken": "Regenjacke",
            "Taschen": "Tasche",
        },
        ("Adler", "Blaue Blume"),
        ("Uni", "Blumen"),
        ("Ohne Dich Poster", "Ab in den Urlaub Poster", "Unter Strom Tasse", "Regal", "Flasche"),
        "Mit Streifen, Punkten, Logo, Aufdruck, Kapuze und langen Ärmeln; Spielzeug.",
    ),
    "fr": Wares(
        "EUR",
        {
            "Femme/Robes": "Robe longue",
            "Homme/Sweats": "Sweat",
            "Chaussures/Baskets": "Baskets de course",
            "Vestes": "Veste de pluie",
            "Sacs": "Sac à dos",
        },
        ("Lumière", "Petit Bateau"),
        ("Uni", "Fleurs"),
        ("Sans toi affiche", "Moins que rien affiche", "Plus belle la vie DVD", "Étagère"),
        "Avec rayures, pois, logo, imprimé, capuche, poches, manches longues; jouet, bouteille.",
    ),
    "es": Wares(
        "EUR",
        {
            "Mujer/Vestidos": "Vestido largo",
            "Hombre/Sudaderas": "Sudadera",
            "Zapatos/Zapatillas": "Zapatillas de correr",
            "Chaquetas": "Chaqueta de lluvia",
            "Bolsos": "Bolso",
        },
        ("Sol", "Luna Azul"),
        ("Liso", "Flores"),
        ("Sin ti póster", "Desde el alma póster", "Menos mal taza", "Estante"),
        "Con rayas, lunares, logo, estampado, capucha, bolsillos, mangas largas; juguete.",
    ),
}


def products_of(code: str) -> list[Product]:
    """The products of one shop: every thing in every color, and the titles."""
    shop = SHOPS[code]
    things = [
        Product(
            id=f"{number}-{color}",
            title=title,
            price=20.0 + number,
            currency=shop.currency,
            color=(color,),
            colors=(color.lower(),),
            category=(category,),
            brand=shop.brands[number % 2],
            in_stock=True,
            description=shop.prose,
            attributes={"pattern": (shop.patterns[number % 2],), "size": ("S", "M", "38", "40")},
        )
        for number, (category, title) in enumerate(shop.things.items())
        for color in COLORS
    ]
    return things + [Product(id=f"t{n}", title=title) for n, title in enumerate(shop.titles)]


@cache
def reader_of(code: str) -> QueryReader:
    """The reader of one shop's queries."""
    return reader_over(products_of(code), code)


def reader_over(
    products: Sequence[Product],
    code: str,
    *,
    schema: Schema = SCHEMA,
    understood: Mapping[str, str | None] = UNDERSTOOD,
) -> QueryReader:
    """The reader of the queries of a shop with these products."""
    analyzer = Analyzer(code)
    counts = VocabularyCounts()
    counts.add(document_words(product, schema, analyzer) for product in products)
    known = learn_known_values(
        products, schema, analyzer=analyzer, grammar=grammar(code), understood=understood
    )
    return QueryReader(
        schema,
        grammar=grammar(code),
        analyzer=analyzer,
        vocabulary=counts.vocabulary(),
        known=known,
        understood=understood,
    )
