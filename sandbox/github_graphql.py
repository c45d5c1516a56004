"""GitHub's GraphQL API, as far as the product asks it: a commit, and those before it."""

import json
from typing import Any

from aiohttp import web

from sandbox.repository import Repository

# Any other question must not look like one that was understood.
_KNOWN = """
query($owner: String!, $name: String!, $at: String!, $count: Int!) {
  repository(owner: $owner, name: $name) { object(expression: $at) { ... on Commit {
    history(first: $count) { nodes {
      oid messageHeadline committedDate
      parents(first: 1) { nodes { oid } }
      tree { entries { name mode oid } }
    } }
  } } }
}"""


def answered(repo: str, repository: Repository, body: Any) -> web.Response:
    """The answer to a query; a refusal has the status 200, too."""
    try:
        query, asked = body["query"], body["variables"]
        if query.split() != _KNOWN.split():
            return _refused("I don't know this question")
        if f"{asked['owner']}/{asked['name']}" != repo:
            return _refused(f"Could not resolve to a Repository with the name '{asked['name']}'.")
        commits = repository.history(asked["at"], int(asked["count"]))
    except (TypeError, LookupError, ValueError) as error:
        return _refused(f"A variable is wrong: {error!r}")
    found = {"history": {"nodes": commits}} if commits else None
    return web.json_response({"data": {"repository": {"object": found}}})


def _refused(message: str) -> web.Response:
    return web.Response(
        text=json.dumps({"data": None, "errors": [{"message": message}]}),
        content_type="application/json",
    )
