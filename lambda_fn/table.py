"""A DynamoDB table for what must be decided at once, since GitHub's list of runs lags."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from fleet_control.table_item import Item, read, written
from lambda_fn.aws import DYNAMODB, AwsApi
from lambda_fn.failure import Code, Failure
from lambda_fn.http_client import Budget
from lambda_fn.mask import shown

# It answers within ten milliseconds, or else is away; a person's deploy has begun by then.
SECONDS = 3.0
# Who would write where somebody else just did looks again.
TRIES = 5
_REFUSED = "ConditionalCheckFailedException"


def known(item: Item | None, names: Collection[str]) -> dict[str, Any]:
    """What an item has of these fields: another version's may have fewer, and others."""
    return {name: one for name, one in (item or {}).items() if name in names}


class Table:
    """One DynamoDB table, keyed by `key`, of texts and numbers.

    Every method raises TABLE_UNREACHABLE where it can't be reached, or says no. A write may have
    been done all the same.
    """

    def __init__(
        self, name: str, environ: Mapping[str, str], budget: Budget, key: str = "pk"
    ) -> None:
        self._name = name
        self._key = key
        self._environ = environ
        self._budget = budget

    def check(self) -> None:
        """Raise where it is away: a person's deploy takes nothing from it, but is told."""
        self.get("-")

    def get(self, key: str) -> Item | None:
        """What stands under this key now, if anything does."""
        found = self._ask("GetItem", Key=written({self._key: key}), ConsistentRead=True)
        return read(found["Item"]) if "Item" in found else None

    def put(self, item: Item, instead_of: Item | None) -> Item | None:
        """Write it where this stands, or nothing; what stands there else, which stays.

        Of two who would replace the same item, one does.
        """
        said: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if instead_of is not None:
            names = {f"#{number}": name for number, name in enumerate(instead_of)}
            said = {
                "ConditionExpression": " AND ".join(f"{name} = :{name[1:]}" for name in names),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": written(
                    {f":{number}": one for number, one in enumerate(instead_of.values())}
                ),
            }
        said["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        answer = self._ask("PutItem", Item=written(item), **said)
        return read(answer["Item"]) if answer.get("refused") else None

    def change(
        self, key: str, changed: Callable[[Item | None], Item | None]
    ) -> tuple[Item | None, Item | None]:
        """Write what `changed` makes of what stands under this key, or nothing where it makes
        nothing of it; what stood there before, and what stands there now.

        Who loses against another's write looks at what that wrote, and decides anew.
        """
        stands = self.get(key)
        for _ in range(TRIES):
            wanted = changed(stands)
            if wanted is None:
                return stands, stands
            lost = self.put(wanted, stands)
            if lost is None:
                return stands, wanted
            # Without fields where it was removed meanwhile.
            stands = lost or None
        why = f"The control table took none of {TRIES} writes: others wrote there meanwhile."
        raise Failure(Code.TABLE_UNREACHABLE, why, 1)

    def count(self, pk: str, expires: int, more: int) -> int:
        """Add that many to what was counted under this key, however many do at once; the sum."""
        answer = self._ask(
            "UpdateItem",
            Key=written({"pk": pk}),
            UpdateExpression="SET expires = :expires ADD asked :more",
            ExpressionAttributeValues=written({":expires": expires, ":more": more}),
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["asked"]["N"])

    def _ask(self, action: str, **said: object) -> dict[str, Any]:
        account = AwsApi(self._environ, self._budget.part(SECONDS))
        said["TableName"] = self._name
        name = "The control table"
        answer = account.ask(DYNAMODB, action, said, Code.TABLE_UNREACHABLE, name)
        try:
            body = json.loads(answer.body)
            kind = str(body.get("__type", "")).rpartition("#")[2]
        except (ValueError, AttributeError):
            body, kind = {}, ""
        if kind == _REFUSED:
            return {"Item": body.get("Item", {}), "refused": True}
        if answer.status == 200:
            return dict(body)
        why = shown(f"{kind or f'HTTP {answer.status}'} {body.get('message', '')}".strip())
        raise Failure(Code.TABLE_UNREACHABLE, f"{name} says no: {why}")
