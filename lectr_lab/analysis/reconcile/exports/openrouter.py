"""OpenRouter's activity: a row a day, model and endpoint, or a row a generation.

Amounts are in credits, which are dollars. What ran on a provider's key of one's own
("BYOK") is that provider's bill, and stands apart.
"""

from lectr_lab.analysis.reconcile.exports.shape import (
    Charged,
    Row,
    Said,
    Shape,
    Used,
    count,
    day_of,
    dollars,
    model_name,
    some,
)

_ACTIVITY = "built from openrouter.ai/docs (GET /api/v1/activity), as of 2026-11"
_GENERATIONS = (
    "columns as github.com's readers of the activity page's CSV name them, seen 2026-11"
)
_BYOK = (
    "${:,.6f} of it ran on providers' keys of your own: OpenRouter bills none of that, "
    "and it is no part of these amounts."
)


def _activity(rows: list[Row]) -> Said:
    used = tuple(
        Used(
            day_of(row["date"]),
            model_name(row.get("model") or row.get("model_permaslug")),
            count(row, "requests"),
            some(
                (name, count(row, key))
                for name, key in (
                    ("input_tokens", "prompt_tokens"),
                    ("output_tokens", "completion_tokens"),
                )
            ),
        )
        for row in rows
    )
    return _said(used, rows, "usage")


def _generations(rows: list[Row]) -> Said:
    used = tuple(
        Used(
            day_of(row["created_at"]),
            model_name(row["model_permaslug"]),
            1,
            some(
                (name, count(row, key))
                for name, key in (
                    ("input_tokens", "tokens_prompt"),
                    ("output_tokens", "tokens_completion"),
                    ("cache_read_tokens", "tokens_cached"),
                )
            ),
        )
        for row in rows
    )
    return _said(used, rows, "cost_total")


def _said(used: tuple[Used, ...], rows: list[Row], amount: str) -> Said:
    charged = tuple(
        Charged(one.day, one.model, dollars(row, amount))
        for one, row in zip(used, rows, strict=True)
    )
    byok = sum(dollars(row, "byok_usage_inference") for row in rows)
    return Said(used, charged, (_BYOK.format(byok),) if byok else ())


SHAPES = (
    Shape(
        "OpenRouter's activity by day",
        "openrouter",
        _ACTIVITY,
        lambda keys, _: {"usage", "date", "prompt_tokens", "requests"} <= keys,
        _activity,
    ),
    Shape(
        "OpenRouter's activity by generation",
        "openrouter",
        _GENERATIONS,
        lambda keys, _: {"generation_id", "cost_total", "tokens_prompt"} <= keys,
        _generations,
    ),
)
"""Of its pages and files, those that are known."""
