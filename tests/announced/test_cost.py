"""What telling unasked costs, as docs/speed.md has it."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from tests.announced.three_bots import ThreeBots

PAGE = Path(__file__).parents[2] / "docs/speed.md"
AN_HOUR = 3600.0
# Bots that have just started ask for more.
AT_FIRST_SECONDS, COUNTED_SECONDS, DEPLOY_SECONDS = 120.0, 600.0, 300.0
ROWS = {
    "calls of the Control API": ("calls",),
    "reads of the control table": ("GetItem",),
    "writes of the control table": ("PutItem", "UpdateItem"),
    "queries of GitHub's GraphQL, of 5,000": ("graphql",),
}


@asynccontextmanager
async def counting(bots: ThreeBots) -> AsyncIterator[Counter[str]]:
    """What is asked from now on, by what it is; of the table by its action."""
    counts: Counter[str] = Counter()

    async def carry(request: web.Request) -> web.Response:
        counts[request.headers["X-Amz-Target"].rpartition(".")[2]] += 1
        headers = {name: request.headers[name] for name in ("X-Amz-Target", "Authorization")}
        body = await request.read()
        async with session.post(bots.aws, data=body, headers=headers) as said:
            return web.Response(status=said.status, body=await said.read())

    app = web.Application()
    app.router.add_post("/", carry)
    asked, seen = len(bots.api.asked), len(bots.api.github.asked)
    async with ClientSession() as session, TestServer(app) as server:
        bots.api.environ["AWS_ENDPOINT_URL_DYNAMODB"] = str(server.make_url("/"))
        yield counts
        bots.api.find_table()
    counts["calls"] = len(bots.api.asked) - asked
    counts["graphql"] = sum(one.path == "/graphql" for one in bots.api.github.asked[seen:])


def about(count: float) -> object:
    """As far as the page rounds; what is asked in turns falls on either side of a moment."""
    return pytest.approx(count, rel=0.1, abs=1)


def told(row: str) -> list[int]:
    """The whole numbers that the page has in this row."""
    (cells,) = re.findall(rf"^\| {re.escape(row)} \|(.+)$", PAGE.read_text(), re.MULTILINE)
    return [int(cell) for cell in re.findall(r"\d+", cells)]


async def test_what_it_costs_is_what_the_page_says(bots: ThreeBots) -> None:
    await bots.start()
    await bots.pass_time(AT_FIRST_SECONDS)
    async with counting(bots) as idle:
        await bots.pass_time(COUNTED_SECONDS)
    bots.runs.lasts["claw-4"] = DEPLOY_SECONDS
    async with counting(bots) as busy:
        await bots.agent_asks("claw-4", "1")
        await bots.pass_time(COUNTED_SECONDS)

    for row, of in ROWS.items():
        beside, both = (sum(counts[one] for one in of) for counts in (idle, busy))
        an_hour, *deploy = told(row)
        assert beside == about(an_hour * COUNTED_SECONDS / AN_HOUR), row
        assert deploy in ([], [about(both - beside)]), row
