# Where an image's disk passes through on its way into EC2, and the role with which EC2 fetches it.

locals {
  uploaded_disks = "${aws_s3_bucket.image.arn}/image-build/*"
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
