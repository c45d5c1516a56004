"""Files are read as OpenTofu reads them, or not at all."""

import pytest

from workflows.fleet_deploy.hcl import BadHcl, Block, read


def shape(block: Block) -> tuple[str, list[str], list[object]]:
    return block.header, list(block.attributes), [shape(inner) for inner in block.blocks]


def test_blocks_are_found_with_what_they_hold() -> None:
    text = """
    # a } comment {
    locals { one = 1 }
    resource "aws_instance" x {
      ami = var.a # { }
      tags = { a = "b", c = [1, 2] }
      lifecycle {
        ignore_changes = [
          ami, # ]
        ]
      }
    }
    """

    assert shape(read(text)) == (
        "",
        [],
        [
            ("locals", ["one"], []),
            ("resource aws_instance x", ["ami", "tags"], [("lifecycle", ["ignore_changes"], [])]),
        ],
    )


def test_an_attributes_tokens_are_kept() -> None:
    body = read('aws = {\n  source  = "hashicorp/aws"\n}\nb = "${path.module}/x"\n')

    assert body.attributes == {
        "aws": ("{", "source", "=", '"hashicorp/aws"', "}"),
        "b": ('"${path.module}/x"',),
    }


READ = (
    'a = "\\""\n@',
    "a = 1 # {\n@",
    "a = 1 # */ {\n@",
    'a = "/*"\n@b = "*/"\n',
    'a = "#"\n@',
    'a = "{"\n@',
    "a = (\n1)\n@",
    'a = "${b.c}$"\n@',
    'a = "\\\\"\n@',
    'a = "//"\n@',
    'x "y" {\n}\n@',
    "x { a = 1 }\n@",
)


@pytest.mark.parametrize("text", READ)
def test_no_block_hides_behind_what_is_none(text: str) -> None:
    body = read(text.replace("@", 'provisioner "p" {\n}\n'))

    assert [block.header for block in body.blocks][-1] == "provisioner p"


# Each followed by a block; some hide it from a careless reader, some from OpenTofu.
DISPUTED = (
    'a = "${ /* }" /*/ 1 }"\n@# */\n',
    'a = "${ /* }" /*/ 1 }"\n@b {\n# */\n}\n',
    'a = "${ # }"\n1 }"\n@',
    'a = "${ // }"\n1 }"\n@',
    'a = "${1 /* x */}"\n@',
    'a = "%{ if true /* }" /*/ }b%{ endif }"\n@# */\n',
    'a = "%{ if true }b%{ endif }"\n@',
    'a = "$${ /* }" /*/ 1 }"\n@# */\n',
    'a = "$$${ /* }" /*/ 1 }"\n@# */\n',
    'a = "$${b}"\n@',
    'a = "%%{ /* }" /*/ 1 }"\n@# */\n',
    'a = "$%{ /* }" /*/ 1 }"\n@# */\n',
    'a = "\\${ /* }" /*/ 1 }"\n@# */\n',
    'a = "$\\"\n@b = "$\\"\n',
    'a = "%\\"\n@b = "%\\"\n',
    'a = ["$\\", "/*"]\n@# */]\n',
    'a = ["%\\", "/*"]\n@# */]\n',
    'a = "${~ b ~}"\n@',
    'a = "${"${"c"}"}"\n@',
    'a = "${<<E\n}"\nE\n}"\n@',
    "a = <<E\n@E\n",
    "a = <<-E\n@  E\n",
    "a = 1 /* {\n@*/\n",
    "a = 1 // {\n@",
    "# x\r@",
    "# x\u2028@",
    "# x\u0085@",
    "# x\x0b@",
    "# x\x0c@",
    "a = 1\r\n@",
    'a = "b\r"\n@',
    "\ufeff@",
    "# x\x00\n@",
    "a = 1 # é\n@",
)


@pytest.mark.parametrize("text", DISPUTED)
def test_what_two_readers_could_read_differently_is_not_read(text: str) -> None:
    with pytest.raises(BadHcl):
        read(text.replace("@", 'provisioner "p" {\n}\n'))


@pytest.mark.parametrize("character", ["/", "#", " ", '"', "{", "~", "(", "[", "*", "\\", "\n"])
def test_a_template_holds_a_reference_alone(character: str) -> None:
    assert read('a = "${path.module}-${each.value.x_1}"\n').attributes
    with pytest.raises(BadHcl):
        read(f'a = "${{b{character}c}}"\n')


@pytest.mark.parametrize(
    "text",
    [
        "a = <<EOT\nx\nEOT\n",
        "a = <<-EOT\nx\nEOT\n",
        'a = "${b["c"]}"\n',
        'a = "${"}"}"\n',
        'a = "%{ if b }}"\n"',
        'a = "${{}}"\n',
        "a = 1 /* never ends\nprovisioner x {\n}",
        'a = "never ends\n',
        "a = 1\na = 2\n",
        "a = [1\n",
        "a = (1]]\n",
        "x {\n",
        "}\n",
        "x\n",
        '"a" = 1\n',
        "x 1 {\n}\n",
        'x "a b" {\n}\n',
        "é = 1\n",
        "\ufeffa = 1\n",
        "a = 1\x00\n",
        "a = 1\rb = 2\n",
        "a = b; c = d\n",
        "a = `b`\n",
        "1 = a\n",
    ],
)
def test_what_is_not_known_for_sure_is_not_read(text: str) -> None:
    with pytest.raises(BadHcl, match=r"about line [123]$"):
        read(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [("1" * 50, "'1{20}' where a name should be"), ("@" * 50, "'@{20}', about line 1")],
)
def test_of_what_can_not_be_read_twenty_characters_are_told(text: str, said: str) -> None:
    with pytest.raises(BadHcl, match=said):
        read(text)
