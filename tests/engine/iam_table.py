"""Who may do what: the policies that were created, and the page that their answers make."""

import json
from itertools import islice
from typing import Any

from tests.engine.evaluator import EvaluatedPrincipal, IamRequest, allowed
from tests.engine.iam_questions import DEPLOY_ROLE, IMAGE_ROLE, questions
from tests.engine.iam_tokens import tokens
from tests.engine.site import TWO, EngineSite

COLUMNS = ("agent key", "chat key", "host", "Lambda", "deploy run", "image build", "VM Import")
_TOKEN = "token.actions.githubusercontent.com"


class Policies:
    """What the roots created, read back."""

    def __init__(self, site: EngineSite) -> None:
        self._iam = site.client("iam")
        kms = site.client("kms")
        self.keys = {
            alias["AliasName"].rpartition("-")[2]: IamRequest(
                action="",
                resource=f"{alias['AliasArn'].rpartition(':')[0]}:key/{alias['TargetKeyId']}",
                # A key's own policy decides whether IAM's counts.
                trust=_parsed(
                    kms.get_key_policy(KeyId=alias["TargetKeyId"], PolicyName="default")["Policy"]
                ),
            )
            for alias in kms.list_aliases()["Aliases"]
            if alias["AliasName"].startswith("alias/clawdinator-tofu-")
        }
        kms.close()

    def close(self) -> None:
        self._iam.close()

    def columns(self) -> list[EvaluatedPrincipal]:
        return [
            self._user(f"{TWO}-agent"),
            self._user(f"{TWO}-chat"),
            self._of_role(f"{TWO}-host"),
            self._of_role("clawdinator-control-api"),
            self._of_role("fleet-deploy"),
            self._of_role("image-build"),
            self._of_role("vmimport"),
        ]

    def trust(self, role: str) -> Any:
        """Of the role with this ARN."""
        name = role.rpartition("/")[2]
        return _parsed(self._iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"])

    def provider(self) -> str:
        (provider,) = self._iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        return str(provider["Arn"])

    def _user(self, name: str) -> EvaluatedPrincipal:
        assert not self._iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
        names = self._iam.list_user_policies(UserName=name)["PolicyNames"]
        documents = [
            _parsed(self._iam.get_user_policy(UserName=name, PolicyName=one)["PolicyDocument"])
            for one in names
        ]
        return EvaluatedPrincipal(self._iam.get_user(UserName=name)["User"]["Arn"], documents)

    def _of_role(self, name: str) -> EvaluatedPrincipal:
        assert not self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        names = self._iam.list_role_policies(RoleName=name)["PolicyNames"]
        documents = [
            _parsed(self._iam.get_role_policy(RoleName=name, PolicyName=one)["PolicyDocument"])
            for one in names
        ]
        role = self._iam.get_role(RoleName=name)["Role"]
        arn = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", "")
        return EvaluatedPrincipal(role["Arn"], documents, self._boundary(arn) if arn else None)

    def _boundary(self, arn: str) -> Any:
        version = self._iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        answer = self._iam.get_policy_version(PolicyArn=arn, VersionId=version)
        return _parsed(answer["PolicyVersion"]["Document"])


def _parsed(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


_HEAD = f"""# Who may do what in AWS

This page is a test. `make test-engine` applies `tofu/` to an empty account, reads the policies back
and asks an evaluator of AWS's rules each question below; a page that says otherwise fails it.

One column for each principal: the two keys that lie on the host of `{TWO}` (its agent's and
its bot's), that host's instance profile, the Lambda's role, the deploy role and the image role as
their runs hold them, and the role that EC2 imports an uploaded disk with. What takes several
requests, such as a launch, says yes where every one of them is allowed.

"""
# Each role that a GitHub token may take: its name here, its workflow, its environment.
_TAKEN = {
    DEPLOY_ROLE: ("deploy role", "fleet-deploy.yml", "fleet"),
    IMAGE_ROLE: ("image role", "image-build.yml", "image"),
}


def page(policies: Policies) -> str:
    rows = questions(policies.keys)
    columns = policies.columns()
    asked = [(who, one) for _, requests in rows for who in columns for one in requests]
    answers = iter(allowed(asked))
    lines = ["| may it … | " + " | ".join(COLUMNS) + " |", "| --- |" + " :-: |" * len(COLUMNS)]
    for text, requests in rows:
        cells = [all(list(islice(answers, len(requests)))) for _ in columns]
        lines.append(f"| {text} | " + " | ".join(_mark(cell) for cell in cells) + " |")
    trusted = "".join(_trusted(policies, role) for role in _TAKEN)
    return _HEAD + "\n".join(lines) + "\n" + trusted


def _trusted(policies: Policies, role: str) -> str:
    name, workflow, environment = _TAKEN[role]
    who, trust = EvaluatedPrincipal(policies.provider()), policies.trust(role)
    claimed = tokens(workflow, environment)
    asked = [
        (
            who,
            IamRequest(
                "sts:AssumeRoleWithWebIdentity",
                role,
                {f"{_TOKEN}:{key}": one for key, one in claims.items()},
                trust,
            ),
        )
        for _, claims in claimed
    ]
    rows = zip((text for text, _ in claimed), allowed(asked), strict=True)
    lines = ["| a token of … | |", "| --- | :-: |", *(f"| {t} | {_mark(ok)} |" for t, ok in rows)]
    return f"\n## Whose GitHub token may take the {name}\n\n" + "\n".join(lines) + "\n"


def _mark(answer: bool) -> str:
    return "yes" if answer else "·"
