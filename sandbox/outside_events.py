"""Events outside the chat that a word in the demo brings about.

A merge, a reboot, a cut network, a spoiled seed or bundle, and the upload that mends it; and what
an operator sees of it all at a desk.
"""

import asyncio
from dataclasses import dataclass, replace

from sandbox.bucket import BootstrapBucket, SpoiledBundle
from sandbox.desk_audit import DeskAudit
from sandbox.host_rules import Rules
from sandbox.moto import set_rules, tell
from sandbox.principal import REGION
from sandbox.repository import CHANGES, DOCUMENT, REGISTRY, Repository

_SPOILED = {
    SpoiledBundle.MISSING: "gone",
    SpoiledBundle.STALE: "of no secret",
    SpoiledBundle.OTHER: "another instance's",
}
_CHANGE, _NOTE = "A change of the hosts", "A change of the documents"


@dataclass
class OutsideEvents:
    """`rules` are how hosts live in the AWS at `url`."""

    url: str
    rules: Rules
    repository: Repository
    bucket: BootstrapBucket
    audit: DeskAudit

    async def does(self, words: tuple[str, ...]) -> str:
        """Bring about the event of these words; returns what was done, empty for other words."""
        match words:
            case ("merge", "docs", *subject):
                return self._merge(" ".join(subject) or _NOTE, DOCUMENT)
            case ("merge", *subject):
                return self._merge(" ".join(subject) or _CHANGE, CHANGES)
            case ("reboot", name):
                return await self._reboot(name)
            case ("network", "off" | "on" as state):
                self.rules = replace(self.rules, offline=state == "off")
                await set_rules(self.url, self.rules)
                return f"The hosts reach {'nobody now' if state == 'off' else 'S3 again'}."
            case ("clawbot", "audit", *given) if len(given) <= 1:
                return await self.audit.tells(*given)
        return await asyncio.to_thread(self._in_the_bucket, words)

    def _in_the_bucket(self, words: tuple[str, ...]) -> str:
        match words:
            case ("spoil", "seed"):
                return self._spoil_seed()
            case ("spoil", "bundle", id_, ("missing" | "stale" | "other") as how):
                return self._spoil_bundle(id_, SpoiledBundle(how))
            case ("clawbot", "bundle", "upload", _):
                self.bucket.put_manifests(self._registry())
                return "Every bundle holds what its entry names again."
        return ""

    def _spoil_seed(self) -> str:
        newest = self.repository.revision()
        return f"{self.bucket.spoil_seed(newest)} is not what {newest[:7]} holds now."

    def _spoil_bundle(self, id_: str, how: SpoiledBundle) -> str:
        place = self.bucket.spoil_bundle(self._registry(), id_, how)
        return f"{place} is {_SPOILED[how]} now." if place else f"The registry has no {id_}."

    def _registry(self) -> bytes:
        return self.repository.read(REGISTRY, self.repository.branch) or b""

    def _merge(self, subject: str, path: str) -> str:
        commit = self.repository.merge(subject[:72], path=path)
        newest = self.repository.revision()
        brings = (
            "The next deploy is of it."
            if newest == commit
            else "It changes nothing that a host is built from: "
            f"the newest revision stays {newest[:7]}."
        )
        return f"Merged {commit[:7]}: {subject[:72]}. {brings}"

    async def _reboot(self, name: str) -> str:
        said = await tell(self.url, "reboot", {"region": REGION, "name": name})
        if not said:
            return f"No host runs for {name}."
        runs = f"runs {said['revision'][:7]}" if said["revision"] else "runs no revision"
        return f"{name} ({said['machine']}) rebooted and {runs}{_trouble(said['trouble'])}."


def _trouble(trouble: str) -> str:
    return f": {trouble}" if trouble else ""
