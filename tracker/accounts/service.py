"""Signing in: codes asked for and entered, sessions, own codes and tokens. Nothing here commits."""

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from tracker.accounts import codes, phones, policy
from tracker.accounts.agents import agent_name
from tracker.accounts.entries import CodeEntries, Proved
from tracker.accounts.hashing import CodeHasher
from tracker.accounts.known_devices import KnownDevices
from tracker.accounts.limits import Limits
from tracker.accounts.outcomes import Blocked, CodeAsked, SignedIn, WrongCode
from tracker.accounts.policy import TERMS_VERSION, SignInPolicy
from tracker.domain.access import Viewer, require_step_up
from tracker.domain.account import Account, SessionKind, SessionLevel, SignedSession
from tracker.domain.errors import Invalid, StepUpRequired
from tracker.domain.ids import is_id, new_id
from tracker.domain.names import clean_name
from tracker.domain.notification import Notification
from tracker.store import accounts, outbox, sessions, signin
from tracker.store.access import Access
from tracker.store.seal import Sealer, token_hash
from tracker.store.session import Session

__all__ = ["TERMS_VERSION", "Accounts", "Blocked", "CodeAsked", "SignedIn", "WrongCode"]

TOKENS_PER_ACCOUNT = 50
_NOTICE_LIVES_FOR = timedelta(days=1)


class Accounts:
    """The accounts of one deployment."""

    def __init__(self, sealer: Sealer, hasher: CodeHasher, policy: SignInPolicy) -> None:
        self._sealer = sealer
        self._hasher = hasher
        self._policy = policy
        self._limits = Limits(sealer, policy)
        self._known_devices = KnownDevices(sealer)
        self._entries = CodeEntries(hasher)

    def ask_code(
        self,
        session: Session,
        *,
        phone: str,
        region: str | None,
        locale: str,
        address: str,
        device_token: str | None = None,
        earlier_login_id: str | None = None,
        now: datetime,
    ) -> CodeAsked:
        """Send a code of 8 digits by SMS, if the number may get one now; the answer never tells.

        Who asks again before the next code may go out goes on with his `earlier_login_id`, if the code sent
        for it still opens: the SMS he has, or that is on its way, stays good.

        The code opens only together with the returned `login_id`, for 10 minutes, once. Older codes and the
        own code go on working. `device_token` is that of an earlier `SignedIn` in the same browser.

        Raises:
            Invalid: ("phone", ...) it is no phone number.
            TooMany: this network asks too often, for whatever numbers.
        """
        number = phones.normal(phone, region or self._policy.home_region)
        phone_hash = self._phone_hash(number)
        code = codes.new_sms_code()
        # Hashed in any case and before the database is touched: equal time, and no lock held meanwhile.
        code_hash = self._hasher.hash(code)
        self._limits.guard_requests(session, address, now)
        may_send = self._limits.may_send(
            session,
            phone=number,
            address=address,
            known_device=self._known_devices.knows(device_token, number),
            spent=signin.last_code_is_spent(session, phone_hash, codes.ENTRIES_ALLOWED),
            eligible=phones.may_get_codes(number, self._policy.regions),
            now=now,
        )
        login_id = new_id()
        language = policy.locale_of(locale)
        signin.add_request(
            session,
            login_id=login_id,
            phone_hash=phone_hash,
            code_hash=code_hash if may_send else None,
            locale=language,
            region=region[:10] if region else None,
            now=now,
            expires_at=now + policy.CODE_LIVES_FOR,
        )
        if not may_send and self._still_opens(session, earlier_login_id, phone_hash, now):
            login_id = earlier_login_id or login_id
        if may_send:
            minutes = int(policy.CODE_LIVES_FOR.total_seconds()) // 60
            self._tell(
                session,
                "login_code",
                number,
                language,
                {"code": code, "minutes": minutes, "host": self._policy.host},
                lives_for=policy.CODE_LIVES_FOR,
                now=now,
            )
        return CodeAsked(
            login_id=login_id,
            phone=number,
            sender=self._policy.sender,
            expires_in_s=int(policy.CODE_LIVES_FOR.total_seconds()),
            resend_in_s=int(policy.RESEND_AFTER.total_seconds()),
        )

    def sign_in(
        self,
        session: Session,
        *,
        phone: str,
        code: str,
        login_id: str | None,
        accept_terms: bool,
        kind: SessionKind,
        address: str,
        agent: str,
        locale: str,
        device_token: str | None = None,
        now: datetime,
    ) -> SignedIn | WrongCode | Blocked:
        """Open the account of `phone` by a code: one by SMS with its `login_id`, or the own code without.

        The first right code by SMS makes the account. Wrong entries are values: commit their count. A code is
        always entered together with accepting the terms; asking it only of new numbers would tell who is one.

        Raises:
            Invalid: ("accept_terms", ...) not accepted, or ("phone", ...) no phone number; nothing was
                evaluated or counted.
            TooMany: this network enters too many codes.
        """
        if not accept_terms:
            raise Invalid(("accept_terms", "Read and accept the terms of service."))
        number = phones.normal(phone, self._policy.home_region)
        self._limits.guard_entries(session, address, now)
        entry = self._entries.enter(
            session,
            phone=number,
            phone_hash=self._phone_hash(number),
            code=code,
            login_id=login_id,
            now=now,
        )
        if not isinstance(entry, Proved):
            return entry
        account = accounts.open_account(
            session, phone=number, locale=policy.locale_of(locale), region=entry.region, now=now
        )
        accounts.accept_terms(session, account.account_id, TERMS_VERSION, now)
        signed, token = self._open_session(session, account, kind, entry.level, agent_name(agent), now)
        if entry.level is SessionLevel.OWN_CODE and not self._known_devices.knows(device_token, number):
            self._notice_sign_in(session, account, signed.name, now)
        return SignedIn(
            token=token,
            session=signed,
            account=accounts.get(session, account.account_id),
            device_token=self._known_devices.new_token(number),
        )

    def authenticate(
        self, session: Session, token: str, now: datetime
    ) -> tuple[SignedSession, Viewer] | None:
        """Return the session of a token and its viewer, or None if it is unknown, ended or expired."""
        signed = sessions.by_token_hash(session, token_hash(token), now)
        if signed is None:
            return None
        return signed, Viewer(
            account_id=signed.account_id,
            session_id=signed.session_id,
            level=signed.level,
            proved_at=signed.proved_at,
        )

    def set_own_code(
        self, session: Session, viewer: Viewer, code: str, *, sign_out_others: bool = False, now: datetime
    ) -> None:
        """Set the owner's own code in place of the old one, and tell him by SMS.

        Raises:
            StepUpRequired: no code was given in this session within 5 minutes.
            Invalid: ("code", why) it is too short, too long or easy to guess.
        """
        require_step_up(viewer, now)
        account = accounts.get(session, viewer.account_id)
        codes.check_own_code(code, phone=account.phone, locale=account.locale)
        accounts.set_own_code_hash(session, account.account_id, self._hasher.hash(codes.own_code(code)), now)
        if sign_out_others:
            sessions.remove_others(session, account.account_id, viewer.session_id)
        self._tell(
            session,
            "own_code_changed",
            account.phone,
            account.locale,
            {},
            account_id=account.account_id,
            now=now,
        )

    def step_up(
        self,
        session: Session,
        viewer: Viewer,
        *,
        code: str,
        login_id: str | None,
        address: str,
        now: datetime,
    ) -> Viewer | WrongCode | Blocked:
        """Prove the owner again in his session; entries are counted together with those of signing in.

        Raises:
            StepUpRequired: a named token cannot prove its owner.
            TooMany: this network enters too many codes.
        """
        if viewer.level is SessionLevel.TOKEN:
            raise StepUpRequired("a token cannot give a code")
        self._limits.guard_entries(session, address, now)
        account = accounts.get(session, viewer.account_id)
        entry = self._entries.enter(
            session,
            phone=account.phone,
            phone_hash=self._phone_hash(account.phone),
            code=code,
            login_id=login_id,
            now=now,
        )
        if not isinstance(entry, Proved):
            return entry
        sessions.touch_proof(session, viewer.account_id, viewer.session_id, now)
        return replace(viewer, proved_at=now)

    def add_token(
        self, session: Session, viewer: Viewer, *, name: str, expires_at: datetime | None, now: datetime
    ) -> tuple[str, SignedSession]:
        """Make a named token for a program; without `expires_at` it lives for 365 days. It is returned once.

        Raises:
            StepUpRequired: no code was given in this session within 5 minutes.
            Invalid: ("name", ...) or ("expires_at", ...): not ahead, more than 5 years ahead, or too many.
        """
        require_step_up(viewer, now)
        label = clean_name(name)
        ends_at = expires_at or now + policy.TOKEN_LIVES_FOR
        if not now < ends_at <= now + 5 * policy.TOKEN_LIVES_FOR:
            raise Invalid(("expires_at", "It must lie ahead, at most five years."))
        if len(Access(session, viewer).tokens(now)) >= TOKENS_PER_ACCOUNT:
            raise Invalid(("name", "There are 50 tokens already: delete some first."))
        account = accounts.get(session, viewer.account_id)
        signed, token = self._open_session(
            session, account, SessionKind.TOKEN, SessionLevel.TOKEN, label, now, ends_at=ends_at
        )
        return token, signed

    def end_session(self, session: Session, viewer: Viewer, session_id: str, *, now: datetime) -> None:  # noqa: ARG002
        """End a session or a token of the viewer's account, at once.

        Raises:
            NotFound: the account has none of this id.
        """
        sessions.remove(session, viewer.account_id, session_id)

    def set_locale(self, session: Session, viewer: Viewer, locale: str, *, now: datetime) -> None:  # noqa: ARG002
        """Choose the language of messages and pages.

        Raises:
            Invalid: ("locale", ...) it is neither "ru" nor "en".
        """
        if locale not in policy.LOCALES:
            raise Invalid(("locale", "Choose ru or en."))
        accounts.set_locale(session, viewer.account_id, locale)

    def _still_opens(self, session: Session, login_id: str | None, phone_hash: bytes, now: datetime) -> bool:
        if login_id is None or not is_id(login_id):
            return False
        return signin.is_alive(
            session,
            login_id=login_id,
            phone_hash=phone_hash,
            entries_allowed=codes.ENTRIES_ALLOWED,
            now=now,
        )

    def _open_session(
        self,
        session: Session,
        account: Account,
        kind: SessionKind,
        level: SessionLevel,
        name: str,
        now: datetime,
        *,
        ends_at: datetime | None = None,
    ) -> tuple[SignedSession, str]:
        token = secrets.token_urlsafe(32)
        signed = SignedSession(
            account_id=account.account_id,
            session_id=new_id(),
            kind=kind,
            level=level,
            name=name,
            created_at=now,
            last_seen_at=now,
            expires_at=ends_at or now + policy.SESSION_LIVES_FOR,
            proved_at=now,
        )
        sessions.add(session, signed, token_hash(token))
        return signed, token

    def _notice_sign_in(self, session: Session, account: Account, device: str, now: datetime) -> None:
        # A sign-in by SMS was told by the SMS itself; this is for who learnt the own code.
        if self._limits.may_notice(session, account.account_id, now):
            args = {"device": device, "host": self._policy.host}
            self._tell(
                session, "new_sign_in", account.phone, account.locale, args, account.account_id, now=now
            )

    def _tell(
        self,
        session: Session,
        kind: str,
        phone: str,
        locale: str,
        args: Mapping[str, object],
        account_id: str | None = None,
        *,
        lives_for: timedelta = _NOTICE_LIVES_FOR,
        now: datetime,
    ) -> None:
        notification = Notification(
            channel="sms",
            kind=kind,
            to=phone,
            locale=locale,
            args=args,
            account_id=account_id,
            expires_at=now + lives_for,
        )
        outbox.put(session, notification, self._sealer, now)

    def _phone_hash(self, phone: str) -> bytes:
        return self._sealer.blind(phone, purpose="phone")
