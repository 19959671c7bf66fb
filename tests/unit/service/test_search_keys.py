"""Search keys: signed, bounded in time, in rate and in what they let see."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from service.issued_keys import IssuedKey, IssuedKeys, RevokedKeys
from service.key_commands import keys
from service.rates import Rates
from service.search_keys import USE, InvalidKey, SearchKey, parse_duration, parse_rate
from tests.unit.service.conftest import TOKEN, Shop, base64_of, picture
from vitrine.signing import Signer, load_signer

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SIGNER = Signer(b"k" * 32)
KEY = SearchKey("id1", ("color=red", "price<50"), 20.0, NOW + timedelta(days=30))


def header(shop: Shop, key: SearchKey) -> dict[str, str]:
    return {"Authorization": f"Bearer {key.encode(shop.vitrine.signer.for_use(USE))}"}


def test_a_key_comes_back_as_it_went():
    assert SearchKey.decode(KEY.encode(SIGNER), SIGNER, now=NOW) == KEY
    free = SearchKey("id2")
    assert SearchKey.decode(free.encode(SIGNER), SIGNER, now=NOW) == free


def test_a_key_whose_time_is_over_is_refused():
    with pytest.raises(InvalidKey, match="expired on 2026-03-02"):
        SearchKey.decode(KEY.encode(SIGNER), SIGNER, now=NOW + timedelta(days=30))


def test_a_key_that_was_changed_or_signed_by_another_is_refused():
    text = KEY.encode(SIGNER)
    other = SearchKey("id1").encode(SIGNER)
    mixed = f"vk1.{other.split('.')[1]}.{text.split('.')[2]}"
    by_another = KEY.encode(Signer(b"x" * 32))
    for wrong in ("", "vk1", "vk1..", "vk1.é.ü", text[:-1], mixed, by_another, "vk2" + text[3:]):
        with pytest.raises(InvalidKey):
            SearchKey.decode(wrong, SIGNER, now=NOW)


@pytest.mark.parametrize(("text", "rate"), [("20/s", 20), ("120/m", 2), ("1800 / h", 0.5)])
def test_rates_are_read(text: str, rate: float):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "20", "0/s", "-1/s", "20/y", "x/s"])
def test_what_is_no_rate_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a rate"):
        parse_rate(text)


def test_time_spans_are_read():
    assert parse_duration("30d") == timedelta(days=30)
    assert parse_duration("12h") == timedelta(hours=12)
    for text in ("", "30", "0d", "x"):
        with pytest.raises(ValueError, match="is not a time span"):
            parse_duration(text)


def test_a_bucket_fills_with_time_and_is_one_of_each_caller():
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    assert [rates.wait_s("a", 2) for _ in range(5)] == [0, 0, 0, 0, 1]
    assert rates.wait_s("b", 2) == 0
    now[0] = 0.5
    assert [rates.wait_s("a", 2) for _ in range(2)] == [0, 1]
    assert Rates(processes=4, clock=lambda: now[0]).wait_s("a", 0.1) == 0


def test_callers_are_remembered_in_bounded_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("service.rates._MOST_BUCKETS", 10)
    rates = Rates()
    for number in range(100):
        rates.wait_s(str(number), 1)
    assert len(rates._buckets) == 10


def test_a_key_shows_only_what_its_filter_lets_through(shop: Shop):
    red = header(shop, SearchKey("k", ("color=red",)))
    client = shop.client
    everything = client.get("/v1/search").get_json()
    mine = client.get("/v1/search", headers=red).get_json()
    assert 0 < mine["total"] < everything["total"]
    assert {tuple(hit["product"]["color"]) for hit in mine["hits"]} == {("red",)}
    for answer in (
        client.get("/v1/search?color=blue", headers=red),
        client.post("/v1/search", json={"filter": {"color": "blue"}}, headers=red),
    ):
        assert answer.get_json()["total"] == 0
    wide = {"filter": {"or": [{"color": "blue"}, {"not": {"color": "blue"}}]}}
    assert client.post("/v1/search", json=wide, headers=red).get_json()["total"] == mine["total"]
    batch = {"searches": [{}, {"text": "blue"}]}
    answers = client.post("/v1/search/batch", json=batch, headers=red).get_json()["answers"]
    assert [each["total"] for each in answers] == [mine["total"]] * 2
    values = client.get("/v1/facets/color", headers=red).get_json()["values"]
    assert [value["value"] for value in values] == ["red"]


def test_a_key_reaches_no_single_product_beyond_its_filter(shop: Shop):
    red = header(shop, SearchKey("k", ("color=red",)))
    hits = shop.client.get("/v1/search?limit=200").get_json()["hits"]
    mine = next(hit["id"] for hit in hits if "red" in hit["product"]["color"])
    others = next(hit["id"] for hit in hits if "red" not in hit["product"]["color"])
    for path in ("", "/similar", "/image"):
        assert shop.client.get(f"/v1/products/{mine}{path}", headers=red).status_code == 200
        assert shop.client.get(f"/v1/products/{others}{path}", headers=red).status_code == 404
    body = {"image": {"base64": base64_of(picture("blue"))}, "labels": ["a"], "search": True}
    found = shop.client.post("/v1/detect", json=body, headers=red).get_json()["objects"][0]
    assert {tuple(hit["product"]["color"]) for hit in found["products"]["hits"]} == {("red",)}


def test_a_key_of_a_field_that_is_gone_sees_nothing(shop: Shop):
    gone = header(shop, SearchKey("k", ("season=summer",)))
    for path in ("/v1/search", "/v1/products/mugs/7", "/v1/facets/color"):
        assert shop.client.get(path, headers=gone).status_code == 401


def test_a_wrong_key_is_refused_even_where_none_is_required(shop: Shop):
    for text in ("vk1.x.y", "nonsense", SearchKey("k").encode(SIGNER)):
        response = shop.client.get("/v1/search", headers={"Authorization": f"Bearer {text}"})
        assert response.status_code == 401
        assert "bearer" in response.headers["WWW-Authenticate"].lower()


def test_where_a_key_is_required_nothing_but_pictures_and_probes_goes_without(open_shop):
    shop = open_shop(require_key=True)
    for path in ("/v1/search", "/v1/fields", "/v1/products/mugs/7", "/v1/facets/color"):
        assert shop.client.get(path).status_code == 401
        assert shop.client.get(path, headers=header(shop, SearchKey("k"))).status_code == 200
        admin = {"Authorization": f"Bearer {TOKEN}"}
        assert shop.client.get(path, headers=admin).status_code == 200
    for path in ("/v1/products/mugs/7/image", "/health/live", "/health/ready", "/"):
        assert shop.client.get(path).status_code == 200


def test_who_asks_too_often_is_told_when_to_come_again(open_shop):
    shop = open_shop()
    slow = header(shop, SearchKey("slow", rate=0.5))
    assert shop.client.get("/v1/fields", headers=slow).status_code == 200
    refused = shop.client.get("/v1/fields", headers=slow)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 2
    assert shop.client.get("/v1/fields").status_code == 200
    assert (
        shop.client.get("/v1/fields", headers=header(shop, SearchKey("b", rate=0.5))).status_code
        == 200
    )


def test_each_client_address_has_a_rate_of_its_own(open_shop):
    shop = open_shop(client_rate=0.5, trusted_proxies="10.0.0.9")

    def status(address: str) -> int:
        came = {"X-Forwarded-For": address}
        proxy = {"REMOTE_ADDR": "10.0.0.9"}
        return shop.client.get("/v1/fields", headers=came, environ_base=proxy).status_code

    assert [status("203.0.113.7"), status("203.0.113.7"), status("203.0.113.8")] == [200, 429, 200]
    assert shop.client.get("/health/live").status_code == 200


def test_keys_are_made_and_listed_by_command(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    from vitrine.settings import load_settings

    runner = CliRunner()
    made = runner.invoke(
        keys, ["add", "--rate", "20/s", "--expires", "30d", "--name", "storefront"]
    )
    assert made.exit_code == 0, made.output
    text = made.stdout.strip()
    key = SearchKey.decode(text, load_signer(load_settings()).for_use(USE), now=datetime.now(UTC))
    assert key.rate == 20
    listed = runner.invoke(keys, ["list"]).output
    assert re.search(rf"{key.id}\s+storefront\s+everything\s+20/s\s+until \d{{4}}-", listed)
    assert text.split(".")[2] not in (tmp_path / "search-keys.json").read_text()


def made_key(runner: CliRunner, *options: str) -> str:
    made = runner.invoke(keys, ["add", *options])
    assert made.exit_code == 0, made.output
    return made.stdout.strip()


def test_a_key_that_was_revoked_is_refused_and_the_others_are_not(
    open_shop, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("service.issued_keys._LOOK_S", 0)
    runner = CliRunner()
    first, second = made_key(runner, "--name", "old shop"), made_key(runner)
    shop = open_shop()

    def status(text: str) -> int:
        bearer = {"Authorization": f"Bearer {text}"}
        return int(shop.client.get("/v1/fields", headers=bearer).status_code)

    assert [status(first), status(second)] == [200, 200]
    listed = runner.invoke(keys, ["list"]).output
    revoked = runner.invoke(keys, ["revoke", listed.split()[0]])
    assert "(old shop) is refused from now on" in revoked.output
    assert [status(first), status(second)] == [401, 200]
    assert re.search(r"old shop .* revoked \d{4}-", runner.invoke(keys, ["list"]).output)
    whole = runner.invoke(keys, ["revoke", second])
    assert whole.exit_code == 0, whole.output
    assert [status(first), status(second)] == [401, 401]


def test_a_key_of_another_machine_is_revoked_by_its_text_or_by_the_setting(
    open_shop, tmp_path, monkeypatch: pytest.MonkeyPatch
):
    shop = open_shop(revoked_keys="one, two")
    for name, expected in (("one", 401), ("two", 401), ("three", 200), ("four", 200)):
        sent = header(shop, SearchKey(name))
        assert shop.client.get("/v1/fields", headers=sent).status_code == expected
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    runner = CliRunner()
    text = SearchKey("three", ("color=red",)).encode(shop.vitrine.signer.for_use(USE))
    assert runner.invoke(keys, ["revoke", text]).exit_code == 0
    assert re.search(r"three\s+-\s+color=red .* revoked", runner.invoke(keys, ["list"]).output)
    assert IssuedKeys(tmp_path).entries()[0].id in RevokedKeys(IssuedKeys(tmp_path))


def test_what_is_no_key_of_this_service_is_not_revoked(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    runner = CliRunner()
    unknown = runner.invoke(keys, ["revoke", "abcdef12"])
    assert unknown.exit_code == 2
    assert "no key with the id 'abcdef12' was made here" in unknown.output
    foreign = runner.invoke(keys, ["revoke", SearchKey("k").encode(SIGNER)])
    assert foreign.exit_code == 2
    assert "not one of this service's" in foreign.output
    assert runner.invoke(keys, ["list"]).output == "no keys\n"


def test_the_list_of_revoked_keys_is_read_when_it_is_another_and_looked_at_once_a_second(
    tmp_path, monkeypatch: pytest.MonkeyPatch
):
    now, reads = [0.0], []
    issued = IssuedKeys(tmp_path)
    read = issued.entries
    monkeypatch.setattr(issued, "entries", lambda: reads.append(now[0]) or read())
    revoked = RevokedKeys(issued, clock=lambda: now[0])
    assert "a" not in revoked
    IssuedKeys(tmp_path).remember(IssuedKey("a", "", [], None, "2026", None, revoked="2026"))
    assert "a" not in revoked
    for second in (1.0, 1.5, 2.0, 3.0):
        now[0] = second
        assert "a" in revoked
        assert "b" not in revoked
    assert reads == [1.0]


def test_a_damaged_list_lets_no_key_in_and_says_what_to_do(open_shop, tmp_path):
    shop = open_shop()
    (tmp_path / "search-keys.json").write_bytes(b"[{]")
    refused = shop.client.get("/v1/fields", headers=header(shop, SearchKey("k")))
    assert refused.status_code == 503
    assert "search-keys.json, is damaged" in refused.get_json()["detail"]
    assert shop.client.get("/v1/fields").status_code == 200


@pytest.mark.parametrize("arguments", [["--rate", "often"], ["--expires", "soon"]])
def test_a_wrong_option_is_named(tmp_path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(keys, ["add", *arguments])
    assert result.exit_code == 2
    assert arguments[1] in result.output


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--name", "n" * 101], "--name: has 101 characters; allowed are 100"),
        (["--name", "two\nlines"], "--name: must be printable characters in one line"),
        (["--filter", f"brand={'b' * 4000}"], "characters; allowed are 4000"),
    ],
)
def test_a_key_that_could_not_be_listed_or_would_be_refused_is_not_made(
    tmp_path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], refusal: str
):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(keys, ["add", *arguments])
    assert result.exit_code == 2
    assert refusal in result.output
    assert IssuedKeys(tmp_path).entries() == []
