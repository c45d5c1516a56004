"""Asks a bot's target itself how it is, where EC2's word for its health would refuse the deploy.

A host whose services keep dying is healthy to EC2. Where SSM can't carry the question, which is not
the host's fault, EC2's word counts.
"""

import logging
from dataclasses import dataclass, field

from fleet_control.caller import Caller
from fleet_control.host_answer import HostAnswer
from fleet_control.policy import Allowed, Condition, Facts, Refused, judge
from workflows.fleet_deploy import health, health_report, roll
from workflows.fleet_deploy.cloud import FleetView
from workflows.fleet_deploy.health import HostUnasked, Polling
from workflows.fleet_deploy.health_report import ReportError, Wanted
from workflows.fleet_deploy.job import JobContext
from workflows.fleet_deploy.stopped import Stopped

# Beyond the steady time: a unit that somebody restarted just now gets as far as that.
PATIENCE_SECONDS = 60.0

log = logging.getLogger(__name__)


# What a machine answered, None where it could not be asked; and why it could not.
_Heard = tuple[HostAnswer | None, str]


@dataclass(slots=True)
class TargetHealth:
    """Asks each machine once for a whole run."""

    job: JobContext
    _heard: dict[str, _Heard] = field(default_factory=dict)

    def asked(self, caller: Caller, facts: Facts, view: FleetView) -> tuple[Facts, str]:
        """The same facts, in which the target is as it says where that decides; and what a refusal
        adds of that."""
        entry = self.job.asked
        in_doubt = facts._replace(asked_later=True)
        verdict = judge(caller, entry.target, entry.image_or_commit, in_doubt)
        if isinstance(verdict, Refused):  # whatever the target would say
            return in_doubt, ""
        host = roll.host_of(entry.target, view.there)
        if not (isinstance(verdict, Allowed) and verdict.doubt and host):
            return facts, ""
        if host.id not in self._heard:
            self._heard[host.id] = self._ask(entry.target, host.id)
        answer, unasked = self._heard[host.id]
        if answer is None:
            return facts, f" That is EC2's word, for it could not be asked itself: {unasked}"
        if answer.well:
            return facts, " It says so itself."
        ill = {**(facts.conditions or {}), entry.target: Condition.UNHEALTHY}
        return facts._replace(conditions=ill), ""

    def _ask(self, id_: str, machine: str) -> _Heard:
        job, unasked = self.job, ""
        answer: HostAnswer | None = None

        def look() -> str:
            nonlocal answer, unasked
            try:
                report = job.hosts.ask(machine)
                trouble = health_report.missing(report, Wanted(id_, "", job.pace.steady))
            except HostUnasked as error:
                unasked = str(error)
                return unasked
            except ReportError as error:
                trouble = str(error).removesuffix(".")
            answer, unasked = HostAnswer(not trouble, job.clock.now(), trouble), ""
            return trouble

        patience = job.pace.steady + PATIENCE_SECONDS
        try:
            health.wait(look, Polling(min(job.pace.deadline, patience), job.pace.poll), job.clock)
        except Stopped as stop:
            unasked = str(stop)
        if answer:
            log.info("fleet.asked_itself instance=%s machine=%s %s", id_, machine, answer)
            health.note(job.cloud.ec2, machine, answer)
        return answer, unasked
