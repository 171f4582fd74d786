# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes secrets out of plain data: by name, by look, and wherever a secret that was found once stands again. PRIVATE.

In a secret's place stands an HMAC of it. The key is thrown away with the Redactor, so equal secrets stay equal within one snapshot
and nobody can try guesses, not even of a short one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ..._telling import TELLING

MARK = "hmac:"
LEAST = 8
"""What is shorter is hidden where it is a secret, but not looked for elsewhere: it would be found in half of all words."""
_DIGITS = 32
_NAMES_OF_SECRETS = re.compile(r"secrets?[-_]?(name|namespace|ref|resource)|admin-secret|-file$", re.IGNORECASE)
_LOOKS = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)"
    r"|(?<=://)[^/\s\"'@]+:[^/\s\"'@]+(?=@)"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"
    r"|(?<=[Bb]earer )[\w.~+/=-]{8,}"
    r"|(?<=[Bb]asic )[A-Za-z0-9+/]{8,}={0,2}",
    re.DOTALL,
)
_WORTH_A_LOOK = re.compile(r"://|-----B|eyJ|\$2|(?:earer|asic) |(?:[Tt]oken|TOKEN|[Pp]assword|PASSWORD|[Ss]ecret|SECRET|[Kk]ey|KEY)")
"""What every text has that one of the two others finds; this one is quick."""
_MEMBERS = re.compile(
    r"((?:client-key-data|[Tt]oken|TOKEN|[Pp]assword|PASSWORD|[Cc]lient[-_]?[Ss]ecret|CLIENT_?SECRET|[Aa]ccess[-_]?[Kk]ey|ACCESS_?KEY)"
    r"[\"']?[ \t]*[:=][ \t]*[\"']?)(?!hmac:)([^\s\"',}&]{6,})"
)
"""In a text that is YAML, JSON, an environment file or a query by itself, e.g. a kubeconfig inside a ConfigMap."""


class Redactor:
    """Hides secrets, the same one always by the same mark.

    ``known`` are those it has seen. ``told`` are addresses and names out of Secrets: they are hidden in sentences, but elsewhere they
    stand on their own, e.g. in a route.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._key = secrets.token_bytes(32)
        self.known: set[str] = set()
        self.told: set[str] = set()
        for text in known:
            self.learn(text)

    def mark(self, content: str | bytes) -> str:
        """What stands in a secret's place; nothing stays nothing."""
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        return MARK + hmac.new(self._key, data, hashlib.sha256).hexdigest()[:_DIGITS] if data else ""

    def hide(self, text: str) -> str:
        """The mark of a text, which is looked for everywhere from now on. A mark is not hidden again."""
        if text.startswith(MARK):
            return text
        self.learn(text)
        return self.mark(text)

    def learn(self, text: str) -> None:
        """A secret to look for."""
        if len(text) >= LEAST:
            self.known.add(text)

    def hide_base64(self, value: Any) -> str:
        """A Secret's value: what it stands for is hidden, and it stays base64, or stays none."""
        text = value if isinstance(value, str) else json.dumps(value)
        self.learn(text)
        try:
            content = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return self.mark(text)  # its colon is no base64
        self.learn(_plain(content).strip())
        self._learn_inside(_plain(content))
        return base64.b64encode(self.mark(content).encode()).decode()

    def text(self, text: str) -> str:
        """A text in which is hidden what looks like a secret. It is not looked for elsewhere, since it may be a word of a sentence."""
        if len(text) < LEAST or not _WORTH_A_LOOK.search(text):
            return text
        found = _LOOKS.sub(lambda match: self.mark(match[0]), text)
        return _MEMBERS.sub(lambda match: match[1] + self.mark(match[2]), found)

    def arguments(self, words: Iterable[Any]) -> list[Any]:
        """A command line: what follows a telling flag is hidden."""
        shown: list[Any] = []
        follows = False
        for word in words:
            flag, sign, value = str(word).partition("=")
            telling = flag.startswith("-") and is_telling(flag)
            if telling and sign:
                shown.append(f"{flag}={self.hide(value)}")
            else:
                shown.append(self.hide(str(word)) if follows and not flag.startswith("-") else self.plain(word))
            follows = telling and not sign
        return shown

    def values(self, item: Any) -> Any:
        """Values of a chart: members with a telling name are hidden, whatever is below them."""
        if isinstance(item, Mapping):
            return {key: self._value(str(key), value, str(item.get("name") or "")) for key, value in item.items()}
        if isinstance(item, (list, tuple)):
            return self.arguments(item) if all(isinstance(word, str) for word in item) else [self.values(part) for part in item]
        return self.plain(item)

    def all_of(self, item: Any) -> Any:
        """The same shape with every text and number hidden."""
        if isinstance(item, Mapping):
            return {key: self.all_of(value) for key, value in item.items()}
        if isinstance(item, (list, tuple)):
            return [self.all_of(part) for part in item]
        return item if item is None or isinstance(item, bool) else self.hide(str(item))

    def plain(self, item: Any) -> Any:
        """One text by its look; anything else as it is."""
        return self.text(item) if isinstance(item, str) else item

    def _learn_inside(self, text: str) -> None:
        """The logins in a Docker configuration, and the like."""
        if text.lstrip().startswith("{"):
            with contextlib.suppress(ValueError):
                self.values(json.loads(text))

    def _value(self, key: str, value: Any, name: str) -> Any:
        telling = is_telling(key) or (key == "value" and is_telling(name))
        return self.all_of(value) if telling else self.values(value)


@lru_cache(maxsize=4096)
def is_telling(name: str) -> bool:
    """Whether a name is that of a secret, rather than of the Secret or the file it is in."""
    return bool(TELLING.search(name)) and not _NAMES_OF_SECRETS.search(name)


def standing(data: Any, known: Iterable[str], names: set[str]) -> list[str]:
    """Those of ``known`` that still stand somewhere in ``data``, the longest first; a part of one of ``names`` is no secret."""
    text, public = json.dumps(data, default=str), "\n".join(names)
    return sorted((word for word in known if word not in public and json.dumps(word)[1:-1] in text), key=len, reverse=True)


def replaced(item: Any, words: Mapping[str, str]) -> Any:
    """A copy in which each of ``words`` is replaced, in texts and in names of members."""
    if isinstance(item, str):
        for word, mark in words.items():
            item = item.replace(word, mark)
        return item
    if isinstance(item, Mapping):
        return {replaced(key, words): replaced(value, words) for key, value in item.items()}
    return [replaced(part, words) for part in item] if isinstance(item, list) else item


def _plain(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return ""
