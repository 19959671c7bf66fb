"""What no index takes is told with the field that is wrong."""

from __future__ import annotations

import pytest

from vitrine.errors import InvalidProduct
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.index.checks import check_product
from vitrine.products import Product

SCHEMA = Schema((Field("size", FieldType.KEYWORD),))


@pytest.mark.parametrize("value", [(38, 40), ("M", 40), 38])
def test_a_value_of_a_wrong_type_is_told_with_its_field(value: object):
    product = Product("p1", "Shoe", attributes={"size": value})  # type: ignore[dict-item]
    with pytest.raises(InvalidProduct, match=r"^size: .* is not a keyword value$"):
        check_product(product, SCHEMA)


def test_every_text_that_cannot_be_encoded_is_told():
    product = Product("p1", "Shoe \ud83d", attributes={"size": ("\ude00", "M")})
    with pytest.raises(InvalidProduct) as refused:
        check_product(product, SCHEMA)
    assert [error.message for error in refused.value.errors] == [
        "'Shoe \\ud83d' is not valid Unicode text",
        "'\\ude00' is not valid Unicode text",
    ]
