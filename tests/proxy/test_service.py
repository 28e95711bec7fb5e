"""One reading of the settings in force, and the next."""

import asyncio
import json

import pytest
from httpx import ASGITransport, AsyncClient

from lectr_lab.config.budget_settings import BudgetSettings
from lectr_lab.config.settings import OrgSettings, Settings
from lectr_lab.config.shadow_settings import ShadowSettings
from lectr_lab.core.errors import ConfigError
from lectr_lab.launch import Session, build

KEY = "lc_key_for-these-tests-only"
HEADERS = {"X-Lectr-Key": KEY, "Authorization": "Bearer sk-test"}


class Lab:
    """A proxy in this process whose settings a test changes."""

    def __init__(self, folder, **settings):
        self.settings = Settings(lab=str(folder), **settings)
        session = Session(KEY, org="acme")
        self.app = build(self.settings, session, reread=self.reread)
        self.client = AsyncClient(
            transport=ASGITransport(self.app), base_url="http://127.0.0.1"
        )

    def reread(self) -> Settings:
        if self.settings is None:
            raise ConfigError("lectr.toml, line 3: no.")
        return self.settings

    async def becomes(self, **settings) -> None:
        self.settings = Settings(lab=self.settings.lab, **settings)
        await self.app.reload.now()

    async def status(self, path="/v1/models") -> int:
        return (await self.client.get(path, headers=HEADERS)).status_code


@pytest.mark.anyio
async def test_new_settings_hold_for_the_next_request(provider, tmp_path):
    """Where requests go, what an organisation may, who may ask for pages."""
    lab = Lab(tmp_path / "lab", upstream="http://127.0.0.1:1/v1")
    async with lab.app.lifespan():
        before = await lab.status()
        one_a_minute = {"acme": OrgSettings(requests_per_minute=1)}
        await lab.becomes(upstream=provider.url, orgs=one_a_minute)
        after = [await lab.status() for _ in range(2)]
        health = (await lab.client.get("/health")).json()

    assert (before, after) == (503, [200, 429])
    assert health["settings"] == {"reloaded": 1, "failed": 0}


@pytest.mark.anyio
async def test_a_limit_counts_on(provider, tmp_path):
    """Who reads the settings again a hundred times admits no more for it."""
    one = {"acme": OrgSettings(requests_per_minute=3)}
    lab = Lab(tmp_path / "lab", upstream=provider.url, orgs=one)
    got = []
    async with lab.app.lifespan():
        for _ in range(5):
            got.append(await lab.status())
            await lab.becomes(upstream=provider.url, orgs=one)
        lower = {"acme": OrgSettings(requests_per_minute=1)}
        await lab.becomes(upstream=provider.url, orgs=lower)
        got.append(await lab.status())

    assert got == [200, 200, 200, 429, 429, 429]


@pytest.mark.anyio
async def test_settings_that_cannot_be_read_change_nothing(provider, tmp_path, capfd):
    """It is said, on stderr and at /health without a place, until a reading goes well."""
    lab = Lab(tmp_path / "lab", upstream=provider.url)
    async with lab.app.lifespan():
        kept, lab.settings = lab.settings, None
        await lab.app.reload.now()
        served = await lab.status()
        broken = (await lab.client.get("/health")).json()
        lab.settings = kept
        await lab.app.reload.now()
        well = (await lab.client.get("/health")).json()

    said = capfd.readouterr().err
    assert served == 200
    assert "lectr.toml, line 3: no.\nThe settings read before stay." in said
    assert broken["settings"]["failed"] and "read before stay" in broken["warnings"][0]
    assert well["settings"] == {"reloaded": 1, "failed": 1}
    assert well["warnings"] == []


@pytest.mark.anyio
async def test_a_request_ends_as_it_began(provider, tmp_path):
    """By the settings that it met, though others are in force by then; its event is
    written, and what served it ends after it."""
    lab = Lab(tmp_path / "lab", upstream=provider.url)
    async with lab.app.lifespan():
        going_on = asyncio.Event()
        first = lab.app._proxy.service
        send = first._engine.send

        async def slow(*call):
            await going_on.wait()
            return await send(*call)

        first._engine.send = slow
        early = asyncio.create_task(lab.status())
        while not first.in_flight:
            await asyncio.sleep(0)
        await lab.becomes(upstream="http://127.0.0.1:1/v1", http_proxy=None)
        held = first.in_flight, first in lab.app._proxy._retiring
        going_on.set()
        got = await early
        for _ in range(100):
            if not lab.app._proxy._retiring:
                break
            await asyncio.sleep(0.05)
        ended = not lab.app._proxy._retiring

    assert (held, got, ended) == ((1, True), 200, True)


@pytest.mark.anyio
async def test_a_budget_holds_from_the_reading_on_that_names_it(provider, tmp_path):
    """Refused where nothing is left; what counts goes on counting while others come and
    go, and with none of them left nothing is refused."""
    usage = {"prompt_tokens": 9, "completion_tokens": 9}
    body = json.dumps({"model": "gpt-4o-mini", "usage": usage}).encode()
    head = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    provider.reply(head % len(body) + body)
    small = BudgetSettings(usd=1e-9, per="day", action="stop")
    warns = BudgetSettings(usd=1.0, per="day")
    lab = Lab(tmp_path / "lab", upstream=provider.url, budget=(warns,))
    got = []

    async def ask() -> None:
        chat = {"model": "gpt-4o-mini", "messages": [], "max_tokens": 9}
        path = "/v1/chat/completions"
        reply = await lab.client.post(path, json=chat, headers=HEADERS)
        got.append(reply.status_code)

    async with lab.app.lifespan():
        await ask()
        for budgets in ((warns, small), (warns,), ()):
            await lab.becomes(upstream=provider.url, budget=budgets)
            await ask()
        health = (await lab.client.get("/health")).json()

    assert got == [200, 429, 200, 200]
    assert "budgets" not in health


@pytest.mark.anyio
async def test_settings_that_are_followed_in_part_are_not_followed(provider, tmp_path):
    """A shadow without a key: neither it nor the budget beside it is in force."""
    lab = Lab(tmp_path / "lab", upstream=provider.url)
    shadow = ShadowSettings(model="m", provider="groq", share=1.0)
    stops = BudgetSettings(usd=1e-9, per="day", action="stop")
    async with lab.app.lifespan():
        await lab.becomes(shadow=shadow, budget=(stops,))
        health = (await lab.client.get("/health")).json()
        served = await lab.status()

    assert health["settings"] == {"reloaded": 0, "failed": 1}
    assert "budgets" not in health and served == 200
