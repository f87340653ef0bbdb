"""Made-up secrets of every kind, put together at run time: none stands in this repository.

Each is a text as an agent would write it, and the part of it that must never be seen again.
"""

import random
import string
from typing import NamedTuple

_LETTERS = string.ascii_letters
_MIXED = string.ascii_letters + string.digits
_UPPER = string.ascii_uppercase + "234567"


class Planted(NamedTuple):
    """``text`` holds ``secret``, which is of the kind ``kind``."""

    name: str
    kind: str
    text: str
    secret: str


class Maker:
    """Secrets by a seed: another seed, other secrets."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _of(self, size: int, alphabet: str = _MIXED) -> str:
        """Random characters, with a letter first and a digit behind it."""
        told = "".join(self._random.choice(alphabet) for _ in range(size - 2))
        return f"{self._random.choice(_UPPER[:26])}7{told}"

    def _key(self, lines: int = 4) -> str:
        return "\n".join(self._of(64) for _ in range(lines))

    def tokens(self) -> list[Planted]:
        """Tokens that are known by how they begin."""
        made = {
            "aws": [f"{'AK' + 'IA'}{self._of(16, _UPPER)}", f"{'AS' + 'IA'}{self._of(16, _UPPER)}"],
            "gcp": [f"{'AI' + 'za'}{self._of(35)}", f"{'GOC' + 'SPX'}-{self._of(28)}"],
            "azure": [f"{self._of(3)}7Q~{self._of(34)}"],
            "github": [
                *(f"{'gh' + each}_{self._of(36)}" for each in "pousr"),
                f"{'github' + '_pat'}_{self._of(22)}_{self._of(59)}",
            ],
            "gitlab": [f"{'gl' + 'pat'}-{self._of(20)}", f"{'gl' + 'rt'}-{self._of(20)}"],
            "slack": [
                f"{'xo' + 'xb'}-{self._of(12)}-{self._of(24)}",
                f"{'xa' + 'pp'}-1-{self._of(20)}",
            ],
            "stripe": [f"{'sk' + '_live'}_{self._of(24)}", f"{'whs' + 'ec'}_{self._of(32)}"],
            "openai": [f"{'sk'}-{self._of(48)}", f"{'sk' + '-proj'}-{self._of(48)}"],
            "anthropic": [f"{'sk' + '-ant'}-api03-{self._of(90)}"],
            "npm": [f"{'np' + 'm'}_{self._of(36)}"],
            "pypi": [f"{'py' + 'pi'}-AgEI{self._of(60)}"],
            "huggingface": [f"{'h' + 'f'}_{self._of(34)}"],
            "token": [f"{'hv' + 's'}.{self._of(24)}", f"{'gl' + 'sa'}_{self._of(32)}"],
            "jwt": [f"{'ey' + 'J'}{self._of(20)}.{'ey' + 'J'}{self._of(40)}.{self._of(43)}"],
        }
        return [
            Planted(f"{kind} {place}", kind, f"use {each} now", each)
            for kind, told in made.items()
            for place, each in enumerate(told)
        ]

    def named(self) -> list[Planted]:
        """Secrets that are known by what stands around them."""
        word = self._of(16)
        frames = {
            "aws": "aws_secret_access_key = {}",
            "azure": "AccountName=shop;AccountKey={};EndpointSuffix=x",
            "slack": "https://hooks.slack.com/services/{}",
            "authorization header": 'curl -H "Authorization: Bearer {}" https://x.example',
            "authorization json": '{{"headers": {{"Authorization": "Basic {}"}}}}',
            "authorization bearer": "sent as bearer {} again",
            "connection_string": "postgres://shop:{}@db.example.org:5432/shop",
            "connection_string redis": "rediss://:{}@cache.example.org/0",
            "cookie": "Cookie: theme=dark; sid={}",
            "cookie curl": "curl -b 'sid={}' https://x.example",
            "password env": "export DB_PASSWORD={} && run",
            "password json": '{{"user": "joe", "password": "{}"}}',
            "password json in json": '{{\\"client_secret\\": \\"{}\\"}}',
            "password yaml": "db:\n  password: {}\n  port: 5432",
            "password code": "API_KEY = '{}'",
            "password flag": "deploy --password {} --dry-run",
            "password flag with =": "deploy --api-key={}",
            "password list": '["deploy", "--client-secret", "{}"]',
            "password curl": "curl -u joe:{} https://x.example",
            "password xml": "<password>{}</password>",
            "password netrc": "machine x.example login joe password {}",
            "password said": "the password is {} by the way",
            "url_parameter": "https://x.example/a?user=joe&sig={}&page=2",
        }
        made = []
        for name, frame in frames.items():
            secret = f"{word}{self._of(24)}"
            made.append(Planted(name, name.split()[0], frame.format(secret), secret))
        return made

    def keys(self) -> list[Planted]:
        """Private keys, of which no line may be left."""
        made = []
        for name in ("RSA ", "OPENSSH ", "EC ", ""):
            body = self._key()
            label = f"{name}PRIVATE{' '}KEY"
            begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
            whole = f"here:\n{begin}\n{body}\n{end}\nbye"
            made.append(Planted(f"{name}key", "private_key", whole, body.split("\n")[1]))
            made.append(
                Planted(f"{name}key, cut", "private_key", f"{begin}\n{body}", body.split("\n")[3])
            )
        return made

    def all(self) -> list[Planted]:
        """One of everything."""
        return [*self.tokens(), *self.named(), *self.keys()]
