"""What a page saves: CSV, SVG and PNG, made in the browser."""

import csv
import io
import re
import struct
import xml.etree.ElementTree as ET

import pytest

from lectr_lab.dashboards import page

PANELS = ["time", "spend", "latency", "models", "tokens", "errors", "kinds", "sessions",
          "untagged", "page"]  # fmt: skip
HOSTILE = "</svg><script>alert(1)</script>&\"'"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def html(log):
    """Long and strange names, failures, sessions."""
    names = [
        HOSTILE,
        "onboarding-assistant-rewrite-with-a-very-long-name-v2",
        "مساعد",
        "=1+1",
    ]
    fields = [{"feature": n, "session": n, "model_actual": n} for n in names]
    return page(
        log(*fields, {"feature": None, "outcome": "timeout"}), title="Ours & theirs"
    )


def saved(tab, kind, of):
    """The bytes of one file."""
    link = tab.locator(f"[data-export={kind}][data-of={of}]")
    with tab.expect_download() as waiting:
        link.click()
    assert (
        waiting.value.suggested_filename
        == f"{'dashboard' if of == 'page' else of}.{kind}"
    )
    return waiting.value.path().read_bytes()


@pytest.mark.parametrize("width", [1200, 390])
def test_every_chart_and_the_page_are_saved_as_pictures(html, opened, width):
    """Whole: each text lies inside, and nothing in it is fetched or run."""
    for of in PANELS:
        tab = opened(html, width)  # of one page the browser saves ten files in a row
        root = ET.fromstring(saved(tab, "svg", of))

        assert root.tag == f"{SVG}svg" and not [*root.iter(f"{SVG}script")]
        wide, high = float(root.get("width")), float(root.get("height"))
        assert wide < 1500 and high > 60
        texts = [*root.iter(f"{SVG}text")]
        assert texts and "href" not in ET.tostring(root, "unicode")
        boxes = tab.evaluate("""text => {
            const at = document.createElement("div");
            at.append(new DOMParser().parseFromString(text, "image/svg+xml").documentElement);
            document.body.append(at);
            const whole = at.firstChild.getBoundingClientRect();
            const found = [...at.querySelectorAll("text")].map(one => {
                const box = one.getBoundingClientRect();
                return [box.left - whole.left, whole.right - box.right, box.top - whole.top,
                    whole.bottom - box.bottom, one.textContent];
            });
            at.remove();
            return found;
        }""", ET.tostring(root, "unicode"))  # fmt: skip
        cut = [box for box in boxes if min(box[:4]) < -1]
        assert cut == [], (of, cut)
        png = saved(tab, "png", of)
        assert png[:8] == b"\x89PNG\r\n\x1a\n"
        assert abs(struct.unpack(">I", png[16:20])[0] - 2 * wide) <= 2


def test_a_picture_has_the_colours_of_its_page(html, opened):
    """Dark on a dark page."""
    for scheme, paper in (("light", "255, 255, 255"), ("dark", "17, 20, 24")):
        root = ET.fromstring(saved(opened(html, color_scheme=scheme), "svg", "spend"))

        assert root.find(f"{SVG}rect").get("fill") == f"rgb({paper})"


def test_a_table_of_each_chart_opens_in_a_spreadsheet(html, opened):
    """Names are no formulas, and figures are numbers in full."""
    tables = {}
    for of in PANELS:
        tab = opened(html)
        text = saved(tab, "csv", of).decode("utf-8-sig")
        tables[of] = rows = [*csv.reader(io.StringIO(text))]

        assert len(rows) > 1 and len({len(row) for row in rows}) == 1
        assert not [cell for row in rows for cell in row if re.match(r"[=+@]", cell)]
    heads, *spend = tables["spend"]
    assert {row[0] for row in spend} >= {HOSTILE, "'=1+1", "untagged"}
    assert all(float(row[heads.index("spend_usd")] or 0) >= 0 for row in spend)


def test_a_picture_shows_what_is_selected(html, opened):
    """As the chart that it is of."""
    tab = opened(html)
    tab.locator("[data-panel=spend] [data-feature='=1+1']").click()

    text = saved(tab, "svg", "models").decode()

    assert "=1+1" in text and "onboarding" not in text
