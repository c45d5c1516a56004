"""age encryption, by the library pyrage: make identities, encrypt, decrypt, count recipients."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyrage  # type: ignore[import-untyped]  # it ships no types

_BEGINS = b"age-encryption.org/v1\n"
_MAC = b"\n--- "
_NOT_FOR_THIS_KEY = "No matching keys found"
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
    """Read an identity file, as age-keygen writes it; ValueError where it holds no identity."""
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
    """The plain content; None where this identity can't read the file."""
    binary = _binary(data)
    if binary is None:
        return None
    try:
        plain: bytes = pyrage.decrypt(binary, [pyrage.x25519.Identity.from_str(key.secret)])
    except pyrage.DecryptError:
        return None
    return plain


def opens(data: bytes, key: Identity) -> bool:
    """Whether this identity is one of the file's readers.

    Each stanza is asked by itself: pyrage reads a header in the square of its length, half a second
    for 300 readers. Alone under a MAC made for all of them, the stanza that is this identity's is
    told from the others by what it is refused for.
    """
    binary = _binary(data)
    if binary is None:
        return False
    own = pyrage.x25519.Identity.from_str(key.secret)
    rest = binary.partition(_MAC)[2]
    for stanza in _stanzas(binary):
        try:
            pyrage.decrypt(_BEGINS + stanza + _MAC + rest, [own])
        except pyrage.DecryptError as error:
            if _NOT_FOR_THIS_KEY in str(error):
                continue
        return True
    return False


def readers(data: bytes) -> int | None:
    """How many keys open the file; None where it is not an age file."""
    binary = _binary(data)
    return None if binary is None else len(_stanzas(binary))


def _stanzas(binary: bytes) -> list[bytes]:
    """The header's stanzas, one for each reader; random ones ("grease") are left out."""
    header = binary.partition(_MAC)[0].removeprefix(_BEGINS)
    stanzas = [b"-> " + one for one in (b"\n" + header).split(b"\n-> ")[1:]]
    return [one for one in stanzas if not one.split()[1].endswith(b"-grease")]


def _binary(data: bytes) -> bytes | None:
    armored = _ARMOR.fullmatch(data)
    if armored:
        try:
            data = base64.b64decode(armored[1])
        except binascii.Error:
            return None
    return data if data.startswith(_BEGINS) else None
