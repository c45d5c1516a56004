resource "aws_instance" "clawdinator" {
  for_each = local.registry

  ami                    = var.ami
  instance_type          = each.value.instanceType
  subnet_id              = aws_subnet.fleet.id
  vpc_security_group_ids = [aws_security_group.fleet.id]
  iam_instance_profile   = aws_iam_instance_profile.instance[each.key].name

  user_data = templatefile("${path.module}/user-data.sh.tftpl", {
    instance         = each.key
    host             = each.value.host
    region           = var.region
    bootstrap_prefix = each.value.bootstrapPrefix
    control_api_url  = var.control_api_url
    revision         = var.revision
    seed_sha256      = var.seed_sha256
  })

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  root_block_device {
    encrypted   = true
    volume_type = "gp3"
    volume_size = var.root_gigabytes
  }

  tags = {
    Name = each.key
    # What it was launched as.
    revision = var.revision
  }

  lifecycle {
    # Only -replace moves a host (ADR 4): without this a new image for one re-creates every one.
    ignore_changes = [ami, user_data, instance_type, tags["revision"], tags_all["revision"]]
  }

  # A plan limited to one host must still bring its way out and its rights, and bring them first.
  depends_on = [aws_route_table_association.fleet, aws_iam_role_policy.instance]
}
