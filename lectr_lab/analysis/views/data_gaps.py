"""How much of the log can be relied on, and what to mend."""

import json
import re
from fnmatch import fnmatchcase
from glob import escape

import polars as pl

from lectr_lab.analysis.given_log import Log, opened
from lectr_lab.analysis.log import AnyLog
from lectr_lab.analysis.views import rows
from lectr_lab.analysis.views.groups import grouped, key_names
from lectr_lab.analysis.views.rows import ROWS, Each
from lectr_lab.core import formatting

MUCH_UNTAGGED = 0.10
"""Above this share of requests or spend, every view says what to add where."""

_LETTERS = 200
_CODE = re.compile(r"<U\+([0-9A-F]{4,6})>")  # as `visible` writes what cannot be seen
_NAMED = 5  # models or features that a sentence names; the views have all


def untagged_measures(each: Each = ROWS) -> list[pl.Expr]:
    """Requests and spend that named no feature, and their shares."""
    requests, spend_usd = each.number(rows.is_request()), each.usd("cost_usd")
    without, cost = each.number(rows.untagged()), each.pusd("cost_usd")
    without_usd = each.usd(cost.filter(pl.col("feature").is_null()))
    return [
        without.alias("untagged_requests"),
        pl.when(requests > 0).then(without / requests).alias("untagged_of_requests"),
        without_usd.alias("untagged_spend_usd"),
        pl.when(spend_usd > 0).then(without_usd / spend_usd).alias("untagged_of_spend"),
    ]


def unpriced_models(log: Log, *, org: str | None = None) -> pl.LazyFrame:
    """The models that have tokens but no price, most used first.

    Not those whose price is known, but not that of a part, or whose counts contradict
    each other.

    Returns:
        `org`, `provider`, `model`, then `requests`, `input_tokens`, `output_tokens`.

    >>> import lectr_lab as lectr
    >>> import polars as pl
    >>> ours = {"model_actual": pl.lit("our-llm"), "cost_usd": None, "price_source": None}
    >>> log = lectr.demo_log().with_columns(**ours)
    >>> lectr.table(lectr.unpriced_models(log).head(2))
    provider  model    requests  input tokens  output tokens
    openai    our-llm     8,509    12,659,239      2,524,643
    groq      our-llm     4,512    11,503,592         83,663
    In every row: org made-up-data.
    """

    def measures(each: Each) -> list[pl.Expr]:
        tokens = pl.col("input_tokens", "output_tokens").cast(pl.Int64).sum()
        return [each.number().alias("requests"), tokens]

    by = ["provider", "model"]
    keys = key_names(by, org=org)
    unlisted = rows.unpriced() & pl.col("price_source").is_null()
    found = grouped(
        opened(log), measures, by=by, org=org, missing=False, where=unlisted
    )
    return found.sort("requests", *keys, descending=[True, *[False] * len(keys)])


def streams_without_usage(log: AnyLog, *, org: str | None = None) -> pl.LazyFrame:
    """The features whose streams do not report their tokens, most requests first.

    Only chat and completions: other APIs report without being asked. `USAGE_ADVICE`
    is the line that mends it.

    Returns:
        `org`, `feature`, `provider`, then `requests` (such streams, answered).
    """
    silent = (
        rows.is_request()
        & pl.col("stream")
        & ~pl.col("include_usage").fill_null(False)
        & pl.col("operation").is_in(["chat", "completions"])
        & (pl.col("token_source") != "provider")
        & (pl.col("outcome") == "ok")
    )
    by = ["feature", "provider"]
    keys = key_names(by, org=org)
    found = grouped(log, _requests, by=by, org=org, where=silent)
    return found.sort("requests", *keys, descending=[True, *[False] * len(keys)])


def _requests(each: Each) -> list[pl.Expr]:
    return [each.number().alias("requests")]


def price_advice(unpriced: pl.DataFrame, file: str = "prices.toml") -> str:
    """What to write where, for models without a price; takes `unpriced_models`, collected
    and not empty.

    >>> row = {"provider": ["azure"], "model": ["our-own"], "requests": [3]}
    >>> print(price_advice(pl.DataFrame(row)))
    Without a price: our-own of azure (3). Write into prices.toml, for each of them:
    [[price]]
    model = "our-own"
    input_usd_per_mtok = …
    output_usd_per_mtok = …
    """
    models = [
        f"{formatting.name(row['model'])} of {formatting.name(row['provider'])} "
        f"({formatting.count(row['requests'])})"
        for row in unpriced.head(_NAMED).iter_rows(named=True)
    ]
    more = unpriced.height - len(models)
    others = f" and {formatting.count(more)} more" if more else ""
    return (
        f"Without a price: {', '.join(models)}{others}. Write into {file}, for each of "
        f"them:\n[[price]]\nmodel = {price_pattern(unpriced['model'][0])}\n"
        "input_usd_per_mtok = …\noutput_usd_per_mtok = …"
    )


def price_pattern(model: str | None) -> str:
    """What stands for a model, or for none, in an entry of prices.toml.

    >>> print(price_pattern("our-own[1]"), price_pattern("zero\\u200bwidth"))
    "our-own[[]1]" "zero\\U0000200Bwidth"
    """
    given = (model or "*")[:_LETTERS]
    pattern = given if fnmatchcase(given, given) else escape(given)
    rest = "*" if model and len(model) > _LETTERS else ""
    text = json.dumps(formatting.visible(pattern) + rest, ensure_ascii=False)
    return _CODE.sub(lambda code: f"\\U{code[1]:0>8}", text)


CONTRADICTING = (
    "Not priced, for a part has no price of its own (say, a search, or sound), or "
    "counts contradict each other (say, more cached than input)"
)
"""Of requests whose model has a price."""


def streams_advice(silent: pl.DataFrame) -> str:
    """The line that mends streams without usage; takes `streams_without_usage`.

    >>> row = {"feature": ["chat"], "requests": [3]}
    >>> print(streams_advice(pl.DataFrame(row)))
    3 streams did not report their tokens: chat. Add to the call: stream_options={"include_usage": True}
    """
    features = list(dict.fromkeys(map(formatting.name, silent["feature"])))
    others = len(features) - _NAMED
    more = f" and {formatting.count(others)} more" if others > 0 else ""
    return (
        f"{formatting.count(int(silent['requests'].sum()))} streams did not report their "
        f"tokens: {', '.join(features[:_NAMED])}{more}. "
        f"Add to the call: {USAGE_ADVICE}"
    )


USAGE_ADVICE = 'stream_options={"include_usage": True}'
"""What a call that streams must say for its tokens to be counted."""


def untagged_advice(
    untagged_of_requests: float | None, untagged_of_spend: float | None
) -> str | None:
    """What to add where, when much of the traffic names no feature; else None.

    >>> untagged_advice(0.02, None)
    >>> untagged_advice(0.38, 0.21)[:59]
    '38 % of requests and 21 % of spend name no feature. Add the'
    """
    shares = [
        f"{share:.0%} of {of}".replace("%", " %")
        for share, of in (
            (untagged_of_requests, "requests"),
            (untagged_of_spend, "spend"),
        )
        if share is not None
    ]
    most = max(untagged_of_requests or 0.0, untagged_of_spend or 0.0)
    if most <= MUCH_UNTAGGED:
        return None
    return (
        f"{' and '.join(shares)} name no feature. Add the header X-Lectr-Feature where "
        'the call is made: extra_headers={"X-Lectr-Feature": "search"} in an OpenAI or '
        "Anthropic SDK, once per feature of your product."
    )
