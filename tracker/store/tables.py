"""Every table, by importing every aggregate."""

from tracker.store.accounts import accounts, terms_acceptances
from tracker.store.alerts import alerts
from tracker.store.chases import chases
from tracker.store.contacts import contacts
from tracker.store.crossings import crossings
from tracker.store.deliveries import deliveries
from tracker.store.devices import devices, directory
from tracker.store.events import events
from tracker.store.facts import facts, streams
from tracker.store.fence_states import fence_anchors, fence_corrections, fence_states
from tracker.store.gateways import gateways
from tracker.store.geofences import geofence_subjects, geofences
from tracker.store.heartbeats import heartbeats
from tracker.store.idempotency import idempotency
from tracker.store.imports import imports
from tracker.store.mutes import mutes
from tracker.store.outbox import outbox
from tracker.store.positions import last_positions, positions
from tracker.store.push_subscriptions import push_subscriptions
from tracker.store.quarantine import quarantine
from tracker.store.rule_states import rule_states
from tracker.store.rulebook import account_rulebooks, rulebook
from tracker.store.rules import rule_subjects, rule_versions, rules
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
    geofences,
    geofence_subjects,
    rules,
    rule_subjects,
    rule_versions,
    rulebook,
    account_rulebooks,
    fence_states,
    fence_anchors,
    fence_corrections,
    crossings,
    rule_states,
    events,
    alerts,
    deliveries,
    contacts,
    push_subscriptions,
    mutes,
    chases,
    heartbeats,
)
