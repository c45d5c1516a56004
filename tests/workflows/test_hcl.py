"""Files are read as OpenTofu reads them, or not at all."""

import pytest

from workflows.fleet_deploy.hcl import Block, Unreadable, read


def shape(block: Block) -> tuple[str, list[str], list[object]]:
    return block.header, list(block.attributes), [shape(inner) for inner in block.blocks]


def test_blocks_are_found_with_what_they_hold() -> None:
    text = """
    # a } comment {
    locals { one = 1 }
    resource "aws_instance" x {
      ami = var.a /* { */ // }
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


@pytest.mark.parametrize(
    "text",
    [
        'a = "\\""\n@',
        "a = 1 # {\n@",
        "a = 1 // {\r\n@",
        "/* {\n */ @",
        'a = "/*"\n@b = "*/"\n',
        'a = "#"\n@',
        'a = "{"\n@',
        "a = (\n1)\n@",
        'a = "$${b}"\n@',
        'x "y" {\n}\n@',
        "x { a = 1 }\n@",
    ],
)
def test_no_block_hides_behind_what_is_none(text: str) -> None:
    body = read(text.replace("@", 'provisioner "p" {\n}\n'))

    assert [block.header for block in body.blocks][-1] == "provisioner p"


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
    with pytest.raises(Unreadable, match=r"about line [123]$"):
        read(text)
