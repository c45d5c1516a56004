"""`clawbot secrets take` takes what it says that it takes: from a pipe, a file, and a terminal."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from clawbot.provision.command import main
from clawbot.provision.operator_context import OperatorContext
from clawbot.provision.typed_value import LONGEST_LINE
from tests.provision.operator_shell import REGISTRY, Operator, token_name

FIRST, SECOND = REGISTRY
TOKEN, KEY = token_name("1"), "model-key"
PEM = "-----BEGIN KEY-----\nMIIEvQ==\n-----END KEY-----\n"


@pytest.fixture
def shell(operator_without_aws: Operator) -> Operator:
    one = operator_without_aws
    one.set_registry({**REGISTRY, FIRST: {**REGISTRY[FIRST], "agentSecrets": [KEY]}})
    one.does("secrets", "operator")
    return one


@pytest.mark.parametrize("name", [TOKEN, KEY])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("sk-one", "one line of 6 characters"),
        ("sk-one\n", "one line of 6 characters, without the line end after it"),
        ("sk-one\r\n", "one line of 6 characters, without the line end after it"),
        ("sk-one\n\n", "one line of 6 characters, without the line end after it"),
    ],
)
def test_of_one_line_the_line_end_is_left_out(
    shell: Operator, name: str, given: str, said: str
) -> None:
    assert shell.does("secrets", "take", name, given=given) == f"{name}: taken in, {said}.\n"
    assert shell.secrets.reveal(name) == b"sk-one"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (PEM, "3 lines of 47 characters in all, as they are"),
        (PEM.rstrip(), "3 lines of 46 characters in all, as they are"),
        (f"  {PEM}\n", "4 lines of 50 characters in all, as they are"),
        (
            PEM.replace("\n", "\r\n"),
            "3 lines of 50 characters in all, as they are, with Windows' line ends (CRLF)",
        ),
        ("a: ü\n", "one line of 4 characters, without the line end after it"),
    ],
)
def test_of_several_lines_every_byte_is_kept(shell: Operator, given: str, said: str) -> None:
    assert shell.does("secrets", "take", KEY, given=given) == f"{KEY}: taken in, {said}.\n"
    kept = given if "BEGIN" in given else given.rstrip("\n")
    assert shell.secrets.reveal(KEY) == kept.encode()


@pytest.mark.parametrize(
    ("name", "given", "sentence"),
    [
        (TOKEN, "one\ntwo\n", "must be one line of printable characters without spaces."),
        (TOKEN, "one two\n", "must be one line of printable characters without spaces."),
        (TOKEN, "naïve", "must be one line of printable characters without spaces."),
        (TOKEN, '""', "must be one line of printable characters without spaces."),
        (TOKEN, "\r\n", "must be one line of printable characters without spaces."),
        (KEY, "''\n", "must be text in UTF-8, a line or more."),
        (KEY, b"\xff\xfes\x00k\x00", "must be text in UTF-8, a line or more."),
        (TOKEN, b"\xef\xbb\xbfsk-one\n", "begins with a byte order mark: save it as UTF-8 without"),
        (KEY, b"\xef\xbb\xbfsk-one\n", "begins with a byte order mark: save it as UTF-8 without"),
    ],
)
def test_what_is_no_value_is_refused(
    shell: Operator, name: str, given: str | bytes, sentence: str
) -> None:
    ended = shell.types("secrets", "take", name, given=given)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"{name} {sentence}")
    assert shell.secrets.read(name) is None


@pytest.mark.parametrize(
    ("name", "given", "how"),
    [
        (TOKEN, '"sk-one"\n', "in quotes"),
        (KEY, '"sk-one"\n', "in quotes"),
        (KEY, "'sk-one'", "in quotes"),
        (KEY, "`sk-one`", "in quotes"),
        (KEY, "\u201csk-one\u201d", "in quotes"),
        (KEY, f"'{PEM.rstrip()}'\n", "in quotes"),
        (TOKEN, " sk-one\n", "between spaces"),
        (KEY, "sk-one\t\n", "between spaces"),
        (KEY, ' " sk-one " ', "in quotes and between spaces"),
        (TOKEN, "TOKEN=sk-one\n", "behind the name of a variable (TOKEN=)"),
        (TOKEN, 'export TOKEN="sk-one"\n',
         "behind the name of a variable (TOKEN=) and in quotes"),
    ],
)  # fmt: skip
def test_a_value_with_something_around_it_is_not_taken_from_a_pipe(
    shell: Operator, name: str, given: str, how: str
) -> None:
    ended = shell.types("secrets", "take", name, given=given)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err == (
        f"{name}: the value stands {how}; nothing was taken in. Give it without that, or type "
        f"`clawbot secrets take {name}` at a terminal, which asks.\n"
    )
    assert shell.secrets.read(name) is None


@pytest.mark.parametrize(
    "given",
    ['{"a": "b"}', '"a","b"', "abcd==", "it's", "'", "Server=a;Password='b", "session=x; y=z"],
)
def test_what_only_has_quotes_in_it_is_taken_as_it_is(shell: Operator, given: str) -> None:
    shell.does("secrets", "take", KEY, given=f"{given}\n")

    assert shell.secrets.reveal(KEY) == given.encode()


def test_the_quoted_variables_of_a_file_are_told_by_name_and_kept(shell: Operator) -> None:
    file = '# the agent\'s\nA=1\nexport FIRST="x y"\nSECOND=\'z\'\nTHIRD="a" b\n'

    said = shell.does("secrets", "take", KEY, given=file).splitlines()

    assert said[1:] == [
        "The quotes around the value of FIRST, SECOND are kept: whoever reads it takes them off."
    ]
    assert shell.secrets.reveal(KEY) == file.encode()


def test_the_line_of_a_variable_is_told_to_be_one(shell: Operator) -> None:
    said = shell.does("secrets", "take", KEY, given="MODEL_KEY='sk-one'\n").splitlines()

    assert said[1:] == [
        "It is the line of a variable (MODEL_KEY=), and kept as that.",
        "The quotes around the value of MODEL_KEY are kept: whoever reads it takes them off.",
    ]


def test_a_name_that_is_none_is_refused_before_anything_is_read(shell: Operator) -> None:
    ended = shell.types("secrets", "take", "nobodys", given="\0")

    assert "is no token and no agent's secret of the registry" in ended.err


def test_that_no_identity_is_there_is_told_before_anything_is_read(shell: Operator) -> None:
    OperatorContext(shell.checkout, shell.environ).identity_file.unlink()

    ended = shell.types("secrets", "take", TOKEN, given="\0")

    assert "is not there: it is to hold your age identity" in ended.err


def test_a_standard_input_that_is_closed_holds_nothing(shell: Operator) -> None:
    shell.monkeypatch.setattr("sys.stdin", None)

    code = main(["secrets", "--checkout", str(shell.checkout), "take", TOKEN], shell.environ)

    assert code == 1
    assert "must be one line" in shell.capsys.readouterr().err


def test_whoever_leaves_the_prompt_sees_no_trace(shell: Operator) -> None:
    ours, theirs = pty.openpty()
    # As from a terminal: a program that a shell began in the background never hears of it.
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    as_installed = f"{heard}; import sys; from clawbot.cli import main; sys.exit(main())"
    command = ["secrets", "--checkout", str(shell.checkout), "take", TOKEN]
    with subprocess.Popen(  # noqa: S603  (this interpreter and a module of ours)
        [sys.executable, "-c", as_installed, *command],
        env={**os.environ, **shell.environ},
        stdin=theirs,
        stderr=subprocess.PIPE,
    ) as program:
        assert program.stderr is not None
        prompt = f"{TOKEN} (is not shown): "
        asked = os.read(program.stderr.fileno(), len(prompt)).decode()
        program.send_signal(signal.SIGINT)
        rest = program.stderr.read().decode()
    os.close(ours)
    os.close(theirs)

    assert (program.returncode, asked, rest) == (130, prompt, "\n")


def at_a_terminal(shell: Operator, name: str, *lines: str) -> tuple[int, str]:
    """The exit code, and all that the terminal showed, where each prompt is answered by a line."""
    ours, theirs = pty.openpty()
    words = ["secrets", "--checkout", str(shell.checkout), "take", name]
    shown, left = "", list(lines)
    with os.fdopen(theirs) as typed, os.fdopen(os.dup(theirs), "w") as seen:
        for stream, of in {"stdin": typed, "stdout": seen, "stderr": seen}.items():
            shell.monkeypatch.setattr(f"sys.{stream}", of)
        with ThreadPoolExecutor(1) as program:
            ended = program.submit(main, words, shell.environ)
            while (news := select.select([ours], [], [], 0.1)[0]) or not ended.done():
                shown += os.read(ours, 65536).decode() if news else ""
                if news and left and re.search(r"[:)] $", shown):
                    os.write(ours, left.pop(0).encode())
    os.close(ours)
    return ended.result(), shown.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("name", "lines", "kept"),
    [
        (KEY, ["sk-one\n"], "sk-one"),
        (KEY, ['"sk-one"\n', "yes\n"], "sk-one"),
        (KEY, ['"sk-one"\n', "no\n"], '"sk-one"'),
        (KEY, ['"sk-one"\n', "what?\n"], None),
        (TOKEN, ['TOKEN="sk-one"\n', "y\n"], "sk-one"),
        (TOKEN, ['"sk-one"\n', "no\n"], None),
    ],
)
def test_at_a_terminal_a_doubtful_value_is_asked_about(
    shell: Operator, name: str, lines: list[str], kept: str | None
) -> None:
    code, shown = at_a_terminal(shell, name, *lines)

    assert ("Take it without that?" in shown) == (len(lines) > 1), shown
    assert "sk-one" not in shown
    assert code == (kept is None)
    assert shell.secrets.reveal(name) == (kept.encode() if kept else None)


@pytest.mark.parametrize(
    ("pasted", "sentence"),
    [
        ("sk-one\nsk-two\n", "More than one line came; nothing was taken in."),
        ("sk-one\nsk-two", "More than one line came; nothing was taken in."),
        ("s" * 5000 + "\n", "A terminal hands over 4095 characters of a line at most"),
    ],
)
def test_at_a_terminal_what_may_be_cut_is_refused_and_not_shown(
    shell: Operator, pasted: str, sentence: str
) -> None:
    code, shown = at_a_terminal(shell, KEY, pasted)

    assert LONGEST_LINE == 4095
    assert code == 1
    assert sentence in shown, shown
    assert f"Give it from a file: clawbot secrets take {KEY} < FILE" in shown
    assert "sk-" not in shown
    assert shell.secrets.read(KEY) is None
