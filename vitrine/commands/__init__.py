"""The engine's commands, where the entry points of pyproject.toml find them."""

from vitrine.commands.evaluation import evaluate
from vitrine.commands.learning import learn
from vitrine.commands.recognition import classify, detect, similarity
from vitrine.commands.searching import search
from vitrine.commands.settings_tables import settings

__all__ = ["classify", "detect", "evaluate", "learn", "search", "settings", "similarity"]
