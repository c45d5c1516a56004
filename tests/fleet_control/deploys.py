"""One ask for a deploy, and what it comes to."""

from fleet_control.api_answer import Dispatched
from fleet_control.ledger import Entry
from tests.fleet_control.fleets import run

ENTRY = Entry("agent.claw-1.cli.1", target="claw-2", caller="claw-1")
TAKEN = {"ok": True, "message": "deploy queued for claw-2", "run": {"id": 7, "url": "https://r/7"}}
DISPATCHED = Dispatched(7, "https://r/7", "deploy queued for claw-2")
RUN = run(7, request_id=ENTRY.request_id)
FOUND = Dispatched(RUN.id, RUN.url, "deploy queued for claw-2")
