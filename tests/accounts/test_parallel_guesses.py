"""Many entries at once, from threads with connections of their own."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest
from sqlalchemy import event

from tests.accounts.door import OWN_CODE, OWNER, Door, another
from tests.kit.clock import StandingClock
from tracker.accounts.hashing import CodeHasher
from tracker.accounts.policy import SignInPolicy
from tracker.accounts.service import Accounts, Blocked, WrongCode
from tracker.domain.account import SessionKind
from tracker.store.seal import Sealer
from tracker.store.session import Database

GUESSES = 50


class CountingHasher(CodeHasher):
    """A hasher that counts what it is asked."""

    def __init__(self, sealer: Sealer) -> None:
        super().__init__(sealer)
        self.hashed = 0
        self.evaluated = 0
        self._lock = threading.Lock()

    def hash(self, code: str) -> str:
        with self._lock:
            self.hashed += 1
        return super().hash(code)

    def matches(self, code: str, code_hash: str | None) -> bool:
        with self._lock:
            self.evaluated += 1
        return super().matches(code, code_hash)


@pytest.fixture
def hasher(sealer: Sealer) -> CountingHasher:
    return CountingHasher(sealer)


@pytest.fixture
def counted(sealer: Sealer, hasher: CountingHasher, policy: SignInPolicy) -> Accounts:
    return Accounts(sealer, hasher, policy)


@pytest.fixture
def pool(fresh_database: str) -> Iterator[Database]:
    store = Database(fresh_database, pool_size=10)
    yield store
    store.close()


Guess = Callable[[list[str], str | None], Counter[str]]


@pytest.fixture
def guess(pool: Database, counted: Accounts, clock: StandingClock) -> Guess:
    """Enter many codes at once; tells how often each outcome was."""

    def enter(code: str, login_id: str | None, address: str) -> str:
        with pool.begin() as session:
            outcome = counted.sign_in(
                session,
                phone=OWNER,
                code=code,
                login_id=login_id,
                accept_terms=True,
                kind=SessionKind.COOKIE,
                address=address,
                agent="",
                locale="ru",
                now=clock(),
            )
        return type(outcome).__name__

    def all_at_once(entered: list[str], login_id: str | None) -> Counter[str]:
        with ThreadPoolExecutor(max_workers=10) as threads:
            # From a network each: the counters of one network would put them in a row.
            networks = [f"203.0.{number}.1" for number in range(len(entered))]
            return Counter(threads.map(enter, entered, repeat(login_id), networks))

    return all_at_once


def test_a05_of_fifty_entries_of_an_sms_code_at_once_three_are_evaluated(
    guess: Guess,
    pool: Database,
    counted: Accounts,
    hasher: CountingHasher,
    sealer: Sealer,
    clock: StandingClock,
) -> None:
    with pool.begin() as session:
        asked, code = Door(session, counted, sealer, clock).ask_and_read()
    outcomes = guess([another(code)] * GUESSES, asked.login_id)
    assert outcomes == {"WrongCode": 2, "Blocked": GUESSES - 2}
    assert hasher.evaluated == 3
    assert guess([code], asked.login_id) == {"Blocked": 1}


def test_a05_of_fifty_entries_of_an_own_code_at_once_three_are_evaluated(
    guess: Guess,
    pool: Database,
    counted: Accounts,
    hasher: CountingHasher,
    sealer: Sealer,
    clock: StandingClock,
) -> None:
    with pool.begin() as session:
        Door(session, counted, sealer, clock).set_own_code()
    before = hasher.evaluated
    outcomes = guess(["wrong-code"] * GUESSES, None)
    assert outcomes == {"WrongCode": 2, "Blocked": GUESSES - 2}
    assert hasher.evaluated - before == 3
    assert guess([OWN_CODE], None) == {"Blocked": 1}


def test_a03_of_fifty_entries_of_the_right_code_at_once_one_opens(
    guess: Guess,
    pool: Database,
    counted: Accounts,
    sealer: Sealer,
    clock: StandingClock,
) -> None:
    with pool.begin() as session:
        asked, code = Door(session, counted, sealer, clock).ask_and_read()
    assert guess([code] * GUESSES, asked.login_id) == {"SignedIn": 1, "WrongCode": GUESSES - 1}


def test_a10_every_number_costs_one_evaluation_and_the_same_statements(
    pool: Database, counted: Accounts, hasher: CountingHasher, sealer: Sealer, clock: StandingClock
) -> None:
    """The time of an answer is one Argon2 evaluation and a handful of statements: both are counted."""
    statements: list[str] = []
    event.listen(pool.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with pool.begin() as session:
        door = Door(session, counted, sealer, clock)
        door.set_own_code()
        costs = []
        for phone in (OWNER, "+79168888888"):
            door.clock.go_on(seconds=60)
            hasher.hashed = hasher.evaluated = 0
            statements.clear()
            asked = door.ask(phone)
            assert door.enter("00000000", asked.login_id, phone) == WrongCode(attempts_left=2)
            assert door.enter("wrong-code", None, phone) == WrongCode(attempts_left=2)
            door.enter("wrong-code", None, phone)
            assert door.enter("wrong-code", None, phone) == Blocked()
            costs.append((hasher.hashed, hasher.evaluated, list(statements)))
    assert costs[0] == costs[1]
    assert costs[0][:2] == (1, 4)


def test_a06_a_restart_forgets_no_wrong_entry(
    pool: Database, sealer: Sealer, policy: SignInPolicy, clock: StandingClock
) -> None:
    answers = []
    for _ in range(4):
        restarted = Accounts(sealer, CodeHasher(sealer), policy)
        with pool.begin() as session:
            answers.append(Door(session, restarted, sealer, clock).enter("wrong-code"))
    assert answers == [WrongCode(attempts_left=2), WrongCode(attempts_left=1), Blocked(), Blocked()]
