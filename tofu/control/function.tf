resource "aws_lambda_function" "control_api" {
  function_name    = "clawdinator-control-api"
  description      = "Forwards judged deploys to GitHub Actions"
  filename         = var.lambda_zip
  source_code_hash = filebase64sha256(var.lambda_zip)
  handler          = "lambda_fn.handler.handler"
  runtime          = "python3.13"
  architectures    = ["arm64"]
  memory_size      = 512
  timeout          = 20
  role             = aws_iam_role.function.arn

  reserved_concurrent_executions = var.reserved_concurrency

  environment {
    variables = {
      CONTROL_API_TOKEN_PARAMETER = aws_ssm_parameter.control_token.name
      GITHUB_TOKEN_PARAMETER      = aws_ssm_parameter.github_token.name
      GITHUB_REPO                 = var.repository
      GITHUB_WORKFLOW             = "fleet-deploy.yml"
      GITHUB_REF                  = var.branch
      CONTROL_API_ACCOUNT         = var.control_api_account
      CONTROL_API_OPERATORS       = join(",", var.operators)
      CONTROL_TABLE               = aws_dynamodb_table.control.name
      LOCK_TABLE                  = var.lock_table
      STATE_LOCK                  = local.state_lock
    }
  }

  depends_on = [aws_cloudwatch_log_group.function]
}

resource "aws_lambda_function_url" "control_api" {
  function_name      = aws_lambda_function.control_api.function_name
  authorization_type = "AWS_IAM"
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/clawdinator-control-api"
  retention_in_days = 90
}

resource "aws_ssm_parameter" "control_token" {
  name             = "/clawdinator/control-token"
  type             = "SecureString"
  value_wo         = var.control_token
  value_wo_version = var.secrets_version
}

resource "aws_ssm_parameter" "github_token" {
  name             = "/clawdinator/github-token"
  type             = "SecureString"
  value_wo         = var.github_token
  value_wo_version = var.secrets_version
}

resource "aws_iam_role" "function" {
  name = "clawdinator-control-api"
  path = "/fleet/control/"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  name = "own-log-secrets-and-table"
  role = aws_iam_role.function.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "OwnLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.function.arn}:*"
      },
      {
        # The AWS-managed key of SSM decrypts for whoever may read the parameter.
        Sid      = "OwnSecrets"
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = [aws_ssm_parameter.control_token.arn, aws_ssm_parameter.github_token.arn]
      },
      {
        Sid      = "OwnTable"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        Resource = aws_dynamodb_table.control.arn
      },
    ]
  })
}

resource "aws_iam_role_policy" "function_lock" {
  name   = "see-the-lock-of-the-fleet"
  role   = aws_iam_role.function.id
  policy = data.aws_iam_policy_document.function_lock.json
}

# The table has the lock of tofu/control and the states' digests too.
data "aws_iam_policy_document" "function_lock" {
  statement {
    sid       = "SeeTheLockOfTheFleet"
    resources = [local.lock_table]
    actions   = ["dynamodb:GetItem"]
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "dynamodb:LeadingKeys"
      values   = [local.state_lock]
    }
    condition {
      test     = "Null"
      variable = "dynamodb:LeadingKeys"
      values   = ["false"]
    }
  }
}

output "control_api_url" {
  description = "For tofu/fleet and /etc/clawdinator/control-api-url."
  value       = aws_lambda_function_url.control_api.function_url
}
