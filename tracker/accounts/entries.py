"""One entry of a code, looked at and counted under a lock: of fifty at once, three are evaluated."""

from dataclasses import dataclass
from datetime import datetime

from tracker.accounts import codes
from tracker.accounts.codes import EntryOutcome, after_entry
from tracker.accounts.hashing import CodeHasher
from tracker.accounts.outcomes import Blocked, WrongCode
from tracker.domain.account import SessionLevel
from tracker.domain.ids import is_id
from tracker.store import accounts, signin
from tracker.store.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """The code was right; `region` is the one that was marked when it was asked for."""

    level: SessionLevel
    region: str | None = None


class CodeEntries:
    """Evaluates codes. Known and unknown numbers take the same way and the same time."""

    def __init__(self, hasher: CodeHasher) -> None:
        self._hasher = hasher

    def enter(
        self,
        session: Session,
        *,
        phone: str,
        phone_hash: bytes,
        code: str,
        login_id: str | None,
        now: datetime,
    ) -> Proved | WrongCode | Blocked:
        """Evaluate the code of an SMS if there is a `login_id`, else an own code, and count the entry."""
        if login_id:
            return self._by_sms(session, phone_hash=phone_hash, code=code, login_id=login_id, now=now)
        return self._by_own_code(session, phone=phone, phone_hash=phone_hash, code=code, now=now)

    def _by_sms(
        self, session: Session, *, phone_hash: bytes, code: str, login_id: str, now: datetime
    ) -> Proved | WrongCode | Blocked:
        request = None
        if is_id(login_id):
            request = signin.lock_request(session, login_id=login_id, phone_hash=phone_hash, now=now)
        if request is None:
            self._hasher.matches(codes.sms_code(code), None)
            return WrongCode(attempts_left=0)
        if request.wrong_entries >= codes.ENTRIES_ALLOWED:
            return Blocked()
        right = self._hasher.matches(codes.sms_code(code), request.code_hash)
        outcome = after_entry(request.wrong_entries, right)
        if not outcome.opened:
            signin.count_wrong_request(session, login_id)
            return _refusal(outcome)
        signin.use_request(session, login_id, phone_hash, now)
        signin.lock_entries(session, phone_hash, now)
        signin.set_entries(session, phone_hash, 0, now)
        return Proved(level=SessionLevel.SMS, region=request.region)

    def _by_own_code(
        self, session: Session, *, phone: str, phone_hash: bytes, code: str, now: datetime
    ) -> Proved | WrongCode | Blocked:
        wrong_entries = signin.lock_entries(session, phone_hash, now)
        if wrong_entries >= codes.ENTRIES_ALLOWED:
            return Blocked()
        right = self._hasher.matches(codes.own_code(code), accounts.own_code_hash(session, phone))
        outcome = after_entry(wrong_entries, right)
        signin.set_entries(session, phone_hash, outcome.wrong_entries, now)
        return Proved(level=SessionLevel.OWN_CODE) if outcome.opened else _refusal(outcome)


def _refusal(outcome: EntryOutcome) -> WrongCode | Blocked:
    return Blocked() if outcome.blocked else WrongCode(attempts_left=outcome.attempts_left)
