"""The provider stand-in that nobody here wrote: Postfix's submission server with Dovecot's SASL behind it.

One Postfix with several entrances, each with a habit that a real provider may have. Mail that it accepts is handed to the
`Mailroom`; the `Gate` lets a case have it refuse. Invariant: without STARTTLS and a login nothing is accepted.
"""

from bench.authority import Authority
from bench.dovecot import Dovecot
from bench.identity import Identity
from bench.machine import require, require_root
from bench.mailroom import Gate, Mailroom
from bench.postfix import Entrance, Postfix

PASSWORD_MAILBOX, PASSWORD = "smarthost@provider.test", "correct horse battery"


class Provider:
    """Everything upstream of the relay."""

    def __init__(self, machine):
        require("postfix", "dovecot", "openssl")
        require_root()
        self.machine = machine
        self.authority = Authority(machine.folder("provider-ca"))
        self.identity = Identity()
        machine.at_end(self.identity.close)
        self.mailroom = Mailroom()
        machine.at_end(self.mailroom.close)
        self.gate = Gate()
        machine.at_end(self.gate.close)
        self.dovecot = Dovecot(machine, self.identity.introspection_url, {PASSWORD_MAILBOX: PASSWORD})
        self.postfix = Postfix(machine, "provider", self._settings(), self._entrances())

    def _settings(self):
        certificate, key = self.authority.issue("localhost")
        return {
            "myhostname": "smtp.provider.test",
            "default_transport": f"lmtp:inet:[127.0.0.1]:{self.mailroom.port}",
            "smtpd_tls_cert_file": certificate,
            "smtpd_tls_key_file": key,
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_auth_only": "yes",
            "smtpd_tls_loglevel": "1",
            "smtpd_tls_received_header": "yes",
            "smtpd_sasl_auth_enable": "yes",
            "smtpd_sasl_type": "dovecot",
            "smtpd_sasl_path": self.dovecot.socket,
            "smtpd_sasl_security_options": "noanonymous",
            "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
            # All the recipients of one message in one LMTP transaction, so that copies can be counted.
            "lmtp_destination_recipient_limit": "1000",
            # Asked before the login is looked at: a permit there would end the list.
            "smtpd_recipient_restrictions": f"check_policy_service inet:127.0.0.1:{self.gate.port}, "
            "permit_sasl_authenticated, reject",
            "smtpd_end_of_data_restrictions": f"check_policy_service inet:127.0.0.1:{self.gate.port}",
            "smtpd_policy_service_default_action": "451 4.3.5 the gate is gone",
        }  # fmt: skip

    def _entrances(self):
        other_certificate, other_key = self.authority.issue("elsewhere", "DNS:elsewhere.test")
        stranger = Authority(self.machine.folder("stranger-ca"), "A stranger's authority")
        strange_certificate, strange_key = stranger.issue("localhost")
        return [
            Entrance("starttls"),
            Entrance("implicit", {"smtpd_tls_wrappermode": "yes"}),
            Entrance("nochunking", {"smtpd_discard_ehlo_keywords": "chunking"}),
            Entrance("nopipelining", {"smtpd_discard_ehlo_keywords": "pipelining"}),
            Entrance("lockstep", {"smtpd_discard_ehlo_keywords": "chunking, pipelining"}),
            Entrance("sevenbit", {"smtpd_discard_ehlo_keywords": "8bitmime, smtputf8, chunking"}),
            Entrance("oldtls", {"smtpd_tls_mandatory_protocols": "TLSv1.2"}),
            Entrance("cleartext", {"smtpd_tls_security_level": "none", "smtpd_tls_auth_only": "no"}),
            Entrance(
                "othername", {"smtpd_tls_cert_file": other_certificate, "smtpd_tls_key_file": other_key}
            ),
            Entrance(
                "stranger", {"smtpd_tls_cert_file": strange_certificate, "smtpd_tls_key_file": strange_key}
            ),
            # Ends a session that was silent for two seconds, as providers do after minutes.
            Entrance("impatient", {"smtpd_timeout": "2s"}),
            # Says 421 after the third refusal in a session, wherever in a pipelined group that is.
            Entrance("strict", {"smtpd_hard_error_limit": "2"}),
            Entrance("small", {"message_size_limit": "100000"}),
        ]  # fmt: skip

    def port(self, entrance):
        """The port of a named entrance."""
        return self.postfix.port(entrance)
