# The instance profile's credentials are root's: nobody else reaches the metadata service.
{
  networking.nftables.enable = true;
  networking.nftables.tables.instance-metadata = {
    family = "inet";
    content = ''
      chain output {
        type filter hook output priority filter; policy accept;
        ip daddr 169.254.169.254 meta skuid != root reject
        ip6 daddr fd00:ec2::254 meta skuid != root reject
      }
      chain forward {
        type filter hook forward priority filter; policy accept;
        ip daddr 169.254.169.254 reject
        ip6 daddr fd00:ec2::254 reject
      }
    '';
  };
}
