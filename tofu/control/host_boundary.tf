# The most that any host may ever do, whatever a deploy writes into its role. tofu/fleet puts it on
# every role it makes, and the deploy role can make no other.

resource "aws_iam_policy" "host_boundary" {
  name = "clawdinator-host"
  path = "/fleet/control/"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "ReadBundles"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = "${aws_s3_bucket.bootstrap.arn}/*"
      },
      {
        Sid      = "ListBundles"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.bootstrap.arn
      },
      {
        # None of these can be limited to a resource.
        Sid      = "SsmAgentMessages"
        Effect   = "Allow"
        Action   = ["ssm:UpdateInstanceInformation", "ssmmessages:*", "ec2messages:*"]
        Resource = "*"
      },
    ]
  })
}
