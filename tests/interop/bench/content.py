"""Messages to send, and how what arrived is compared with them.

Invariant: beyond the Received fields in front, an octet that differs is a difference.
"""

import re

_RECEIVED = re.compile(rb"Received:[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*")


def received_removed(content):
    """The content without the Received fields that were put in front of it, and those fields, the latest first."""
    fields = []
    while field := _RECEIVED.match(content):
        fields.append(field.group())
        content = content[field.end() :]
    return content, fields


def message(subject, body=b"Hello.\r\n", sender="app@example.com"):
    """A small message with CRLF line ends."""
    return f"From: <{sender}>\r\nTo: <someone@example.org>\r\nSubject: {subject}\r\n\r\n".encode() + body


DOTS = (
    b".\r\n..\r\n...\r\n.a line that begins with a dot\r\n..two dots\r\n\r\n.\r\n\r\nA dot. In the middle .\r\n"
    b" .\r\n.\t\r\nQUIT\r\nRSET\r\n.\r\n"
)
# Every octet but NUL, CR and LF, in lines of many lengths; 8BITMIME allows no more than that.
OCTETS = b"".join(bytes(range(1, 10)) + bytes(range(14, 14 + n % 242)) + b"\r\n" for n in range(300))


def lines_of(octets, width=76):
    """About this many octets of text in lines with CRLF, no two lines alike."""
    count = octets // (width + 2)
    return b"".join(b"%0*d\r\n" % (width, number) for number in range(count))
