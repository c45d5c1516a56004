# Who may ask: one agent and one chat user per instance, by path and name (ADR 2). Their access keys
# are made and encrypted in one go by a command, so that none passes through a state.

locals {
  agents = { for id in keys(local.registry) : "agent/${id}" => { path = "/fleet/agent/${id}/", name = "${id}-agent" } }
  chats = {
    for bot in setunion(keys(local.registry), var.chat_bots) :
    "chat/${bot}" => { path = "/fleet/chat/${bot}/", name = "${bot}-chat" }
  }
}

resource "aws_iam_user" "invoker" {
  for_each = merge(local.agents, local.chats)

  name = each.value.name
  path = each.value.path
}

resource "aws_iam_user_policy" "invoker" {
  for_each = aws_iam_user.invoker

  name = "ask-the-control-api-and-look"
  user = each.value.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "InvokeByUrl"
        Effect    = "Allow"
        Action    = "lambda:InvokeFunctionUrl"
        Resource  = aws_lambda_function.control_api.arn
        Condition = { StringEquals = { "lambda:FunctionUrlAuthType" = "AWS_IAM" } }
      },
      {
        # Direct Invoke would let the caller write the whole event, signer included.
        Sid       = "InvokeOnlyByUrl"
        Effect    = "Allow"
        Action    = "lambda:InvokeFunction"
        Resource  = aws_lambda_function.control_api.arn
        Condition = { Bool = { "lambda:InvokedViaFunctionUrl" = "true" } }
      },
      {
        # AWS limits none of these to a resource.
        Sid       = "Look"
        Effect    = "Allow"
        Action    = ["ec2:DescribeInstances", "ec2:DescribeInstanceStatus", "ec2:DescribeImages"]
        Resource  = "*"
        Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
      },
    ]
  })
}
