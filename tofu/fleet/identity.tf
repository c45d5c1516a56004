# One role per instance: its own bootstrap prefix, every seed, and the SSM agent's own messages.
# Never AmazonSSMManagedInstanceCore: it holds ssm:GetParameter on everything, and the Lambda's
# secrets are parameters.

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

locals {
  bundles = "arn:${data.aws_partition.current.partition}:s3:::${var.bootstrap_bucket}"
  # Of tofu/control, which stays out of this root's state.
  boundary = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:policy/fleet/control/clawdinator-host"
}

resource "aws_iam_role" "instance" {
  for_each = local.registry

  name = "${each.key}-host"
  path = "/fleet/host/${each.key}/"

  permissions_boundary = local.boundary
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_instance_profile" "instance" {
  for_each = local.registry

  name = "${each.key}-host"
  path = "/fleet/host/${each.key}/"
  role = aws_iam_role.instance[each.key].name
}

resource "aws_iam_role_policy" "instance" {
  for_each = local.registry

  name   = "own-bootstrap-and-ssm-messages"
  role   = aws_iam_role.instance[each.key].id
  policy = data.aws_iam_policy_document.instance[each.key].json

  lifecycle {
    precondition {
      condition     = startswith(each.value.bootstrapPrefix, "bootstrap/")
      error_message = "${each.key}: bootstrapPrefix must begin with bootstrap/, or the host's boundary lets it read nothing."
    }
  }
}

data "aws_iam_policy_document" "instance" {
  for_each = local.registry

  statement {
    sid       = "OwnBootstrapObjects"
    resources = ["${local.bundles}/${each.value.bootstrapPrefix}/*"]
    actions   = ["s3:GetObject"]
  }

  statement {
    sid       = "Seeds"
    resources = ["${local.bundles}/seeds/*"]
    actions   = ["s3:GetObject"]
  }

  statement {
    sid       = "OwnBootstrapListing"
    resources = [local.bundles]
    actions   = ["s3:ListBucket"]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${each.value.bootstrapPrefix}/*"]
    }
  }

  statement {
    sid       = "SsmAgentMessages"
    resources = ["*"] # AWS limits the messages to no resource, and the machine is not known yet
    actions = [
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
      "ec2messages:AcknowledgeMessage",
      "ec2messages:DeleteMessage",
      "ec2messages:FailMessage",
      "ec2messages:GetEndpoint",
      "ec2messages:GetMessages",
      "ec2messages:SendReply",
    ]
  }
}
