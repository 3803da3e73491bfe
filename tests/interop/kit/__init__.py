"""What the judges share: paths, installs, brokers, a raw codec. It must not know any single judge."""
