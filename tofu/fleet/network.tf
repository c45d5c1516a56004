# One small network. Hosts speak outwards only: nothing listens, and people come in through SSM.

resource "aws_vpc" "fleet" {
  cidr_block           = var.network
  enable_dns_hostnames = true
}

resource "aws_internet_gateway" "fleet" {
  vpc_id = aws_vpc.fleet.id
}

resource "aws_subnet" "fleet" {
  vpc_id     = aws_vpc.fleet.id
  cidr_block = var.network

  # Asked of the subnet and not of each host: a stopped host has no address, and a host that was
  # promised one would then have to be replaced.
  map_public_ip_on_launch = true
}

resource "aws_route_table" "fleet" {
  vpc_id = aws_vpc.fleet.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.fleet.id
  }
}

resource "aws_route_table_association" "fleet" {
  subnet_id      = aws_subnet.fleet.id
  route_table_id = aws_route_table.fleet.id
}

resource "aws_security_group" "fleet" {
  name        = "clawdinator-fleet"
  description = "Outwards only"
  vpc_id      = aws_vpc.fleet.id

  egress {
    description = "Chat platforms, AWS, Git, caches"
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
