"""Tests of one module that share a cassette. `test_strangers` runs them on two workers."""

import os

import openai
import pytest


@pytest.fixture
def lectr_config():
    """Where to record from."""
    return {"upstream": os.environ["UPSTREAM"]}


@pytest.mark.lectr("shared.yaml")
@pytest.mark.parametrize("n", range(6))
def test_shared(lectr, n):
    """Each has a request of its own."""
    with openai.OpenAI(max_retries=0) as client:
        client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": f"say {n}"}]
        )
