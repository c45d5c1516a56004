"""age, by the library pyrage: identities, encrypting, decrypting, and how many may read a file."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyrage  # type: ignore[import-untyped]  # it ships no types

_BEGINS = b"age-encryption.org/v1\n"
_ARMOR = re.compile(
    rb"\s*-----BEGIN AGE ENCRYPTED FILE-----\s(.*)-----END AGE ENCRYPTED FILE-----\s*", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A key pair; `recipient` is the public half."""

    secret: str = field(repr=False)
    recipient: str


def new_identity() -> Identity:
    made = pyrage.x25519.Identity.generate()
    return Identity(str(made), str(made.to_public()))


def identity(text: str) -> Identity:
    """The identity in an identity file, as age-keygen writes it; ValueError where there is none."""
    lines = [line.strip() for line in text.splitlines()]
    for line in lines:
        if line.startswith("AGE-SECRET-KEY-1"):
            try:
                return Identity(line, str(pyrage.x25519.Identity.from_str(line).to_public()))
            except pyrage.IdentityError:
                break
    # Without the text, which may be half a key.
    raise ValueError("it holds no age identity (AGE-SECRET-KEY-1…)")


def is_recipient(text: str) -> bool:
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True


def encrypt(data: bytes, recipients: Iterable[str]) -> bytes:
    to = [pyrage.x25519.Recipient.from_str(one) for one in sorted(set(recipients))]
    encrypted: bytes = pyrage.encrypt(data, to)
    return encrypted


def decrypt(data: bytes, key: Identity) -> bytes | None:
    """None where this identity can't read it."""
    binary = _binary(data)
    if binary is None:
        return None
    try:
        plain: bytes = pyrage.decrypt(binary, [pyrage.x25519.Identity.from_str(key.secret)])
    except pyrage.DecryptError:
        return None
    return plain


def readers(data: bytes) -> int | None:
    """How many keys open the file; None where it is not an age file.

    A stanza may be there only to keep programs honest ("grease"); it opens nothing.
    """
    binary = _binary(data)
    if binary is None:
        return None
    header = binary.partition(b"\n--- ")[0].splitlines()
    kinds = [line[3:].split(b" ")[0] for line in header if line.startswith(b"-> ")]
    return sum(not kind.endswith(b"-grease") for kind in kinds)


def _binary(data: bytes) -> bytes | None:
    armored = _ARMOR.fullmatch(data)
    if armored:
        try:
            data = base64.b64decode(armored[1])
        except binascii.Error:
            return None
    return data if data.startswith(_BEGINS) else None
