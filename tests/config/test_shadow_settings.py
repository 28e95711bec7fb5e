"""A shadow is asked for in so many words, or not at all."""

import pytest

from lectr_lab.config.settings import Settings, read_settings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.ids import event_id

SHADOW = '[shadow]\nmodel = "m"\nprovider = "groq"\nshare = 0.5\n'


def read(tmp_path, text: str) -> Settings:
    path = tmp_path / "lectr.toml"
    path.write_text(text)
    return read_settings(path, {})


def test_it_is_off_unless_said(tmp_path):
    """And then capped, and for every feature and task."""
    assert Settings().shadow is None
    shadow = read(tmp_path, SHADOW).shadow
    assert shadow == ShadowSettings(model="m", provider="groq", share=0.5)
    assert shadow.calls_per_day == 500


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SHADOW.replace("0.5", "1.5"), "line 4: share: write a number from 0 to 1"),
        (SHADOW.replace("0.5", "-1"), "share"),
        (SHADOW.replace("0.5", "nan"), "share"),
        (SHADOW.replace('"m"', '" "'), "line 2: model: name the candidate"),
        (SHADOW + "calls_per_day = 0", "line 5: calls_per_day"),
        (
            SHADOW.replace("groq", "bedrock"),
            "line 3: provider: there is no provider 'bedrock'; the",
        ),
        (SHADOW.replace("share = 0.5", ""), "missing required field `share`"),
        (SHADOW + "model_ = 1", "there is no setting 'model_'"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path, text, said):
    """With its line."""
    with pytest.raises(ConfigError) as raised:
        read(tmp_path, text)
    assert said in str(raised.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_the_share_is_of_the_requests(share):
    """By their ids' random bits: within five standard deviations of 5,000."""
    import random

    shadow = ShadowSettings(model="m", provider="groq", share=share)
    bits = random.Random(7).getrandbits

    wanted = sum(
        shadow.wants(None, None, event_id(1_700_000_000_000, bits(74)))
        for _ in range(5_000)
    )

    assert abs(wanted - 5_000 * share) <= 5 * (5_000 * share * (1 - share)) ** 0.5


@pytest.mark.parametrize(
    ("feature", "task", "wanted"),
    [
        ("faq", "extraction", True),
        (None, "extraction", True),
        ("other", "extraction", False),
        ("faq", None, False),
        ("faq", "reasoning", False),
        ("faq", "Reasoning", False),
    ],
)
def test_features_and_tasks_narrow_it_down(feature, task, wanted):
    """`untagged` is a feature like any other; reasoning never has a shadow."""
    shadow = ShadowSettings(
        model="m",
        provider="groq",
        share=1.0,
        features=("faq", "untagged"),
        tasks=("extraction", "reasoning", "Reasoning"),
    )

    assert shadow.wants(feature, task, bytes(16)) is wanted
