"""Where the provider's Postfix hands over what it accepted, and where it asks before it accepts: LMTP and policy service.

Not a part of what is tested: the relay speaks to Postfix, never to these. Invariant: one `Delivery` per message that the
provider's Postfix accepted, with its octets as Postfix sent them (unstuffed, CRLF kept).
"""

import socketserver
import threading
import time
from dataclasses import dataclass


@dataclass
class Delivery:
    """One message as the provider has it."""

    sender: str
    recipients: list
    content: bytes


def _lines(stream):
    while line := stream.readline():
        yield line


class Mailroom:
    """An LMTP server that keeps what it is given."""

    def __init__(self):
        self._arrived = threading.Condition()
        self._deliveries = []
        room = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                room._converse(self.rfile, self.wfile)

        self._server = _Threads(("127.0.0.1", 0), Session)
        self.port = self._server.start()
        self.close = self._server.close

    def _converse(self, stream, out):
        out.write(b"220 mailroom LMTP\r\n")
        sender, recipients = "", []
        for line in _lines(stream):
            verb = line[:4].upper()
            if verb == b"LHLO":
                out.write(b"250-mailroom\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
            elif verb == b"DATA":
                out.write(b"354 go on\r\n")
                content = self._content(stream)
                if content is None:
                    return
                with self._arrived:
                    self._deliveries.append(Delivery(sender, recipients, content))
                    self._arrived.notify_all()
                out.write(b"250 2.0.0 kept\r\n" * len(recipients))
                sender, recipients = "", []
            elif verb == b"QUIT":
                out.write(b"221 bye\r\n")
                return
            else:
                path = line.decode().partition("<")[2].partition(">")[0]
                if verb == b"MAIL":
                    sender, recipients = path, []
                elif verb == b"RCPT":
                    recipients.append(path)
                out.write(b"250 2.0.0 yes\r\n")

    @staticmethod
    def _content(stream):
        """What came before the final dot; nothing where it never came, since then Postfix still has the message."""
        lines = []
        for line in _lines(stream):
            if line == b".\r\n":
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)
        return None

    def deliveries(self, mark):
        """What has come so far for this mark: part of an envelope address, so that cases do not see each other's mail."""
        with self._arrived:
            return [
                delivery
                for delivery in self._deliveries
                if mark in delivery.sender or any(mark in recipient for recipient in delivery.recipients)
            ]

    def expect(self, mark, count, seconds=20.0):
        """Waits until `count` deliveries of this mark are here, and gives all that are."""
        end = time.monotonic() + seconds
        while True:
            found = self.deliveries(mark)
            left = end - time.monotonic()
            if len(found) >= count or left < 0:
                return found
            with self._arrived:
                self._arrived.wait(min(left, 0.25))


class Gate:
    """The policy service that the provider's Postfix asks at RCPT and after the content; its answers can be changed.

    Rules are matched in the order they were set: stage ("RCPT" or "END-OF-MESSAGE") and part of the recipient or sender.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._rules = []
        self.asked = []
        gate = self

        class Session(socketserver.StreamRequestHandler):
            def handle(self):
                request = {}
                for line in _lines(self.rfile):
                    name, equals, value = line.decode(errors="replace").rstrip("\n").partition("=")
                    if equals:
                        request[name] = value
                        continue
                    self.wfile.write(f"action={gate._action(request)}\n\n".encode())
                    request = {}

        self._server = _Threads(("127.0.0.1", 0), Session)
        self.port = self._server.start()
        self.close = self._server.close

    def _action(self, request):
        stage = request.get("protocol_state")
        about = f"{request.get('sender')} {request.get('recipient')}"
        with self._lock:
            self.asked.append((stage, about))
            for rule_stage, part, action in self._rules:
                if rule_stage == stage and part in about:
                    return action
        return "DUNNO"

    def answer(self, stage, part, action):
        """From now on the provider answers so; gives the rule, for `forget`."""
        rule = (stage, part, action)
        with self._lock:
            self._rules.append(rule)
        return rule

    def forget(self, rule):
        """Ends a fault."""
        with self._lock:
            self._rules.remove(rule)


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def start(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self.server_address[1]

    def handle_error(self, request, client_address):
        pass  # Postfix went away, as it may; a message that was cut off was not kept

    def close(self):
        self.shutdown()
        self.server_close()
