"""How the relay logs in to a real Postfix with Dovecot's SASL, and what its clients hear when that fails."""

from bench.content import message
from bench.machine import wait_until
from bench.relay import mailbox
from cases.provider_bytes import UpstreamCase


class ProviderLogins(UpstreamCase):
    """A login that fails is the operator's matter: the client hears 4yz, and nothing but the login is at risk."""

    def methods(self, route):
        """The SASL mechanisms that the provider saw for a route's mailbox."""
        lines = self.provider.postfix.lines(f"sasl_username={mailbox(route)}")
        return {line.partition("sasl_method=")[2].partition(",")[0] for line in lines}

    def assert_sent(self, route):
        content = message(f"by {route}")
        self.send(route, content)
        self.assert_delivered(content)

    def test_xoauth2_after_starttls(self):
        self.assert_sent("starttls")
        self.assertEqual({"XOAUTH2"}, self.methods("starttls"))

    def test_xoauth2_over_implicit_tls(self):
        self.assert_sent("implicit")

    def test_oauthbearer(self):
        self.assert_sent("oauthbearer")
        self.assertEqual({"OAUTHBEARER"}, self.methods("oauthbearer"))

    def test_plain_and_login_with_a_password(self):
        self.assert_sent("plain")
        self.assertIn("PLAIN", self.methods("plain"))
        self.mark += "y"
        self.assert_sent("login")
        self.assertIn("LOGIN", self.methods("login"))

    def test_a_token_longer_than_a_command_line_still_logs_in(self):
        self.assert_sent("longtoken")

    def test_a_provider_with_tls_1_2_only(self):
        self.assert_sent("oldtls")
        self.assertTrue(self.provider.postfix.lines(r"oldtls/smtpd.*TLS connection established.*TLSv1\.2"))

    def test_a_refused_token_is_454_for_the_client_until_the_provider_takes_it_again(self):
        address = mailbox("refused")
        self.provider.identity.refuse(address)
        self.addCleanup(self.provider.identity.allow, address)
        code, text = self.refusal("refused")
        self.assertEqual(454, code, text)
        self.assertIn(b"4.7.0", text)
        self.assert_nothing_delivered()
        # One forced renewal after the first 535, and no more.
        self.assertEqual(2, self.provider.identity.issued.count(address))
        self.assertEqual(454, self.refusal("refused")[0])
        self.assertLessEqual(len(self.provider.postfix.lines(f"SASL XOAUTH2 authentication failed.*{address}")), 2)

    def test_a_token_revoked_early_costs_one_renewal_and_no_mail(self):
        self.assert_sent("revoked")
        address = mailbox("revoked")
        issued = self.provider.identity.issued.count(address)
        self.provider.identity.revoke_issued(address)
        # The relay's sessions end, its token does not: the next login is refused, and renewed.
        self.provider.postfix.restart()
        self.mark += "y"
        self.assert_sent("revoked")
        self.assertEqual(issued + 1, self.provider.identity.issued.count(address))

    def test_a_withdrawn_consent_is_454_and_the_provider_is_not_troubled(self):
        code, text = self.refusal("consentless")
        self.assertEqual(4, code // 100, text)
        self.assertEqual([], self.provider.postfix.lines(mailbox("consentless")))
        self.assert_nothing_delivered()

    def test_no_login_and_no_mail_over_a_connection_without_tls(self):
        self.assert_insecure("cleartext")

    def test_no_login_to_a_server_with_another_name(self):
        self.assert_insecure("othername")

    def test_no_login_to_a_server_of_an_unknown_authority(self):
        self.assert_insecure("stranger")

    def assert_insecure(self, route):
        code, text = self.refusal(route)
        self.assertEqual(4, code // 100, text)
        self.assert_nothing_delivered()
        wait_until(lambda: self.ended(route), "the provider's session does not end")
        for session in self.ended(route):
            self.assertNotIn("auth", session)
            self.assertNotIn("mail", session)
