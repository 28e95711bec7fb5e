"""`[shadow]` in lectr.toml: whether, and of what, a second opinion is asked."""

import msgspec

from lectr_lab.core.event import UNTAGGED
from lectr_lab.core.recommendation import is_protected
from lectr_lab.core.registry import Registry, no_provider


class ShadowSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """A candidate that is asked again what a share of requests asked, at the operator's
    cost, after the client has its reply. Without this section nothing is.

    `share` is of the requests that fit, 0 to 1. `features` and `tasks` narrow them down;
    empty is every one. `calls_per_day` is of each proxy, a day one of UTC.
    """

    model: str
    provider: str
    share: float
    features: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    calls_per_day: int = 500

    def wants(self, feature: str | None, task: str | None, event_id: bytes) -> bool:
        """This request is one of the share; which those are, its id decides.

        >>> all_faq = ShadowSettings(
        ...     model="m", provider="groq", share=1.0, features=("faq",))
        >>> all_faq.wants("faq", None, bytes(16)), all_faq.wants(None, None, bytes(16))
        (True, False)
        """
        if self.features and (feature or UNTAGGED) not in self.features:
            return False
        if is_protected(task) or (self.tasks and task not in self.tasks):
            return False  # what reasoning is worth is not in its words
        return int.from_bytes(event_id[-6:]) < self.share * 2**48

    def fault(self, providers: Registry) -> tuple[str, str] | None:
        """A field that cannot be followed, and what to write."""
        if not self.model.strip():
            return "model", "name the candidate, such as gpt-4o-mini"
        if self.provider not in providers:
            return "provider", no_provider(self.provider, providers)
        if not 0 <= self.share <= 1:
            return (
                "share",
                "write a number from 0 to 1: 0.01 is one request in a hundred",
            )
        if self.calls_per_day < 1:
            return "calls_per_day", "write a number above 0"
        return None
