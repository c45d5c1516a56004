# The role a build of the image assumes (github.tf says whose).

locals {
  imports         = "${local.ec2}:import-snapshot-task/*"
  made_by_a_build = "clawdinator-commit" # workflows/image_build tags everything it makes
}

resource "aws_iam_role" "image" {
  name                 = "image-build"
  path                 = "/fleet/control/"
  max_session_duration = 10800
  assume_role_policy   = local.trust["image"]
}

resource "aws_iam_role_policy" "image" {
  name   = "make-images"
  role   = aws_iam_role.image.id
  policy = data.aws_iam_policy_document.image.json
}

data "aws_iam_policy_document" "image" {
  statement {
    sid       = "Look"
    resources = ["*"] # AWS limits none of these to a resource
    actions = [
      "ec2:DescribeImages",
      "ec2:DescribeImportSnapshotTasks",
      "ec2:DescribeInstances",
      "ec2:DescribeSnapshots",
    ]
  }

  statement {
    sid       = "UploadTheDisk"
    resources = [local.uploaded_disks]
    actions   = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
  }

  statement {
    sid       = "FindTheBucket"
    resources = [aws_s3_bucket.image.arn]
    actions   = ["s3:GetBucketLocation"]
  }

  # Seeds are the deploy role's to put; what no image and no host names any more goes with the images.
  statement {
    sid       = "FindSeeds"
    resources = [aws_s3_bucket.bootstrap.arn]
    actions   = ["s3:ListBucket"]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["seeds/*"]
    }
  }

  statement {
    sid       = "PruneSeeds"
    resources = ["${aws_s3_bucket.bootstrap.arn}/seeds/*"]
    actions   = ["s3:DeleteObject"]
  }

  statement {
    sid       = "ImportTheDisk"
    resources = [local.imports, local.snapshots]
    actions   = ["ec2:ImportSnapshot"]
  }

  # VM Import asks whether whoever imports may give it this role; nobody else could take it.
  statement {
    sid       = "GiveVmImportItsRole"
    resources = [aws_iam_role.vmimport.arn]
    actions   = ["iam:PassRole"]
  }

  # An import can't be born with a tag, and AWS knows nothing else that tells it from any other: a
  # build may say of any snapshot of this account that it is its own, and nothing else. One that
  # already says whose it is, is not an import.
  statement {
    sid       = "MarkTheSnapshot"
    resources = [local.snapshots]
    actions   = ["ec2:CreateTags"]
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/${local.made_by_a_build}"
      values   = ["*"]
    }
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = [local.made_by_a_build]
    }
    condition {
      test     = "StringEquals"
      variable = "ec2:Owner"
      values   = [local.account]
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/app"
      values   = ["true"]
    }
    condition {
      test     = "Null"
      variable = "aws:ResourceTag/Name"
      values   = ["true"]
    }
  }

  statement {
    sid       = "RegisterFromItsSnapshot"
    resources = [local.snapshots]
    actions   = ["ec2:RegisterImage"]
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/${local.made_by_a_build}"
      values   = ["*"]
    }
  }

  statement {
    sid       = "RegisterWithItsCommit"
    resources = [local.images]
    actions   = ["ec2:RegisterImage"]
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/${local.made_by_a_build}"
      values   = ["*"]
    }
  }

  statement {
    sid       = "TagWhatIsRegistered"
    resources = [local.images]
    actions   = ["ec2:CreateTags"]
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["RegisterImage"]
    }
  }

  # What a deploy takes is so tagged: only an image that a build has made may ever be.
  statement {
    sid       = "Publish"
    resources = [local.images]
    actions   = ["ec2:CreateTags"]
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/${local.made_by_a_build}"
      values   = ["*"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/clawdinator"
      values   = ["true"]
    }
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["clawdinator"]
    }
  }

  statement {
    sid       = "Prune"
    resources = [local.images, local.snapshots]
    actions   = ["ec2:DeregisterImage", "ec2:DeleteSnapshot"]
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/${local.made_by_a_build}"
      values   = ["*"]
    }
  }
}

output "image_role_arn" {
  description = "For the repository variable IMAGE_ROLE_ARN."
  value       = aws_iam_role.image.arn
}
