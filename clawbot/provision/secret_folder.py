"""The folder `nix-secrets`: age files, and in `recipients.json` the keys they are encrypted to."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from clawbot.provision import age
from clawbot.provision.age import Identity
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import FleetSecret, identity_name

RECIPIENTS = "recipients.json"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Public keys: the operators', and each instance's."""

    operators: tuple[str, ...] = ()
    instances: Mapping[str, str] = field(default_factory=dict)

    def of(self, secret: FleetSecret) -> set[str]:
        """The keys that are to read a secret; instances that have no key yet are left out."""
        known = {self.instances[id_] for id_ in secret.instances if id_ in self.instances}
        return known | set(self.operators)


class SecretFolder:
    """The folder, read and written with one operator's identity; nothing plain is ever written."""

    def __init__(self, path: Path, operator: Identity) -> None:
        self.path = path
        self.operator = operator
        self.recipients = _read_recipients(path / RECIPIENTS)
        self._identities: dict[str, Identity | None] = {}
        self._plain: dict[str, bytes | None] = {}
        self._opened: dict[tuple[str, str], bool] = {}

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self.path.glob("*.age")))

    def read(self, name: str) -> bytes | None:
        """The encrypted file; None where there is none."""
        try:
            return (self.path / f"{name}.age").read_bytes()
        except FileNotFoundError:
            return None

    def reveal(self, name: str) -> bytes | None:
        """What the operator reads in it; None where it is missing or not for this operator."""
        if name not in self._plain:
            data = self.read(name)
            self._plain[name] = None if data is None else age.decrypt(data, self.operator)
        return self._plain[name]

    def identity(self, instance: str) -> Identity | None:
        if instance not in self._identities:
            plain = self.reveal(identity_name(instance))
            self._identities[instance] = None if plain is None else _identity(plain)
        return self._identities[instance]

    def opens(self, instance: str, name: str) -> bool:
        """Whether the instance can read the secret, by trying once."""
        if (instance, name) not in self._opened:
            key, data = self.identity(instance), self.read(name)
            able = key is not None and data is not None and age.opens(data, key)
            self._opened[instance, name] = able
        return self._opened[instance, name]

    def write(self, name: str, plain: bytes, recipients: Iterable[str]) -> None:
        self.write_together({name: plain}, recipients)

    def write_together(self, plains: Mapping[str, bytes], recipients: Iterable[str]) -> None:
        """Write several secrets, by name, to the same readers: all of them or none."""
        to = set(recipients)
        staged = {
            name: self._staged(f"{name}.age", age.encrypt(plain, to))
            for name, plain in plains.items()
        }
        for name, new in staged.items():
            self._changed(name)
            new.rename(self.path / f"{name}.age")

    def delete(self, name: str) -> None:
        self._changed(name)
        (self.path / f"{name}.age").unlink(missing_ok=True)

    def add_operator(self, recipient: str) -> None:
        operators = tuple(sorted({*self.recipients.operators, recipient}))
        self._write_recipients(replace(self.recipients, operators=operators))

    def add_identity(self, instance: str) -> None:
        """Make the instance's identity; the private half is encrypted to the operators."""
        made = age.new_identity()
        self.write(identity_name(instance), made.secret.encode(), self.recipients.operators)
        self.note_identity(instance, made)

    def note_identity(self, instance: str, known: Identity) -> None:
        """Write an instance's known identity into the list of recipients."""
        self._identities[instance] = known
        self._opened.clear()
        instances = {**self.recipients.instances, instance: known.recipient}
        self._write_recipients(replace(self.recipients, instances=instances))

    def forget(self, instance: str) -> None:
        self.delete(identity_name(instance))
        self._identities.pop(instance, None)
        self._opened.clear()
        left = {id_: one for id_, one in self.recipients.instances.items() if id_ != instance}
        self._write_recipients(replace(self.recipients, instances=left))

    def _changed(self, name: str) -> None:
        self._plain.pop(name, None)
        self._opened = {pair: able for pair, able in self._opened.items() if pair[1] != name}

    def _write_recipients(self, recipients: Recipients) -> None:
        self.recipients = recipients
        document = {
            "operators": list(recipients.operators),
            "instances": dict(sorted(recipients.instances.items())),
        }
        new = self._staged(RECIPIENTS, f"{json.dumps(document, indent=2)}\n".encode())
        new.rename(self.path / RECIPIENTS)

    def _staged(self, name: str, data: bytes) -> Path:
        """A new file with this data, to be renamed over `name`."""
        self.path.mkdir(parents=True, exist_ok=True)
        new = self.path / f".{name}.new"
        new.write_bytes(data)
        return new


def read_operator(path: Path) -> Identity:
    """The operator's own identity; ProvisionError says what to do where there is none."""
    try:
        return age.identity(path.read_text())
    except FileNotFoundError:
        raise ProvisionError(
            f"{path} is not there: it is to hold your age identity. Make one with "
            "`clawbot secrets operator`, or name yours with CLAWBOT_OPERATOR_IDENTITY."
        ) from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise ProvisionError(f"{path} can't be used: {why}.") from None


def make_operator(path: Path) -> Identity:
    """A new identity in a file that only its owner reads; the one that is there if it is."""
    if path.exists():
        return read_operator(path)
    made = age.new_identity()
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:  # noqa: PTH123  (of a descriptor)
        file.write(f"# public key: {made.recipient}\n{made.secret}\n")
    return made


def _identity(plain: bytes) -> Identity | None:
    try:
        return age.identity(plain.decode())
    except ValueError:
        return None


def _read_recipients(path: Path) -> Recipients:
    try:
        raw: Any = json.loads(path.read_bytes())
        found = Recipients(tuple(raw["operators"]), dict(raw["instances"]))
    except FileNotFoundError:
        return Recipients()
    except (ValueError, KeyError, TypeError) as error:
        raise ProvisionError(
            f'{path} must be {{"operators": [age1…], "instances": {{id: age1…}}}}.'
        ) from error
    wrong = [
        one for one in (*found.operators, *found.instances.values()) if not age.is_recipient(one)
    ]
    if wrong:
        raise ProvisionError(*(f"{path}: {_short(one)} is no age recipient." for one in wrong))
    return found


def _short(text: object) -> str:
    """The start of a text, without a private key that was pasted there."""
    return re.sub(r"(?i)(age-secret-key-1).*", r"\1…", str(text)[:40])
