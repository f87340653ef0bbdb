"""The built-in rules: what kinds of secrets there are, and how each is recognised.

Every pattern is linear: what repeats is bounded, possessive, or the end of the pattern. None has to
see more than 256 characters to recognise a secret. Read by the redactor.
"""

from typing import Any, NamedTuple

MARK = "[redacted:"
CUSTOM = "custom"  # what rules of a user's own are counted as


class Rule(NamedTuple):
    """One kind of secret. What its group matched, else the whole match, is what is taken out.

    Where none of ``needles`` (in lower case) stands in a text, its pattern is not searched.
    ``counted_as`` is a label of the metric, and so never a name of a user's own. A ``folded``
    pattern is in lower case, and is searched in the text in lower case.
    """

    kind: str
    pattern: Any  # a text for ``re``, compiled when first needed; a user's is compiled by RE2
    needles: tuple[str, ...]
    counted_as: str
    folded: bool = False


_AFTER = r"(?<![A-Za-z0-9])"
_QUOTE = r"\\{0,4}[\"']"  # as in a text, in JSON, and in JSON that is a text in JSON
_ASSIGNED = rf"[ \t]{{0,4}}(?:{_QUOTE}\]?)?[ \t]{{0,4}}(?::=|=>|==|[:=])[ \t]{{0,4}}"
_FRESH = r"(?!\[r)"  # not what was redacted before
_BARE = r"[^\s\"'`,;&<>()\[\]{}\\|]"
# What only say where the secret is, or of what type one would be.
_REFERENCE = (
    r"(?:[$<%{*&]|\.{3}|(?:true|false|null|none|nil|undefined|str|string|bytes|int|any|optional"
    r"|required|self|env|os|process|config|settings|args|vars|getenv)\b)"
)
_QUOTED = (
    rf"(?:\"(?!{_REFERENCE}|[\"\s]){_FRESH}((?:\\[^\r\n]|[^\"\\\r\n]){{3,}}+)"
    rf"|'(?!{_REFERENCE}|['\s]){_FRESH}((?:\\[^\r\n]|[^'\\\r\n]){{3,}}+)"
    rf"|\\{{1,4}}[\"'](?!{_REFERENCE}|\s){_FRESH}([^\"'\\\r\n]{{3,}}+))"
)
_PLAIN = rf"(?!{_REFERENCE}){_FRESH}({_BARE}{{4,}}+)(?![(\[])"
_STRONG = (
    r"(?:password|passwd|passphrase|passcode|pwd(?<![a-z]pwd)(?!\W{1,4}[/~.])|secret"
    r"|api[_ -]?key|access[_-]?key|private[_-]?key|account[_-]?key|encryption[_-]?key"
    r"|signing[_-]?key|master[_-]?key|service[_-]?key|auth[_-]?token(?!s)|access[_-]?token(?!s)"
    r"|refresh[_-]?token(?!s)|id[_-]?token(?!s)|session[_-]?token(?!s)|api[_-]?token(?!s)"
    r"|bot[_-]?token(?!s))"
)  # each begins with a letter: so the search looks for these letters alone
_STRONG_NEEDLES = (
    "passw", "passphrase", "passcode", "pwd", "secret", "api_key", "api-key", "apikey", "api key",
    "access_key", "access-key", "accesskey", "private_key", "private-key", "privatekey",
    "account_key", "accountkey", "encryption_key", "encryption-key", "encryptionkey",
    "signing_key", "signing-key", "signingkey", "master_key", "master-key", "masterkey",
    "service_key", "service-key", "servicekey",
    "auth_token", "auth-token", "authtoken", "access_token", "access-token", "accesstoken",
    "refresh_token", "refresh-token", "refreshtoken", "id_token", "id-token", "idtoken",
    "session_token", "session-token", "sessiontoken", "api_token", "api-token", "apitoken",
    "bot_token", "bot-token", "bottoken",
)  # fmt: skip
_REST = r"[A-Za-z0-9_-]{0,24}+"  # PASSWORD_PROD, secretKey


def _rule(kind: str, needles: tuple[str, ...], pattern: str) -> Rule:
    return Rule(kind, pattern, needles, kind)


def _token(kind: str, needles: str, pattern: str) -> Rule:
    """A token that is known by its beginning."""
    return _rule(kind, tuple(needles.split()), _AFTER + pattern)


def _named(kind: str, needles: tuple[str, ...], pattern: str) -> Rule:
    """A secret that is known by the words before it, in either case."""
    return Rule(kind, pattern, needles, kind, folded=True)


_KEYS = (
    _rule(
        "private_key", ("private key",),
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S])*+"
        r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
    ),
    _token("private_key", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{20,}"),
)  # fmt: skip
_CLOUDS = (
    _token("aws", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _named(
        "aws",
        ("aws_secret", "aws_session", "aws-secret", "aws-session", "aws.secret", "awssecret"),
        rf"aws[\w.-]{{0,30}}(?:secret|session)[\w.-]{{0,30}}{_ASSIGNED}(?:{_QUOTE})?"
        r"([A-Za-z0-9/+=]{30,})",
    ),
    _token("gcp", "aiza", r"AIza[A-Za-z0-9_-]{30,}"),
    _token("gcp", "ya29. gocspx-", r"(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{20,}"),
    _named(
        "azure", ("accountkey=", "sharedaccesskey=", "sharedaccesssignature="),
        r"(?:accountkey|sharedaccesskey|sharedaccesssignature)=([A-Za-z0-9+/%]{20,}={0,2})",
    ),
    _rule(
        "azure", ("q~",),
        r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,}",
    ),
)  # fmt: skip
_SERVICES = (
    _token("github", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_[A-Za-z0-9]{30,}"),
    _token("github", "github_pat_", r"github_pat_[A-Za-z0-9_]{22,}"),
    _token(
        "gitlab", "glpat- glptt- glrt- gldt- gloas- glcbt- glft- glsoat- glimt- glagent-",
        r"gl(?:pat|ptt|rt|dt|oas|cbt|ft|soat|imt|agent)-[A-Za-z0-9_.-]{16,}",
    ),
    _token("slack", "xox xapp-", r"(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,}"),
    _rule(
        "slack", ("hooks.slack.com/",),
        r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_+-]{16,})",
    ),
    _token(
        "stripe", "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
        r"(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9+/=]{10,}",
    ),
    _token("anthropic", "sk-ant-", r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _token(
        "openai", "sk-",
        r"sk-(?!ant-)(?:[a-z]{2,12}-)?(?=[A-Za-z_-]{0,60}+[0-9])[A-Za-z0-9_-]{20,}",
    ),
    _token("npm", "npm_", r"npm_[A-Za-z0-9]{30,}"),
    _token("pypi", "pypi-", r"pypi-[A-Za-z0-9_-]{40,}"),
    _token("huggingface", "hf_", r"hf_[A-Za-z0-9]{30,}"),
    _token(
        "token",
        "dop_v1_ doo_v1_ dor_v1_ hvs. hvb. dckr_pat_ shpat_ shpss_ glsa_ lin_api_ gsk_ xai- "
        "sntrys_ sg. rubygems_ atatt3 nvapi- tskey-",
        r"(?:do[por]_v1_|hv[sb]\.|dckr_pat_|shp(?:at|ss)_|glsa_|lin_api_|gsk_|xai-|sntrys_|SG\."
        r"|rubygems_|ATATT3|nvapi-|tskey-)(?=[A-Za-z_.-]{0,40}+[0-9])[A-Za-z0-9_.=-]{24,}",
    ),
    _token("token", ":aa", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}"),  # of a bot of Telegram
    _token(
        "jwt", "eyj",
        r"eyJ[A-Za-z0-9_-]{8,}+(?:(?<=[A-Za-z0-9_-]{60})\Z|(?:\.|%2[Ee])[A-Za-z0-9_-]{8,}+)"
        r"(?:(?:\.|%2[Ee])[A-Za-z0-9_-]*+){0,3}",
    ),
)  # fmt: skip
_HEADERS = (
    _rule(
        "connection_string", ("://",),
        r"[A-Za-z][A-Za-z0-9+.-]{1,30}+://([^\s\"'`<>/?#:@\[\\]{0,64}+:"
        r"(?![$<{])[^\s\"'`<>/?#\[\\]{1,180})@",
    ),
    _named(
        "authorization", ("authorization",),
        rf"authorization{_ASSIGNED}(?:{_QUOTE})?{_FRESH}("
        rf"(?:bearer|basic|token|digest|negotiate|apikey|aws4-hmac-sha256)[ \t]{{1,2}}{_FRESH}"
        rf"(?!{_REFERENCE})[^\r\n\"'\\\[]{{4,}}"
        rf"|(?=[^\s0-9]{{0,60}}+[0-9]){_BARE}{{8,}})",
    ),
    _named(
        "authorization", ("bearer ", "bearer\t", "bearer%20", "bearer+"),
        r"\bbearer(?:[ \t]{1,4}|%20|\+)((?=[A-Za-z._~+/-]{0,60}+[0-9])"
        r"[A-Za-z0-9._~+/-]{8,}={0,2})",
    ),
    _named(
        "authorization", ("basic ", "basic\t"),
        r"\bbasic[ \t]{1,4}((?=[A-Za-z+/]{0,60}+[0-9])[A-Za-z0-9+/]{12,}={0,2}"
        r"|[A-Za-z0-9+/]{6,}={1,2})",
    ),
    _named(
        "cookie", ("cookie:", "cookie\"", "cookie'", "cookie\\", "cookie=", "cookie :", "cookie ="),
        rf"cookie(?:{_QUOTE})?[ \t]{{0,4}}[:=][ \t]{{0,4}}(?:{_QUOTE})?"
        r"([\w!#$%&*+.^|~-]{1,128}+=[^\r\n\"'\\]+)",
    ),
    _rule(
        "cookie", ("curl",),
        rf"\s(?:-b|--cookie)[ =]{{0,2}}(?:{_QUOTE})?"
        r"([\w!#$%&*+.^|~-]{1,128}+=[^\r\n\"'\\]+)",
    ),
)  # fmt: skip
_PASSWORDS = (
    _rule(
        "password", ("curl", "wget"),
        rf"\s(?:-u|--user|--proxy-user)[ =]?(?:{_QUOTE})?[^\s:\"']{{1,128}}+:{_FRESH}(?![$<{{])"
        r"([^\s\"']+)",
    ),
    _rule("password", ("sshpass",), rf"sshpass\s+-p\s{{0,2}}(?:{_QUOTE})?([^\s\"'\[]+)"),
    _named(
        "password", ("login ", "login\t", "login\n"),
        rf"\blogin\s{{1,4}}\S{{1,128}}+\s{{1,4}}password\s{{1,4}}{_FRESH}(\S+)",
    ),
    _named(
        "password", _STRONG_NEEDLES,
        rf"{_STRONG}{_REST}(?:{_ASSIGNED}{_QUOTED}|[ \t]{{0,4}}={{1,2}}[ \t]{{0,4}}{_PLAIN}"
        rf"|{_ASSIGNED}{_PLAIN}(?=[ \t]*+(?:[\r\n,;}}#\"'\\|&]|\Z)))",
    ),
    _named(
        "password", ("-pass", "-secret", "-token", "-api-key", "-access-key", "-auth"),
        r"--(?:[a-z0-9]{1,20}-){0,3}(?:pass(?:word|wd|phrase)?|secret|token|auth|(?:api|access)-key)"
        rf"(?:-[a-z]{{1,12}})?(?:[ \t=]{{1,4}}|{_QUOTE},\s?)(?:{_QUOTED}|(?!-){_PLAIN})",
    ),
    _named(
        "password",
        ("word is", "word was", "phrase is", "secret is", "token is", "key is"),
        r"(?:password|passphrase|secret|token|api key) (?:is|was):? {1,2}(?:[\"'`])?"
        rf"(?=[^\s0-9]{{0,60}}+[0-9]){_FRESH}({_BARE}{{6,}}+)",
    ),
    _named(
        "password", ("password>", "passwd>", "secret>", "token>", "apikey>", "api_key>"),
        r"<[\w:.-]{0,20}?(?:password|passwd|secret|token|apikey|api_key)>"
        rf"{_FRESH}([^<\s][^<\r\n]{{3,}}+)<",
    ),
    _named(
        "token", ("token=", "token:", "token\"", "token'", "token\\", "token =", "token :"),
        rf"(?<![a-z])token{_ASSIGNED}(?:{_QUOTE})?"
        r"(?=[A-Za-z_.+/=~-]{0,60}+[0-9])([A-Za-z0-9_.+/=~-]{12,})",
    ),
    _named(
        "url_parameter",
        ("key=", "token=", "secret=", "password=", "passwd=", "pwd=", "sig=", "signature=", "auth=",
         "code="),
        r"[?&;](?:[\w.-]{1,24}[_.-])?"
        r"(?:\w{0,8}token|\w{0,8}key|secret|password|passwd|pwd|sig|signature|auth|code)="
        rf"(?![0-9]{{1,4}}(?![\w%])){_FRESH}(?!{_REFERENCE})([^\s\"'`&#<>\\\[]{{4,}})",
    ),
)  # fmt: skip

RULES: tuple[Rule, ...] = (*_KEYS, *_CLOUDS, *_SERVICES, *_HEADERS, *_PASSWORDS)
