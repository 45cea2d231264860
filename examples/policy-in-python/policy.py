"""Routes messages by their recipients' domain, adds List-Unsubscribe, and rejects Subjects with a forbidden word.

Which domains, routes and words those are stands in the tenant's settings:
    "@example.org" = "bulk"                              # a recipients' domain and its route
    unsubscribe = "https://acme.example/unsubscribe"     # optional
    forbidden = "casino, lottery"                        # optional
"""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.policy import Description
from wit_world.imports import accounts, settings
from wit_world.imports.types import Reply, Verdict_Proceed, Verdict_Reject

# All imports have to happen up here: a policy that runs has no files, and looking for one ends the call as a failure.
# Python imports a charset when it is first used, so these are looked up now and no others are decoded.
PLAIN = "raw-unicode-escape"
CODECS = {name: codecs.lookup(name) for name in (PLAIN, "us-ascii", "utf-8", "iso-8859-1", "windows-1252")}

FORBIDDEN = Verdict_Reject(Reply(550, (5, 7, 1), "The subject has a word in it that is not sent from here"))


def words_in(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def readable(field: str) -> str:
    """A field's text behind its encoded words (RFC 2047), or as it stands where they cannot be decoded."""
    try:
        parts = decode_header(field)  # one text, or octets with their charset: None between encoded words
        return "".join(
            part if isinstance(part, str) else CODECS[(charset or PLAIN).lower()].decode(part, "replace")[0]
            for part, charset in parts
        )
    except (HeaderParseError, KeyError):
        return field


# The classes' names are those of the contract's interfaces: wit/policy.wit and wit/on-message.wit.
class Policy(exports.Policy):
    def describe(self) -> Description:
        return Description(name="route-by-recipient", version="1.0.0", needs_body=False)

    def check_settings(self) -> None:
        for key, text in settings.all():
            if key.startswith("@"):
                if text not in (known := accounts.routes()):
                    raise Err(f"{key}: there is no route {text!r}; there are: {', '.join(known)}")
            elif key == "unsubscribe":
                if not re.fullmatch(r"(https://|mailto:)[!-;=?-~]+", text):
                    raise Err("unsubscribe: has to be an https: or mailto: address")
            elif key != "forbidden":
                raise Err(f'{key}: a key is "@" and a domain, "unsubscribe" or "forbidden"')


class OnMessage(exports.OnMessage):
    def decide(self, envelope, message, decision):
        subject = readable(message.header("Subject") or "")
        if words_in(subject) & words_in(settings.get("forbidden") or ""):
            return FORBIDDEN

        # A message has one route: where its recipients would need two, the relay decides as without a policy.
        by_domain = {key[1:].lower(): route for key, route in settings.all() if key.startswith("@")}
        wanted = {by_domain.get(recipient.rpartition("@")[2].lower()) for recipient in envelope.recipients()}
        if len(wanted) == 1 and None not in wanted:
            decision.use_route(wanted.pop())

        # A signature may cover the field's absence: adding it would then break the signature.
        unsubscribe = settings.get("unsubscribe")
        if unsubscribe and message.header("List-Unsubscribe") is None and not message.is_signed("List-Unsubscribe"):
            decision.add_header("List-Unsubscribe", f"<{unsubscribe}>")
        return Verdict_Proceed()
