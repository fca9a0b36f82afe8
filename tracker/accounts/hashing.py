"""Codes at rest: Argon2id over a peppered digest, and the same time taken when there is nothing to match."""

import hmac
import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError

from tracker.store.seal import Sealer


class CodeHasher:
    """Hashes codes with Argon2id (19 MiB, 2 passes, 1 lane: OWASP's minimum) and the deployment's pepper."""

    def __init__(self, sealer: Sealer) -> None:
        self._pepper = sealer.key("pepper")
        self._argon2 = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._nobodys = self._argon2.hash(self._peppered(secrets.token_hex(16)))

    def hash(self, code: str) -> str:
        """Return the hash to store of `code`, as it was made or as `codes.own_code` gives it."""
        return self._argon2.hash(self._peppered(code))

    def matches(self, code: str, code_hash: str | None) -> bool:
        """Tell whether `code` is the one hashed; None never matches and takes as long to say so."""
        try:
            self._argon2.verify(code_hash or self._nobodys, self._peppered(code))
        except VerifyMismatchError:
            return False
        return code_hash is not None

    def _peppered(self, code: str) -> bytes:
        return hmac.digest(self._pepper, code.encode(), "sha256")
