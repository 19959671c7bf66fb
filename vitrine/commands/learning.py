"""`vitrine learn`: the search model of the live version, learned again."""

from __future__ import annotations

from contextlib import closing

import click

from vitrine.commands import io

__all__ = ["learn"]


@click.command()
def learn() -> None:
    """Learn the words and the relevance of the live version again.

    Every ingest that changes a fifth of the products does this by itself.
    """
    from vitrine.learning import learn_version

    with closing(io.open_vitrine()) as vitrine:
        serving = vitrine.live.current()
        model = learn_version(vitrine.versions, serving.index, serving.embedder)
    if model is None:
        click.echo(
            "nothing to learn from: the version is empty, or keeps no words (`vitrine reindex`)"
        )
        return
    constants = model.constants
    click.echo(
        f"learned from {constants.products} products:"
        f" {len(model.vocabulary.words)} words, {len(model.values.by_terms)} values"
    )
    if constants.assumed:
        click.echo(f"too few products to learn from for: {', '.join(constants.assumed)}", err=True)
