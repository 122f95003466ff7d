"""What all tests here get: a sleep takes a thousandth of its time."""

from __future__ import annotations

import asyncio
import time

import pytest


@pytest.fixture(autouse=True)
def _short_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten sleeps, as programs under test make their own clients, and wait between polls."""
    sleep, sleep_on_asyncio = time.sleep, asyncio.sleep

    def short_sleep(seconds: float) -> None:
        sleep(seconds / 1000)

    async def short_sleep_on_asyncio(seconds: float) -> None:
        await sleep_on_asyncio(seconds / 1000)

    monkeypatch.setattr(time, "sleep", short_sleep)
    monkeypatch.setattr(asyncio, "sleep", short_sleep_on_asyncio)
