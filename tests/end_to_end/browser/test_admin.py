"""The operator's page."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from ingest.jobs.models import IngestRequest, SourceReport
from ingest.jobs.schedules import ScheduledRun
from tests.end_to_end.browser.site import TOKEN


@pytest.fixture
def admin_page(window, site):
    site.jobs.__init__(site.vitrine.versions)
    window.page.goto("/admin")
    window.page.fill("#token", TOKEN)
    window.page.keyboard.press("Enter")
    expect(window.page.locator("#versions tbody tr").first).to_be_visible()
    return window


def test_a_wrong_token_is_refused_and_not_kept(window):
    window.expected += ["401"]
    window.page.goto("/admin")
    window.page.fill("#token", "a guess")
    window.page.keyboard.press("Enter")
    expect(window.page.get_by_role("alert")).to_have_text("The token is wrong.")
    assert window.page.evaluate("sessionStorage.length") == 0
    expect(window.page.locator("#admin")).to_be_hidden()


def test_the_token_is_asked_for_once_in_a_tab_and_can_be_forgotten(admin_page):
    admin_page.page.reload()
    expect(admin_page.page.locator("#versions tbody tr").first).to_be_visible()
    admin_page.page.click("#sign-out")
    expect(admin_page.page.locator("#sign-in")).to_be_visible()
    admin_page.page.reload()
    expect(admin_page.page.locator("#sign-in")).to_be_visible()


def test_versions_are_listed_published_and_deleted_after_a_question(admin_page, site):
    live = site.vitrine.versions.live().info
    spare = site.vitrine.versions.create(
        model=live.model,
        fingerprint=live.fingerprint,
        dimension=live.dimension,
        schema=live.schema,
        mapping={},
    ).info.name
    site.vitrine.versions.complete(spare)
    admin_page.page.reload()
    row = admin_page.page.locator("#versions tr", has_text=spare)
    row.get_by_role("button", name="Publish").click()
    admin_page.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert site.vitrine.versions.live().info.name == live.name
    row.get_by_role("button", name="Publish").click()
    admin_page.page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(row).to_contain_text("live")
    admin_page.page.locator("#versions tr", has_text=live.name).get_by_role(
        "button", name="Publish"
    ).click()
    admin_page.page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    expect(row).to_contain_text("ready")
    row.get_by_role("button", name="Delete").click()
    admin_page.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert [v.name for v in site.vitrine.versions.list()] == [live.name]


def test_a_reindex_is_started_watched_and_cancelled(admin_page, site):
    admin_page.page.fill("#reindex [name=source]", "products.parquet")
    admin_page.page.get_by_role("button", name="Start").click()
    row = admin_page.page.locator("#jobs tbody tr").first
    expect(row).to_contain_text("reindex")
    assert site.jobs.asked["job-1"] == ("products.parquet", None, True)
    site.jobs._jobs["job-1"] = replace(
        site.jobs.job("job-1"), state="running", done=30, total=90, rate=12.0, eta_s=5.0
    )
    expect(row).to_contain_text("30 of 90 · 12 per second · 5 s left")
    expect(row.get_by_role("progressbar")).to_have_attribute("max", "90")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_contain_text("cancelled")


def test_a_second_reindex_says_that_one_is_running(admin_page):
    admin_page.expected += ["409"]
    admin_page.page.get_by_role("button", name="Start").click()
    expect(admin_page.page.locator("#toast")).to_contain_text("Reindex started")
    admin_page.page.get_by_role("button", name="Start").click()
    expect(admin_page.page.locator("#toast")).to_contain_text("is running")


def test_failures_are_listed_with_their_reason_and_tried_again(admin_page, site):
    expect(admin_page.page.locator("#failures tbody tr")).to_have_count(3)
    expect(admin_page.page.locator("#failures")).to_contain_text("the file is incomplete")
    expect(admin_page.page.locator("#failures summary")).to_contain_text("Truncated")
    expect(admin_page.page.locator("#failures summary")).to_contain_text("3 failures")
    expect(admin_page.page.locator("#failures")).to_contain_text("Upload the picture again")
    expect(admin_page.page.locator("#warnings tbody tr")).to_contain_text("of no known family")
    expect(admin_page.page.locator("#warnings tbody tr")).to_contain_text("shop.csv, row 4")
    expect(admin_page.page.locator("#failures tbody tr").first).to_contain_text("shop.csv, row 9")
    expect(admin_page.page.locator("#failures tbody tr").first).to_contain_text("1 Jan 2026")
    admin_page.page.get_by_role("button", name="Retry all").click()
    expect(admin_page.page.locator("#jobs tbody tr").first).to_contain_text("retry")
    assert "job-1" in site.jobs.asked


def test_a_job_tells_how_long_it_ran(admin_page, site):
    admin_page.page.get_by_role("button", name="Start").click()
    expect(admin_page.page.locator("#jobs tbody tr")).to_have_count(1)
    started = site.jobs.job("job-1").created
    site.jobs._jobs["job-1"] = replace(
        site.jobs.job("job-1"), state="done", updated=started + timedelta(minutes=3)
    )
    row = admin_page.page.locator("#jobs tbody tr").first
    expect(row).to_contain_text("3 min")
    expect(row.get_by_title("Ended 1 Jan 2026, 12:03")).to_be_visible()


def test_a_job_that_no_worker_takes_says_so(admin_page):
    admin_page.page.get_by_role("button", name="Start").click()  # its clock stands in the past
    expect(admin_page.page.locator("#jobs tbody tr").first).to_contain_text(
        "No worker has picked it up yet"
    )


def test_on_a_phone_nothing_sticks_out(open_window, site):
    site.jobs.__init__(site.vitrine.versions)
    window = open_window(viewport={"width": 390, "height": 844}, is_mobile=True)
    window.page.goto("/admin")
    window.page.fill("#token", TOKEN)
    window.page.keyboard.press("Enter")
    window.page.get_by_role("button", name="Start").click()
    expect(window.page.locator("#jobs tbody tr")).to_have_count(1)
    assert window.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    inside = "e => e.getBoundingClientRect().right <= innerWidth"
    for button in window.page.locator("#admin button:visible").all():
        assert button.evaluate(inside)


EXPORT = (
    "Handle,Title,Vendor,Variant Price,Variant SKU,Image Src,Status,Published\n"
    "red-dress,Red dress,Café,49.90,RD-1,https://shop.example/red.jpg,active,true\n"
    "blue-mug,Blue mug,Acme,cheap,BM-1,https://shop.example/mug.jpg,active,true\n"
)


def test_a_catalogue_is_recognized_shown_and_ingested(admin_page, site):
    admin_page.page.fill("#catalogue-currency", "EUR")
    admin_page.page.fill("#catalogue-language", "de")
    data = EXPORT.encode("windows-1252")
    file = {"name": "products_export.csv", "mimeType": "text/csv", "buffer": data}
    admin_page.page.set_input_files("#catalogue-file", file)
    preview = admin_page.page.locator("#preview")
    expect(preview).to_contain_text("built-in mapping shopify")
    expect(preview).to_contain_text("products_export.csv: read as Windows-1252")
    rows = preview.locator("tbody tr")
    expect(rows.first).to_contain_text("Red dress")
    expect(rows.first).to_contain_text("€49.90")
    expect(rows.nth(1)).to_contain_text("would fail")
    expect(preview).to_contain_text("2 rows shown, 1 would fail.")
    preview.get_by_role("button", name="Ingest products_export.csv").click()
    expect(admin_page.page.locator("#jobs tbody tr").first).to_contain_text("reindex")
    expect(preview).to_be_hidden()
    source, model, verify = site.jobs.asked["job-1"]
    assert source.endswith("products_export.csv")
    assert (model, verify) == (None, True)
    mapping = site.jobs.mappings["job-1"]
    assert (mapping.product.currency, mapping.language) == ("EUR", "de")


def test_a_file_that_is_no_catalogue_gets_the_reason(admin_page):
    admin_page.expected += ["422"]
    file = {"name": "notes.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,2\n"}
    admin_page.page.set_input_files("#catalogue-file", file)
    expect(admin_page.page.locator("#preview [role=alert]")).to_contain_text("vitrine map")


def test_a_schedule_is_set_run_and_removed_and_tells_its_results(admin_page, site):
    form = admin_page.page.locator("#schedule-form")
    form.locator("[name=source]").fill("https://shop.example/feed.xml")
    form.locator("[name=zone]").fill("Berlin")
    admin_page.expected += ["422"]
    form.get_by_role("button", name="Save").click()
    expect(admin_page.page.locator("#toast")).to_contain_text("Europe/Berlin")
    form.locator("[name=zone]").fill("Europe/Berlin")
    form.locator("[name=mode]").select_option("sync")
    form.get_by_role("button", name="Save").click()
    row = admin_page.page.locator("#schedules tbody tr")
    expect(row).to_contain_text("03:00 Europe/Berlin")
    expect(row).to_contain_text("removes missing products")
    row.get_by_role("button", name="Run now").click()
    expect(admin_page.page.locator("#jobs tbody tr").first).to_contain_text("ingest")
    assert site.jobs.asked["job-1"].source == "https://shop.example/feed.xml"
    refused = ScheduledRun("job-1", 0.0, 75.0, 3, message="18 of 20 live products are not in it")
    site.jobs.planned["nightly"] = replace(site.jobs.planned["nightly"], runs=(refused,))
    admin_page.page.reload()
    expect(row).to_contain_text("nothing changed")
    expect(row).to_contain_text("75 s")
    expect(row).to_contain_text("18 of 20 live products")
    row.get_by_role("button", name="Remove").click()
    expect(admin_page.page.locator("#schedules")).to_contain_text("No schedules yet.")


def test_a_job_that_reads_a_source_shows_how_far_it_is(admin_page, site):
    job_id = site.jobs.ingest(IngestRequest("feed.xml"))
    report = SourceReport(done=30, unchanged=20, failed=1, left_out=4, share=0.25)
    site.jobs._jobs[job_id] = replace(
        site.jobs.job(job_id), state="running", done=30, failed_items=1, report=report, eta_s=90.0
    )
    admin_page.page.reload()
    row = admin_page.page.locator("#jobs tbody tr").first
    expect(row).to_contain_text("30 · 20 unchanged · 4 left out · 1 failed · 2 min left")
    expect(row.get_by_role("progressbar")).to_have_attribute("value", "0.25")
