"""What a recommendation says."""

import msgspec

from lectr_lab.core.recommendation import Evidence, Interval, Recommendation


def test_a_recommendation_survives_json():
    """With its evidence: it can be kept beside the log and read again."""
    evidence = Evidence(
        measure="label",
        against="labels",
        pairs=40,
        score_from=0.9,
        score_to=0.9,
        difference=0.0,
        interval=Interval(-0.04, 0.04, 0.95),
        margin=0.05,
        verdict="adopt",
    )
    said = Recommendation(
        org="me",
        feature=None,
        task="classification",
        provider="openai",
        from_model="gpt-4o",
        to_model="gpt-4o-mini",
        confidence="high",
        reasons=("short answers",),
        requests=10,
        days=8,
        spend_usd=1.0,
        evidence=evidence,
    )

    again = msgspec.json.decode(msgspec.json.encode(said), type=Recommendation)

    assert again == said
