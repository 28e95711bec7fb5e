"""Charts of finished frames: a DataFrame in, an Altair chart out.

Nothing is aggregated here. Every chart says its finding in its title, names its marks
beside them, shows how many requests it rests on, and uses colours that colour-blind
people can tell apart (Okabe and Ito, jfly.uni-koeln.de/color, 2008).
"""

from lectr_lab.charts import late_grammar

with late_grammar.loaded_late():
    from lectr_lab.charts.cache import cache_loss_bars
    from lectr_lab.charts.compare import compare_bars
    from lectr_lab.charts.health import error_rates, latency_ranges
    from lectr_lab.charts.money import spend_bars, spend_timeline
    from lectr_lab.charts.traffic import token_bars, untagged_bars

__all__ = [
    "cache_loss_bars",
    "compare_bars",
    "error_rates",
    "latency_ranges",
    "spend_bars",
    "spend_timeline",
    "token_bars",
    "untagged_bars",
]
