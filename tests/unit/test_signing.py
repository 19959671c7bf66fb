"""Signatures: made with a key that is kept or given, taken by no other key and for no other use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vitrine.errors import InvalidSettings
from vitrine.settings import Settings
from vitrine.signing import Signer, load_signer


def test_a_key_is_made_once_and_kept_for_this_user_alone(tmp_path: Path):
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(8) as pool:
        signers = list(pool.map(lambda _: load_signer(settings), range(8)))
    assert len({signer.sign(b"x") for signer in signers}) == 1
    files = list((tmp_path / "data").iterdir())
    assert [file.name for file in files] == ["secret.key"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_given_holds_on_every_machine(tmp_path: Path):
    one, other = (
        load_signer(Settings(data_dir=tmp_path / name, secret_key="k" * 40)) for name in "ab"
    )
    assert one.is_signed(b"x", other.sign(b"x"))
    assert not (tmp_path / "a").exists()


def test_no_other_key_and_no_other_use_is_taken():
    signer = Signer(b"k" * 32)
    assert signer.is_signed(b"x", signer.sign(b"x"))
    assert not signer.is_signed(b"y", signer.sign(b"x"))
    assert not Signer.random().is_signed(b"x", signer.sign(b"x"))
    assert not signer.for_use("keys").is_signed(b"x", signer.for_use("cursors").sign(b"x"))


def test_a_damaged_key_is_refused_with_its_remedy(tmp_path: Path):
    (tmp_path / "secret.key").write_bytes(b"half")
    with pytest.raises(InvalidSettings, match="remove it"):
        load_signer(Settings(data_dir=tmp_path))


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 characters"):
        Settings(secret_key="short")
