"""What differs between Python versions and what Lambda brings itself."""

from __future__ import annotations

REMOVED_FROM_PYTHON: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), (3, 12)),
    **dict.fromkeys(("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3"), (3, 13)),
    **dict.fromkeys(("mailcap", "msilib", "nis", "nntplib", "ossaudiodev", "pipes", "sndhdr"), (3, 13)),
    **dict.fromkeys(("spwd", "sunau", "telnetlib", "uu", "xdrlib"), (3, 13)),
}
"""Standard modules and the first Python without them (PEP 594, PEP 632, "What's New in Python 3.12")."""

IN_LAMBDA = frozenset({"boto3", "botocore", "s3transfer", "jmespath"})
"""Distributions in every Lambda Python runtime (Lambda Developer Guide, "Runtime-included SDK versions")."""
