# The most that any host may ever do, whatever a deploy writes into its role. tofu/fleet puts it on
# every role it makes, and the deploy role can make no other.

resource "aws_iam_policy" "host_boundary" {
  name = "clawdinator-host"
  path = "/fleet/control/"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ReadBundlesAndSeeds"
        Effect = "Allow"
        Action = "s3:GetObject"
        Resource = [
          "${aws_s3_bucket.bootstrap.arn}/bootstrap/*",
          "${aws_s3_bucket.bootstrap.arn}/seeds/*",
        ]
      },
      {
        Sid      = "ListBundles"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.bootstrap.arn
      },
      {
        # As tofu/fleet/identity.tf has them: AWS limits the messages to no resource.
        Sid    = "SsmAgentMessages"
        Effect = "Allow"
        Action = [
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
        Resource = "*"
      },
    ]
  })
}
