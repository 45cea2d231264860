"""One file per client, or per side of the provider, each a unittest module whose test names are sentences."""
