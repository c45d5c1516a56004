# What the Control API must decide at once, whatever GitHub lists yet. It is no ledger: lost, it costs
# a wait, never a deploy (docs/adr/0020).

resource "aws_dynamodb_table" "control" {
  name         = "clawdinator-control"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  # Days late, at times: whoever reads an item compares the times in it.
  ttl {
    attribute_name = "expires"
    enabled        = true
  }
}
