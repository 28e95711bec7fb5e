"""Usage exports, in every form that is known."""

import json
import re
from datetime import date

import pytest

from lectr_lab.analysis.reconcile.exports.read import SHAPES, read_export, together
from lectr_lab.analysis.reconcile.exports.shape import Charged, Dimensions, Used
from lectr_lab.core.errors import ConfigError

DAY = date(2026, 11, 2)  # 1793577600 seconds since 1970
CONSOLE = (
    "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
    "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
    "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,"
    "usage_output_tokens,web_search_count\n"
    '2026-11-02,claude-x,"a, key",Default,standard,≤ 200k,100,20,30,50,7,0\n'
)


def page(result, **when):
    return {
        "object": "page",
        "data": [{"object": "bucket", **when, "results": [result]}],
    }


OPENAI = page(
    {
        "object": "organization.usage.completions.result",
        "input_tokens": 1000,
        "output_tokens": 500,
        "input_cached_tokens": 800,
        "num_model_requests": 5,
        "model": "gpt-x",
        "batch": None,
    },
    start_time=1793577600,
    end_time=1793664000,
)
ANTHROPIC = page(
    {
        "uncached_input_tokens": 100,
        "cache_creation": {
            "ephemeral_1h_input_tokens": 30,
            "ephemeral_5m_input_tokens": 20,
        },
        "cache_read_input_tokens": 50,
        "output_tokens": 7,
        "model": "claude-x",
    },
    starting_at="2026-11-02T00:00:00Z",
)
FLAT = (
    "\ufeffstart_time,model,num_model_requests,input_tokens,output_tokens,"
    "input_cached_tokens\n1793577600,gpt-x,5,1000,500,800\n"
)
WHEN = "start_time,end_time,start_time_iso,end_time_iso"
BUSY = "1793577600,1793664000,2026-11-02T00:00:00+00:00,2026-11-03T00:00:00+00:00"
IDLE = "1793664000,1793750400,2026-11-03T00:00:00+00:00,2026-11-04T00:00:00+00:00"
CLAUDE = Used(
    DAY,
    "claude-x",
    None,
    {
        "input_tokens": 200,
        "cache_read_tokens": 50,
        "cache_write_tokens": 50,
        "cache_write_1h_tokens": 30,
        "output_tokens": 7,
    },
)
GPT = Used(
    DAY,
    "gpt-x",
    5,
    {"input_tokens": 1000, "cache_read_tokens": 800, "output_tokens": 500},
)


@pytest.mark.parametrize(
    "text, provider, used",
    [
        (json.dumps(OPENAI), "openai", GPT),
        (json.dumps([OPENAI]), "openai", GPT),
        (
            FLAT,
            "openai",
            GPT,
        ),
        (json.dumps(ANTHROPIC), "anthropic", CLAUDE),
        (
            CONSOLE,
            "anthropic",
            CLAUDE._replace(dimensions=Dimensions("standard", False)),
        ),
        (json.dumps(OPENAI["data"]), "openai", GPT),
        (json.dumps(OPENAI["data"][0]), "openai", GPT),
        (f"{json.dumps(OPENAI)}\n{json.dumps({'data': []})}\n", "openai", GPT),
    ],
)
def test_usage_is_read_in_the_terms_of_the_log(tmp_path, text, provider, used):
    """All input, cached included; a day of UTC."""
    file = tmp_path / "export"
    file.write_text(text, "utf-8")

    found = read_export(file)

    assert (found.provider, found.used, found.charged) == (provider, (used,), ())


@pytest.mark.parametrize(
    "result, when, provider, charged",
    [
        (
            {"amount": {"value": 0.06, "currency": "usd"}, "line_item": "gpt-x, input"},
            {"start_time": 1793577600},
            "openai",
            Charged(DAY, "gpt-x", 0.06),
        ),
        (
            {"amount": "12.5", "currency": "USD", "model": "claude-x"},
            {"starting_at": "2026-11-02T00:00:00Z"},
            "anthropic",
            Charged(DAY, "claude-x", 0.125),
        ),
    ],
)
def test_costs_are_read_in_dollars(tmp_path, result, when, provider, charged):
    """OpenAI writes dollars, Anthropic cents."""
    file = tmp_path / "costs.json"
    file.write_text(json.dumps(page(result, **when)))

    found = read_export(file)

    assert (found.provider, found.used, found.charged) == (provider, (), (charged,))


def test_the_console_s_costs_are_dollars(tmp_path):
    """A line per model and kind of token; what is no token has no model."""
    file = tmp_path / "costs.csv"
    file.write_text(
        "usage_date_utc,model,context_window,token_type,cost_usd,cost_type\n"
        "2026-11-02,Claude Haiku 4.5,≤ 200k,output,0.03,token\n"
        "2026-11-02,,,,0.02,web_search\n",
        "utf-8",
    )

    haiku, searches = read_export(file).charged

    assert haiku == Charged(DAY, "Claude Haiku 4.5", 0.03)
    assert searches == Charged(DAY, "web_search", 0.02)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\n1,2\n",
        f"{WHEN}\n{IDLE}\n",
        "{",
        "[]",
        "{}",
        '{"data": [{"results": 3}]}',
        '{"data": [{"start_time": 1, "results": ["x"]}]}',
        json.dumps(OPENAI).replace('"gpt-x"', "null"),
        json.dumps(OPENAI).replace("1793577600", '"soon"'),
        json.dumps(OPENAI).replace("1793577600", "99999999999999999"),
        json.dumps(OPENAI).replace("1000", '"many"'),
        json.dumps(OPENAI).replace("1000", "-1000"),
        json.dumps(OPENAI).replace("1000", "1000.5"),
        json.dumps(OPENAI).replace("1000", "NaN"),
        json.dumps(OPENAI).replace("1000", "1" + 30 * "0"),
        "[" * 100_000,
        f"start_time,model,input_tokens,output_tokens\n{'x' * 200_000},m,1,1\n",
        "start_time,model,input_tokens,output_tokens\n",
        '["x"]',
        "[[]]",
        "3",
        '{"data": {"a": 3}}',
        '{"data": [{"uncached_input_tokens": 1, "model": "m"}]}',
        '{"data": [{"uncached_input_tokens": 1, "cache_creation": 3, "model": "m"}]}',
        '{"data": [{"date": "2026-11-02", "model_breakdown": [3]}]}',
        '{"data": [{"date": "2026-11-02", "model_breakdown": [{"tokens": 1}]}]}',
        "generation_id,cost_total,tokens_prompt\n1,1,1\n",
        "date,metername,metercategory\nsoon,x,Foundry Models\n",
        "sku description,cost\nGemini input token count,1\n",
    ],
)
def test_what_is_no_export_is_said(tmp_path, text):
    """A ConfigError with the file's name, never a traceback."""
    file = tmp_path / "export.txt"
    file.write_text(text)

    with pytest.raises(ConfigError, match=r"export\.txt") as said:
        read_export(file)
    assert not re.search(r"\('|Error|object is not|NoneType", str(said.value))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_what_a_spreadsheet_saved_is_read(tmp_path, mark):
    """Its marks between cells, its line ends, and its counts with a decimal."""
    file = tmp_path / "usage.csv"
    lines = ["start_time,model,input_tokens,output_tokens", "2026-11-02,m,1000.0,5"]
    file.write_bytes("\r\n".join(lines).replace(",", mark).encode("utf-8-sig"))

    [used] = read_export(file).used

    assert (used.model, used.counts) == (
        "m",
        {"input_tokens": 1000, "output_tokens": 5},
    )


@pytest.mark.parametrize(
    "text, rest",
    [
        (FLAT.strip() + "\n1793664000,,,,,\n", {"used": (GPT,)}),
        (
            json.dumps(
                {"data": [*OPENAI["data"], {"start_time": 1793664000, "results": []}]}
            ),
            {"used": (GPT,)},
        ),
        (
            f'{WHEN},amount_value,line_item\n{BUSY},0.06,"gpt-x, input"\n{IDLE},,\n',
            {"charged": (Charged(DAY, "gpt-x", 0.06),)},
        ),
    ],
)
def test_a_day_without_usage_is_one_of_the_export(tmp_path, text, rest):
    """OpenAI's dashboard writes its times alone, in usage and in costs."""
    file = tmp_path / "export"
    file.write_text(text, "utf-8")

    days = frozenset({DAY, date(2026, 11, 3)})
    found = read_export(file)
    assert (found.provider, found.days) == ("openai", days)
    assert {name: getattr(found, name) for name in rest} == rest


def test_embeddings_have_no_output(tmp_path):
    """OpenAI's usage of embeddings names none."""
    file = tmp_path / "usage.json"
    result = {"input_tokens": 7, "num_model_requests": 2, "model": "text-embedding-3"}
    file.write_text(json.dumps(page(result, start_time=1793577600)))

    [used] = read_export(file).used

    assert (used.requests, used.counts) == (2, {"input_tokens": 7})


def test_a_page_that_is_not_the_last_says_so(tmp_path):
    """Of several in one list, the last one counts."""
    file = tmp_path / "usage.json"
    more, last = OPENAI | {"has_more": True}, OPENAI | {"has_more": False}

    file.write_text(json.dumps(more))
    assert "not the last page" in read_export(file).notes[-1]
    file.write_text(json.dumps([more, last]))
    assert len(read_export(file).notes) == 1


def test_an_export_without_rows_is_said_to_have_none(tmp_path):
    """It is a known one all the same: nothing was used in its days."""
    file = tmp_path / "usage.json"
    file.write_text('{"data": [{"start_time": 1793577600, "results": []}]}')

    with pytest.raises(ConfigError, match="has no rows"):
        read_export(file)


def test_a_missing_file_is_said(tmp_path):
    """By its name."""
    with pytest.raises(ConfigError, match="nowhere"):
        read_export(tmp_path / "nowhere.csv")


def test_several_exports_are_one(tmp_path):
    """Of what they count, too; two providers' are not."""
    files = {
        "chats.json": OPENAI,
        "costs.json": page(
            {"amount": {"value": 1}, "line_item": "gpt-x, input"}, start_time=1793577600
        ),
        "claude.json": ANTHROPIC,
    }
    for name, text in files.items():
        (tmp_path / name).write_text(json.dumps(text))
    chats, costs, claude = (read_export(tmp_path / name) for name in files)

    both = together([chats, costs])

    assert (both.used, both.charged) == (chats.used, costs.charged)
    assert both.operations == chats.operations
    with pytest.raises(ConfigError, match="one after the other"):
        together([chats, claude])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_reader_says_how_its_form_is_known(shape):
    """From a real file, and where that is; or from documentation, and when."""
    assert re.search(r"seen|built from|columns", shape.seen)
    assert re.search(r"20\d\d-\d\d", shape.seen)
