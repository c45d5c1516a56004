# The role a build of the image assumes, from its own workflow file and environment; the bucket its
# disk goes through, and the role with which EC2 fetches it there.

locals {
  # Images and snapshots have no account in their names.
  images          = "arn:${local.partition}:ec2:${var.region}::image/*"
  snapshots       = "arn:${local.partition}:ec2:${var.region}::snapshot/*"
  imports         = "${local.ec2}:import-snapshot-task/*"
  uploaded_disks  = "${aws_s3_bucket.image.arn}/image-build/*"
  made_by_a_build = "clawdinator-commit" # workflows/image_build tags everything it makes
}

resource "aws_s3_bucket" "image" {
  bucket = var.image_bucket
}

resource "aws_s3_bucket_versioning" "image" {
  bucket = aws_s3_bucket.image.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "image" {
  bucket = aws_s3_bucket.image.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "image" {
  bucket                  = aws_s3_bucket.image.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# A disk is of use until it is imported; one that a dead build left goes too.
resource "aws_s3_bucket_lifecycle_configuration" "image" {
  bucket = aws_s3_bucket.image.id

  rule {
    id     = "disks-are-passing-through"
    status = "Enabled"
    filter {}

    expiration {
      days = 2
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.image]
}

resource "aws_iam_role" "image" {
  name                 = "image-build"
  path                 = "/fleet/control/"
  max_session_duration = 10800
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = {
        StringEquals = {
          "${local.github}:aud"              = "sts.amazonaws.com"
          "${local.github}:sub"              = "${trimsuffix(var.oidc_subject, ":environment:fleet")}:environment:image"
          "${local.github}:repository_id"    = var.repository_id
          "${local.github}:environment"      = "image"
          "${local.github}:job_workflow_ref" = "${var.repository}/.github/workflows/image-build.yml@refs/heads/${var.branch}"
        }
      }
    }]
  })
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

# With it EC2 itself fetches the disk. Its name and its rights are as AWS documents them for VM
# Import, its bucket the one above. An account that has the role already adopts it with `tofu import`.
resource "aws_iam_role" "vmimport" {
  name = "vmimport"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vmie.amazonaws.com" }
      Condition = {
        StringEquals = {
          "sts:ExternalId"    = "vmimport"
          "aws:SourceAccount" = local.account
        }
        ArnLike = {
          "aws:SourceArn" = "arn:${local.partition}:vmie:*:${local.account}:*"
        }
      }
    }]
  })
}

resource "aws_iam_role_policy" "vmimport" {
  name   = "import-uploaded-disks"
  role   = aws_iam_role.vmimport.id
  policy = data.aws_iam_policy_document.vmimport.json
}

data "aws_iam_policy_document" "vmimport" {
  statement {
    sid       = "FindTheDisk"
    resources = [aws_s3_bucket.image.arn]
    actions   = ["s3:GetBucketLocation", "s3:ListBucket"]
  }

  statement {
    sid       = "ReadTheDisk"
    resources = [local.uploaded_disks]
    actions   = ["s3:GetObject"]
  }

  statement {
    sid       = "Look"
    resources = ["*"] # as AWS documents it: attributes of any machine too, but for VM Import alone
    actions   = ["ec2:Describe*"]
  }

  statement {
    sid       = "MakeTheSnapshot"
    resources = [local.images, local.snapshots]
    actions   = ["ec2:CopySnapshot", "ec2:ModifySnapshotAttribute", "ec2:RegisterImage"]
  }
}

output "image_role_arn" {
  description = "For the repository variable IMAGE_ROLE_ARN."
  value       = aws_iam_role.image.arn
}
