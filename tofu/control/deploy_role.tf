# The role a deploy's run assumes (github.tf says whose).

locals {
  instances    = "${local.ec2}:instance/*"
  volumes      = "${local.ec2}:volume/*"
  interfaces   = "${local.ec2}:network-interface/*"
  vpcs         = "${local.ec2}:vpc/*"
  subnets      = "${local.ec2}:subnet/*"
  groups       = "${local.ec2}:security-group/*"
  gateways     = "${local.ec2}:internet-gateway/*"
  routes       = "${local.ec2}:route-table/*"
  network      = [local.vpcs, local.subnets, local.groups, local.gateways, local.routes]
  host_roles   = "arn:${local.partition}:iam::${local.account}:role/fleet/host/*"
  host_profile = "arn:${local.partition}:iam::${local.account}:instance-profile/fleet/host/*"
  seeds        = "${aws_s3_bucket.bootstrap.arn}/seeds/*"
  state_object = "arn:${local.partition}:s3:::${var.state_bucket}/fleet.tfstate"
  state_lock   = "${var.state_bucket}/fleet.tfstate"
  lock_table   = "arn:${local.partition}:dynamodb:${var.region}:${local.account}:table/${var.lock_table}"
}

resource "aws_iam_role" "deploy" {
  name                 = "fleet-deploy"
  path                 = "/fleet/control/"
  max_session_duration = 3600
  assume_role_policy   = local.trust["deploy"]
}

resource "aws_iam_role_policy" "deploy" {
  name   = "replace-hosts-of-the-fleet"
  role   = aws_iam_role.deploy.id
  policy = data.aws_iam_policy_document.deploy.json
}

data "aws_kms_alias" "fleet_state" {
  name = "alias/clawdinator-tofu-fleet"
}

data "aws_iam_policy_document" "deploy" {
  statement {
    sid       = "Look"
    resources = ["*"] # AWS limits none of these to a resource
    actions = [
      "ec2:DescribeImages",
      "ec2:DescribeInstanceCreditSpecifications",
      "ec2:DescribeInstanceStatus",
      "ec2:DescribeInstanceTypeOfferings",
      "ec2:DescribeInstanceTypes",
      "ec2:DescribeInstances",
      "ec2:DescribeInternetGateways",
      "ec2:DescribeNetworkAcls",
      "ec2:DescribeRouteTables",
      "ec2:DescribeSecurityGroups",
      "ec2:DescribeSubnets",
      "ec2:DescribeTags",
      "ec2:DescribeVolumes",
      "ec2:DescribeVpcs",
      "servicequotas:GetServiceQuota",
      "ssm:GetCommandInvocation",
    ]
  }

  # A launch asks for all that it is made of. What is not here (a key pair, another disk's snapshot, a
  # launch template) no host has.
  statement {
    sid       = "LaunchFromPublishedImages"
    resources = [local.images]
    actions   = ["ec2:RunInstances"]
    condition {
      test     = "StringEquals"
      variable = "ec2:Owner"
      values   = [local.account]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/clawdinator"
      values   = ["true"]
    }
  }

  statement {
    sid       = "LaunchInTheFleetsNetwork"
    resources = [local.subnets, local.groups]
    actions   = ["ec2:RunInstances"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/app"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "LaunchWithItsDisksAndInterfaces"
    resources = [local.volumes, local.interfaces]
    actions   = ["ec2:RunInstances"]
  }

  # An interface may lie in any subnet and any group. One that is made with the host has no id yet
  # when it is asked for, and EC2 asks for it as `network-interface/*`.
  statement {
    sid       = "LaunchOnNoInterfaceThatExists"
    effect    = "Deny"
    resources = ["${local.ec2}:network-interface/eni-*"]
    actions   = ["ec2:RunInstances"]
  }

  statement {
    sid       = "LaunchHosts"
    resources = [local.instances]
    actions   = ["ec2:RunInstances"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/app"
      values   = ["clawdinator"]
    }
  }

  # Only while it is being made: whoever could tag any machine could make it one of the fleet.
  statement {
    sid       = "TagWhatIsMade"
    resources = concat([local.instances, local.volumes, local.interfaces], local.network)
    actions   = ["ec2:CreateTags"]
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values = [
        "RunInstances",
        "CreateVpc",
        "CreateSubnet",
        "CreateInternetGateway",
        "CreateRouteTable",
        "CreateSecurityGroup",
      ]
    }
  }

  # What a host said of itself last, and no other tag.
  statement {
    sid       = "NoteWhatAHostSaid"
    resources = [local.instances]
    actions   = ["ec2:CreateTags"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/app"
      values   = ["clawdinator"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/answer"
      values   = ["*"]
    }
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["answer"]
    }
  }

  statement {
    sid       = "ReplaceHostsOfTheFleet"
    resources = [local.instances]
    actions   = ["ec2:TerminateInstances", "ec2:DescribeInstanceAttribute"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/app"
      values   = ["clawdinator"]
    }
  }

  # Why a host did not come up that never spoke.
  statement {
    sid       = "ReadConsolesOfTheFleet"
    resources = [local.instances]
    actions   = ["ec2:GetConsoleOutput"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/app"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "MakeVpc"
    resources = [local.vpcs]
    actions   = ["ec2:CreateVpc"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/app"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "MakeNetwork"
    resources = [local.subnets, local.groups, local.gateways, local.routes]
    actions = [
      "ec2:CreateSubnet",
      "ec2:CreateInternetGateway",
      "ec2:CreateRouteTable",
      "ec2:CreateSecurityGroup",
    ]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/app"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "MakeNetworkInVpcOfTheFleet"
    resources = [local.vpcs]
    actions   = ["ec2:CreateSubnet", "ec2:CreateRouteTable", "ec2:CreateSecurityGroup"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/app"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "ChangeNetworkOfTheFleet"
    resources = local.network
    actions = [
      "ec2:DescribeVpcAttribute",
      "ec2:ModifyVpcAttribute",
      "ec2:ModifySubnetAttribute",
      "ec2:AttachInternetGateway",
      "ec2:AssociateRouteTable",
      "ec2:CreateRoute",
      "ec2:AuthorizeSecurityGroupEgress",
      "ec2:RevokeSecurityGroupEgress",
    ]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/app"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "HostIdentities"
    resources = [local.host_roles, local.host_profile]
    actions = [
      "iam:GetRole",
      "iam:DeleteRole",
      "iam:TagRole",
      "iam:GetRolePolicy",
      "iam:ListRolePolicies",
      "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole",
      "iam:GetInstanceProfile",
      "iam:CreateInstanceProfile",
      "iam:DeleteInstanceProfile",
      "iam:TagInstanceProfile",
      "iam:AddRoleToInstanceProfile",
      "iam:RemoveRoleFromInstanceProfile",
    ]
  }

  # Without a boundary, a role that may write policies may write itself one that allows everything.
  statement {
    sid       = "HostIdentitiesWithinTheirBoundary"
    resources = [local.host_roles]
    actions   = ["iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy"]
    condition {
      test     = "StringEquals"
      variable = "iam:PermissionsBoundary"
      values   = [aws_iam_policy.host_boundary.arn]
    }
  }

  statement {
    sid       = "GiveHostsTheirIdentity"
    resources = [local.host_roles]
    actions   = ["iam:PassRole"]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }

  statement {
    sid       = "AskHowAHostIs"
    resources = [aws_ssm_document.health.arn]
    actions   = ["ssm:DescribeDocument", "ssm:SendCommand"]
  }

  statement {
    sid       = "AskHostsOfTheFleet"
    resources = [local.instances]
    actions   = ["ssm:SendCommand"]
    condition {
      test     = "StringEquals"
      variable = "ssm:resourceTag/app"
      values   = ["clawdinator"]
    }
  }

  # Create-only: what a host verified stays what it is.
  statement {
    sid       = "PutSeeds"
    resources = [local.seeds]
    actions   = ["s3:PutObject"]
    condition {
      test     = "StringEquals"
      variable = "s3:if-none-match"
      values   = ["*"]
    }
  }

  # Manifests hold no secret. Bundles do.
  statement {
    sid       = "ReadSeedsAndManifests"
    resources = [local.seeds, "${aws_s3_bucket.bootstrap.arn}/bootstrap/*/manifest.json"]
    actions   = ["s3:GetObject"]
  }

  statement {
    sid       = "FleetState"
    resources = [local.state_object, "${local.state_object}.tflock"]
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
  }

  statement {
    sid       = "FindFleetState"
    resources = ["arn:${local.partition}:s3:::${var.state_bucket}"]
    actions   = ["s3:ListBucket"]
  }

  # The table holds the lock of tofu/control too.
  statement {
    sid       = "LockFleetState"
    resources = [local.lock_table]
    actions   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"]
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = [local.state_lock, "${local.state_lock}-md5"]
    }
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }

  # What a person decided meanwhile: a freeze, or that a roll stops. And what each job notes of the
  # lock that it is about to take.
  statement {
    sid       = "ReadWhatWasDecided"
    resources = [aws_dynamodb_table.control.arn]
    actions   = ["dynamodb:GetItem"]
    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["freeze", "stop#*", "lock#*"]
    }
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }

  statement {
    sid       = "NoteTheLock"
    resources = [aws_dynamodb_table.control.arn]
    actions   = ["dynamodb:PutItem"]
    condition {
      test     = "ForAllValues:StringLike"
      variable = "dynamodb:LeadingKeys"
      values   = ["lock#*"]
    }
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }

  statement {
    sid       = "FindTheLockTable"
    resources = [local.lock_table]
    actions   = ["dynamodb:DescribeTable"]
  }

  statement {
    sid       = "ReadFleetState"
    resources = [data.aws_kms_alias.fleet_state.target_key_arn]
    actions   = ["kms:GenerateDataKey", "kms:Decrypt"]
  }
}

output "deploy_role_arn" {
  description = "For the repository variable DEPLOY_ROLE_ARN."
  value       = aws_iam_role.deploy.arn
}
