"""After everything else: no secret of the run stands in what the relay wrote or says of itself."""

import base64
import urllib.request

from bench.case import Case
from bench.provider import PASSWORD
from bench.relay import CLIENT_PASSWORD


class SecretsKept(Case):
    """Tokens and passwords, plain or in base64, are in no log line and no metric."""

    def test_no_secret_of_this_run_is_in_the_log_or_the_metrics(self):
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{self.relay.ports['admin']}/metrics", timeout=10).read()
        written = self.relay.log.read_bytes() + metrics
        self.assertIn(b"posthouse_", metrics)
        secrets = [secret.encode() for secret in (*self.provider.identity.secrets(), PASSWORD, CLIENT_PASSWORD)]
        self.assertGreater(len(secrets), 20)
        for secret in secrets:
            # Base64 of what stands in a longer text agrees but for its edges.
            for offset in range(3):
                encoded = base64.b64encode(b"x" * offset + secret)[4:-4]
                self.assertNotIn(encoded, written)
            self.assertNotIn(secret, written)
