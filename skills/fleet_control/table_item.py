"""An item of a DynamoDB table, of texts and numbers, as the table's API spells it.

Standard library only: the Lambda carries this file.
"""

from collections.abc import Mapping

Item = Mapping[str, str | int | float]


def written(item: Item) -> dict[str, dict[str, str]]:
    return {
        name: {"S": one} if isinstance(one, str) else {"N": str(one)} for name, one in item.items()
    }


def read(item: Mapping[str, Mapping[str, str]]) -> Item:
    return {name: one["S"] if "S" in one else _number(one["N"]) for name, one in item.items()}


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number
