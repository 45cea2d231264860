"""The token endpoint that the relay asks, and the introspection endpoint that Dovecot asks, over HTTP on loopback.

Invariant: a token is good at the provider exactly as long as this server says so.
"""

import json
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A connection that was kept open must not hold up the end of the run.
    block_on_close = False


class Identity:
    """Issues tokens for refresh tokens, and says whose a token is."""

    # As long as those that Microsoft issues, so that AUTH lines have their real length.
    TOKEN_LENGTH = 1400

    def __init__(self):
        self._lock = threading.Lock()
        self._mailboxes = {}
        self._lengths = {}
        self._tokens = {}
        self._handed_out = []
        self._refused = set()
        self.issued = []
        identity = self

        class Request(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
                values = {name: value[0] for name, value in form.items()}
                status, answer = identity.answer(self.path, values)
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = _Server(("127.0.0.1", 0), Request)
        self.port = self._server.server_address[1]
        self.token_url = f"http://127.0.0.1:{self.port}/token"
        self.introspection_url = f"http://127.0.0.1:{self.port}/introspect"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def mailbox(self, address, token_length=TOKEN_LENGTH):
        """Makes a mailbox known, and gives its refresh token."""
        refresh_token = f"refresh-{secrets.token_urlsafe(24)}"
        with self._lock:
            self._mailboxes[refresh_token] = address
            self._lengths[address] = token_length
        return refresh_token

    def access_token(self, address):
        """A good access token for a mailbox."""
        token = secrets.token_urlsafe(self._lengths.get(address, self.TOKEN_LENGTH))[: self._lengths[address]]
        with self._lock:
            self._tokens[token] = address
            self._handed_out.append(token)
            self.issued.append(address)
        return token

    def secrets(self):
        """Every token that was ever handed out, and every refresh token."""
        with self._lock:
            return [*self._mailboxes, *self._handed_out]

    def refuse(self, address):
        """From now on no token of this mailbox is good at the provider, although tokens are issued."""
        with self._lock:
            self._refused.add(address)

    def revoke_issued(self, address):
        """Tokens issued so far are no longer good; new ones are."""
        with self._lock:
            self._tokens = {token: owner for token, owner in self._tokens.items() if owner != address}

    def allow(self, address):
        """Ends `refuse`."""
        with self._lock:
            self._refused.discard(address)

    def answer(self, path, form):
        """Status and JSON for one request."""
        if path == "/token" and form.get("grant_type") == "refresh_token":
            with self._lock:
                address = self._mailboxes.get(form.get("refresh_token"))
            if address is None:
                return 400, {"error": "invalid_grant", "error_description": "unknown refresh token"}
            return 200, {"access_token": self.access_token(address), "token_type": "Bearer", "expires_in": 3600}
        if path == "/introspect":
            with self._lock:
                address = self._tokens.get(form.get("token"))
                good = address is not None and address not in self._refused
            return 200, {"active": good, "email": address} if good else {"active": False}
        return 404, {"error": "invalid_request"}

    def close(self):
        """Stops answering."""
        self._server.shutdown()
        self._server.server_close()
