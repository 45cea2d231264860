"""What the cases stand on: the machine, the servers around the relay, and the relay itself. No assertion lives here."""
