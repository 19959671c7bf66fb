"""The fields of a catalogue: what they may hold, how raw values are read, and the mapping file."""

from vitrine.fields.built_in import built_in_mappings, recognize
from vitrine.fields.colors import FAMILIES, families
from vitrine.fields.json_products import changes_from_json, product_from_json
from vitrine.fields.mapping import ROW_NUMBER, MappedRow, Mapping
from vitrine.fields.money import Money, parse_money
from vitrine.fields.scalars import (
    parse_bool,
    parse_datetime,
    parse_keywords,
    parse_paths,
    parse_text,
)
from vitrine.fields.schema import BUILT_IN_FIELDS, Field, FieldType, Schema

__all__ = [
    "BUILT_IN_FIELDS",
    "FAMILIES",
    "ROW_NUMBER",
    "Field",
    "FieldType",
    "MappedRow",
    "Mapping",
    "Money",
    "Schema",
    "built_in_mappings",
    "changes_from_json",
    "families",
    "parse_bool",
    "parse_datetime",
    "parse_keywords",
    "parse_money",
    "parse_paths",
    "parse_text",
    "product_from_json",
    "recognize",
]
