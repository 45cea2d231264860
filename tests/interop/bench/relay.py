"""The relay under test: the built binary, with a configuration written for this run.

One account per entrance of the provider stand-in, and one login bound to each account, so that a case chooses the provider's
habits by the login that it uses. Every login has the same password and may send as anyone at example.com.
"""

import json
import os
import subprocess

from bench.authority import Authority
from bench.machine import Missing, answers, end, free_port, wait_until
from bench.provider import PASSWORD, PASSWORD_MAILBOX

CLIENT_PASSWORD = "a password, with: every=sign \\ \"quoted\" & more"

# Providers that differ in more than the entrance: name -> (entrance, TLS rule, mechanism).
ROUTES = {
    "starttls": ("starttls", "starttls", "xoauth2"),
    "implicit": ("implicit", "implicit", "xoauth2"),
    "oauthbearer": ("starttls", "starttls", "oauthbearer"),
    "longtoken": ("starttls", "starttls", "xoauth2"),
    "plain": ("starttls", "starttls", "plain"),
    "login": ("starttls", "starttls", "login"),
    "nochunking": ("nochunking", "starttls", "xoauth2"),
    "nopipelining": ("nopipelining", "starttls", "xoauth2"),
    "lockstep": ("lockstep", "starttls", "xoauth2"),
    "sevenbit": ("sevenbit", "starttls", "xoauth2"),
    "oldtls": ("oldtls", "starttls", "xoauth2"),
    "cleartext": ("cleartext", "starttls", "xoauth2"),
    "othername": ("othername", "starttls", "xoauth2"),
    "stranger": ("stranger", "starttls", "xoauth2"),
    "impatient": ("impatient", "starttls", "xoauth2"),
    "strict": ("strict", "starttls", "xoauth2"),
    "small": ("small", "starttls", "xoauth2"),
    "refused": ("starttls", "starttls", "xoauth2"),
    "revoked": ("starttls", "starttls", "xoauth2"),
    "restarted": ("starttls", "starttls", "xoauth2"),
    "consentless": ("starttls", "starttls", "xoauth2"),
    "single": ("starttls", "starttls", "xoauth2"),
}

# A listener's TLS rule and what else stands in its table.
LISTENERS = {
    "submission": 'tls = "starttls"',
    "submissions": 'tls = "implicit"',
    "devices": 'tls = "none"\nauth_over_cleartext = true\nnetworks = [{ network = "127.0.0.0/8", login = "starttls" }]',
    "asking": 'tls = "starttls"\nverify_recipients = true',
    "proxied": 'tls = "starttls"\nproxy_protocol_from = ["127.0.0.0/8"]',
    "xclient": 'tls = "none"\nauth_over_cleartext = true\nxclient_from = ["127.0.0.0/8"]',
}


def mailbox(route):
    """The mailbox that a route's account sends from."""
    return PASSWORD_MAILBOX if route in ("plain", "login") else f"{route}@provider.test"


class Relay:
    """One running posthouse."""

    def __init__(self, machine, provider):
        self.binary = os.path.abspath(os.environ.get("POSTHOUSE", "target/release/posthouse"))
        if not os.access(self.binary, os.X_OK):
            raise Missing(f"{self.binary} is not built")
        self.machine, self.provider = machine, provider
        self.folder = machine.folder("relay")
        self.log = self.folder / "log"
        self.authority = Authority(machine.folder("relay-ca"))
        self.ports = {name: free_port() for name in (*LISTENERS, "admin")}
        self._write_configuration()
        self.process = None
        self.start()

    def _write_configuration(self):
        certificate, key = self.authority.issue("relay", "DNS:localhost,DNS:relay.example.com,IP:127.0.0.1")
        listeners = ""
        for name, rules in LISTENERS.items():
            files = "" if 'tls = "none"' in rules else f'certificate = "{certificate}"\nkey = "{key}"\n'
            listeners += f'[[listeners]]\nname = "{name}"\naddress = "127.0.0.1:{self.ports[name]}"\n{files}{rules}\n\n'
        self.configuration = self.folder / "posthouse.toml"
        self.configuration.write_text(
            f'hostname = "relay.example.com"\nstate_directory = "{self.machine.folder("relay/state")}"\n\n'
            '[limits]\nconnections_per_address = 500\nmessage_size = "40 MiB"\n\n'
            '[log]\nformat = "json"\nlevel = "info"\n\n'
            f'[admin]\nlisten = "127.0.0.1:{self.ports["admin"]}"\n\n{listeners}'
            + "".join(self._provider_table(*route) for route in ROUTES.items())
        )
        self.machine.folder("relay/tenants")
        (self.folder / "tenants" / "acme.toml").write_text("".join(self._account_tables()))

    def _provider_table(self, name, route):
        entrance, tls, mechanism = route
        token_url = "" if mechanism in ("plain", "login") else f'token_url = "{self.provider.identity.token_url}"\n'
        sessions = 1 if name == "single" else 4
        return (
            f'[providers.{name}]\nextends = "generic"\nhost = "localhost"\nport = {self.provider.port(entrance)}\n'
            f'tls = "{tls}"\nmechanism = "{mechanism}"\n{token_url}sessions = {sessions}\n'
            f'messages_per_minute = 100000\nca_file = "{self.provider.authority.certificate}"\n\n'
        )

    def _account_tables(self):
        hashed = subprocess.run(
            [self.binary, "hash-password"], input=CLIENT_PASSWORD + "\n", capture_output=True, text=True, check=True
        ).stdout.strip()
        for route in ROUTES:
            yield (
                f'[[logins]]\nname = "{route}"\npassword = "{hashed}"\n'
                f'senders = ["@example.com", "@bücher.example"]\naccount = "{route}"\n\n'
                f'[[accounts]]\nid = "{route}"\naddress = "{mailbox(route)}"\nprovider = "{route}"\n{self._grant(route)}\n'
            )

    def _grant(self, route):
        if route in ("plain", "login"):
            return f'grant = {{ kind = "password", password = "{self._secret(route, PASSWORD)}" }}\n'
        length = 2700 if route == "longtoken" else 1400
        refresh_token = self.provider.identity.mailbox(mailbox(route), length)
        if route == "consentless":
            refresh_token = "refresh-withdrawn-long-ago"
        return (
            'grant = { kind = "refresh_token", client_id = "interop", '
            f'refresh_token = "{self._secret(route, refresh_token)}" }}\n'
        )

    def _secret(self, name, secret):
        path = self.folder / f"secret-{name}"
        path.touch(mode=0o600)
        path.write_text(secret)
        return f"file:{path}"

    def start(self):
        """Starts the relay, and waits until it takes connections."""
        words = [self.binary, "run", "--config", str(self.configuration)]
        self.process = self.machine.start(words, self.log)
        for name in LISTENERS:
            wait_until(lambda port=self.ports[name]: self._listens(port), f"the relay does not listen; see {self.log}")

    def _listens(self, port):
        if self.process.poll() is not None:
            raise RuntimeError(f"the relay ended with status {self.process.returncode}:\n{self.log.read_text()[-4000:]}")
        return answers(port)

    def stop(self):
        """SIGTERM; gives the exit status."""
        return end(self.process)

    def restart(self):
        """Stops and starts, so that every session with the provider ends. Gives the first one's exit status."""
        status = self.stop()
        self.start()
        return status

    def entries(self, **wanted):
        """The log's entries whose fields have these values. For finding causes, never for assertions."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if all(entry.get(key) == value for key, value in wanted.items()):
                found.append(entry)
        return found
