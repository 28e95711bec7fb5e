"""Settings read again."""

import msgspec

from lectr_lab.config.reread import FIXED, as_reread, in_words
from lectr_lab.config.settings import OrgSettings, Settings


def test_what_cannot_change_stays_and_is_named():
    """The rest is as it was read."""
    old = Settings(lab="/a", port=1)
    new = Settings(lab="/b", port=2, orgs={"acme": OrgSettings(requests_per_minute=1)})

    followed, waiting = as_reread(new, old)

    assert waiting == ["lab", "port"]
    assert followed == msgspec.structs.replace(new, lab="/a", port=1)


def test_every_fixed_field_is_one_of_the_settings():
    """A renamed field is not forgotten here."""
    assert set(FIXED) <= set(Settings.__struct_fields__)


def test_a_tape_is_put_in_at_a_start():
    """It is no address that one can change to."""
    followed, waiting = as_reread(Settings(upstream="tape:a"), Settings())

    assert (followed.upstream, waiting) == (None, ["upstream"])
    assert in_words([]) == "The settings are read again."
