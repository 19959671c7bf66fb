"""From a catalogue as a shop exported it to its mapping: recognized, drafted, previewed."""

from ingest.catalogue.choosing import ChosenMapping, MappingChoice, choose_mapping
from ingest.catalogue.drafting import draft_mapping
from ingest.catalogue.preview import Preview, PreviewRow, preview_catalogue

__all__ = [
    "ChosenMapping",
    "MappingChoice",
    "Preview",
    "PreviewRow",
    "choose_mapping",
    "draft_mapping",
    "preview_catalogue",
]
