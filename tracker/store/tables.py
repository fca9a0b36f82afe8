"""Every table, by importing every aggregate."""

from tracker.store.accounts import accounts, terms_acceptances
from tracker.store.devices import devices, directory
from tracker.store.facts import facts, streams
from tracker.store.gateways import gateways
from tracker.store.idempotency import idempotency
from tracker.store.imports import imports
from tracker.store.outbox import outbox
from tracker.store.positions import last_positions, positions
from tracker.store.quarantine import quarantine
from tracker.store.sessions import sessions
from tracker.store.signin import code_entries, login_requests, rate_counters
from tracker.store.sources import sources
from tracker.store.subjects import subjects
from tracker.store.unclaimed import unclaimed
from tracker.store.windows import windows

ALL = (
    accounts,
    terms_acceptances,
    login_requests,
    code_entries,
    rate_counters,
    sessions,
    subjects,
    devices,
    directory,
    positions,
    last_positions,
    facts,
    streams,
    outbox,
    quarantine,
    idempotency,
    gateways,
    sources,
    unclaimed,
    windows,
    imports,
)
