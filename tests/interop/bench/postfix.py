"""A Postfix instance of its own: configuration, queue, data and log in one folder, its services on loopback only.

Invariant: the machine's own Postfix, where there is one, is not touched: no file of /etc/postfix is read or written.
"""

import os
import re
from dataclasses import dataclass, field

from bench.machine import answers, command, free_port, require, require_root, wait_until

# The services every instance needs, from Debian's master.cf, none of them in a chroot.
SERVICES = """\
pickup     unix  n  -  n  60     1  pickup
cleanup    unix  n  -  n  -      0  cleanup
qmgr       unix  n  -  n  300    1  qmgr
tlsmgr     unix  -  -  n  1000?  1  tlsmgr
rewrite    unix  -  -  n  -      -  trivial-rewrite
bounce     unix  -  -  n  -      0  bounce
defer      unix  -  -  n  -      0  bounce
trace      unix  -  -  n  -      0  bounce
verify     unix  -  -  n  -      1  verify
flush      unix  n  -  n  1000?  0  flush
proxymap   unix  -  -  n  -      -  proxymap
smtp       unix  -  -  n  -      -  smtp
lmtp       unix  -  -  n  -      -  lmtp
error      unix  -  -  n  -      -  error
retry      unix  -  -  n  -      -  error
showq      unix  n  -  n  -      -  showq
anvil      unix  -  -  n  -      1  anvil
scache     unix  -  -  n  -      1  scache
postlog    unix-dgram n -  n  -  1  postlogd
"""


@dataclass
class Entrance:
    """One smtpd on a port of its own; its name stands in the log in front of what it did."""

    name: str
    options: dict = field(default_factory=dict)
    port: int = 0


class Postfix:
    """One running instance."""

    def __init__(self, machine, name, settings, entrances):
        require("postfix", "postconf", "postqueue")
        require_root()
        self.name = name
        self.folder = machine.folder(name)
        self.log = self.folder / "log"
        self.entrances = {entrance.name: entrance for entrance in entrances}
        queue, data = machine.folder(f"{name}/queue"), machine.folder(f"{name}/data", owner="postfix")
        daemons = command("postconf", "-d", "-h", "daemon_directory").stdout.strip()
        main = {
            "compatibility_level": "3.6",
            "queue_directory": queue,
            "data_directory": data,
            "daemon_directory": daemons,
            "command_directory": "/usr/sbin",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "maillog_file": self.log,
            "maillog_file_prefixes": self.folder,
            "multi_instance_name": f"postfix-{name}",
            "multi_instance_enable": "yes",
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "alias_maps": "",
            "local_recipient_maps": "",
            "smtpd_peername_lookup": "no",
            "smtp_host_lookup": "native",
            "lmtp_host_lookup": "native",
            "smtputf8_enable": "yes",
            "message_size_limit": "60000000",
            "mailbox_size_limit": "0",
            "queue_minfree": "0",
            "smtpd_client_connection_rate_limit": "0",
            "smtpd_client_connection_count_limit": "0",
            # Bytes are compared: nothing may be mended on the way.
            "message_drop_headers": "",
            "always_add_missing_headers": "no",
            "local_header_rewrite_clients": "",
            "disable_mime_output_conversion": "yes",
            "lmtp_line_length_limit": "0",
            "smtp_line_length_limit": "0",
        }  # fmt: skip
        main.update(settings)
        (self.folder / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in main.items()))
        for entrance in entrances:
            entrance.port = entrance.port or free_port()
        (self.folder / "master.cf").write_text("".join(_master_line(entrance) for entrance in entrances) + SERVICES)
        self.start()
        machine.at_end(self.stop)

    def port(self, entrance):
        """The port of a named entrance."""
        return self.entrances[entrance].port

    def start(self):
        """Starts this instance, and waits until all its entrances take connections."""
        command("postfix", "-c", self.folder, "start", env=_environment())
        for entrance in self.entrances.values():
            wait_until(lambda port=entrance.port: answers(port), f"{self.name} does not listen: {self.lines('')}")

    def stop(self):
        """Stops this instance, and waits until its sockets are closed."""
        command("postfix", "-c", self.folder, "stop", check=False, env=_environment())

    def restart(self):
        """Stops and starts, so that every session ends."""
        self.stop()
        self.start()

    def flush(self):
        """Has the queue tried again now."""
        command("postqueue", "-c", self.folder, "-f", env=_environment())

    def queue(self, mark=""):
        """The queued messages, deferred or under way, with this mark in an address."""
        listed = command("postqueue", "-c", self.folder, "-j", env=_environment()).stdout
        return [line for line in listed.splitlines() if mark in line]

    def log_length(self):
        """How many lines the log has now: a point to look on from."""
        return len(self.lines(""))

    def lines(self, pattern, since=0):
        """The log's lines that the pattern is found in, from a point on."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()[since:]
        return [line for line in lines if re.search(pattern, line)]

    def conversations(self, entrance, since=0):
        """What each ended session at an entrance did, as Postfix counted it: {"mail": 2, "bdat": 1, ..} per session."""
        ended = self.lines(rf"{entrance}/smtpd\[\d+\]: disconnect from", since)
        return [
            {verb: int(good) for verb, good in re.findall(r" ([a-z_]+)=(\d+)", line.partition("disconnect from")[2])}
            for line in ended
        ]


def _master_line(entrance):
    options = {"syslog_name": entrance.name, **entrance.options}
    arguments = "".join(f"    -o {{ {key} = {value} }}\n" for key, value in options.items())
    return f"127.0.0.1:{entrance.port} inet n - n - - smtpd\n{arguments}"


def _environment():
    # Postfix reads MAIL_CONFIG before -c; nobody's own shell may point it elsewhere.
    return {name: value for name, value in os.environ.items() if not name.startswith("MAIL_")}
