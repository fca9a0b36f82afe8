"""Geofences, rules, events, alerts and whom they are told."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FENCES = """
CREATE TABLE geofences (
  account_id bigint NOT NULL, geofence_id bigint NOT NULL, name text NOT NULL, shape text NOT NULL,
  geom geometry(Geometry, 4326) NOT NULL, args jsonb NOT NULL DEFAULT '{}',
  cover geometry(Geometry, 4326) NOT NULL, all_subjects boolean NOT NULL DEFAULT false,
  all_since timestamptz,
  time_zone text NOT NULL, schedule jsonb, template text, origin text NOT NULL,
  version integer NOT NULL DEFAULT 1, created_at timestamptz NOT NULL, changed_at timestamptz NOT NULL,
  expires_at timestamptz,
  CONSTRAINT pk_geofences PRIMARY KEY (account_id, geofence_id),
  CONSTRAINT fk_geofences_account_id FOREIGN KEY (account_id)
    REFERENCES accounts (account_id) ON DELETE CASCADE);
CREATE INDEX ix_geofences_cover ON geofences USING gist (cover);
CREATE INDEX ix_geofences_expires_at ON geofences (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE geofence_subjects (
  account_id bigint NOT NULL, geofence_id bigint NOT NULL, subject_id bigint NOT NULL, since timestamptz,
  CONSTRAINT pk_geofence_subjects PRIMARY KEY (account_id, geofence_id, subject_id),
  CONSTRAINT fk_geofence_subjects_account_id_geofence_id FOREIGN KEY (account_id, geofence_id)
    REFERENCES geofences (account_id, geofence_id) ON DELETE CASCADE,
  CONSTRAINT fk_geofence_subjects_account_id_subject_id FOREIGN KEY (account_id, subject_id)
    REFERENCES subjects (account_id, subject_id) ON DELETE CASCADE);
CREATE INDEX ix_geofence_subjects_account_id_subject_id ON geofence_subjects (account_id, subject_id);

ALTER TABLE devices ADD COLUMN given_at timestamptz;
"""

_RULES = """
CREATE TABLE rules (
  account_id bigint NOT NULL, rule_id bigint NOT NULL, kind text NOT NULL, name text NOT NULL,
  geofence_id bigint, all_subjects boolean NOT NULL DEFAULT false, args jsonb NOT NULL DEFAULT '{}',
  schedule jsonb, notify jsonb NOT NULL DEFAULT '{}', enabled boolean NOT NULL DEFAULT true,
  version integer NOT NULL DEFAULT 1, active_from timestamptz NOT NULL, created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  CONSTRAINT pk_rules PRIMARY KEY (account_id, rule_id),
  CONSTRAINT fk_rules_account_id FOREIGN KEY (account_id) REFERENCES accounts (account_id) ON DELETE CASCADE,
  CONSTRAINT fk_rules_account_id_geofence_id FOREIGN KEY (account_id, geofence_id)
    REFERENCES geofences (account_id, geofence_id) ON DELETE CASCADE);
CREATE INDEX ix_rules_account_id_geofence_id ON rules (account_id, geofence_id);

CREATE TABLE rule_subjects (
  account_id bigint NOT NULL, rule_id bigint NOT NULL, subject_id bigint NOT NULL,
  CONSTRAINT pk_rule_subjects PRIMARY KEY (account_id, rule_id, subject_id),
  CONSTRAINT fk_rule_subjects_account_id_rule_id FOREIGN KEY (account_id, rule_id)
    REFERENCES rules (account_id, rule_id) ON DELETE CASCADE,
  CONSTRAINT fk_rule_subjects_account_id_subject_id FOREIGN KEY (account_id, subject_id)
    REFERENCES subjects (account_id, subject_id) ON DELETE CASCADE);
CREATE INDEX ix_rule_subjects_account_id_subject_id ON rule_subjects (account_id, subject_id);

CREATE TABLE rule_versions (
  account_id bigint NOT NULL, rule_id bigint NOT NULL, version integer NOT NULL, document jsonb NOT NULL,
  fence jsonb, made_at timestamptz NOT NULL,
  CONSTRAINT pk_rule_versions PRIMARY KEY (account_id, rule_id, version),
  CONSTRAINT fk_rule_versions_account_id FOREIGN KEY (account_id)
    REFERENCES accounts (account_id) ON DELETE CASCADE);

CREATE TABLE rulebook (
  one boolean NOT NULL DEFAULT true, version bigint NOT NULL, changed_by bigint NOT NULL,
  CONSTRAINT pk_rulebook PRIMARY KEY (one), CONSTRAINT ck_rulebook_one CHECK (one));
INSERT INTO rulebook (version, changed_by) VALUES (1, 0);
CREATE TABLE account_rulebooks (
  account_id bigint NOT NULL, version bigint NOT NULL, changed_at timestamptz NOT NULL,
  CONSTRAINT pk_account_rulebooks PRIMARY KEY (account_id));
CREATE INDEX ix_account_rulebooks_version ON account_rulebooks (version);
"""

_STATES = """
CREATE TABLE fence_states (
  account_id bigint NOT NULL, device_id bigint NOT NULL, live bytea NOT NULL, mid bytea, old bytea,
  frontier timestamptz NOT NULL, due_at timestamptz,
  CONSTRAINT pk_fence_states PRIMARY KEY (account_id, device_id),
  CONSTRAINT fk_fence_states_account_id_device_id FOREIGN KEY (account_id, device_id)
    REFERENCES devices (account_id, device_id) ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE INDEX ix_fence_states_due_at ON fence_states (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE fence_anchors (
  account_id bigint NOT NULL, device_id bigint NOT NULL, frontier timestamptz NOT NULL, state bytea NOT NULL,
  rules bytea NOT NULL,
  CONSTRAINT pk_fence_anchors PRIMARY KEY (account_id, device_id, frontier),
  CONSTRAINT fk_fence_anchors_account_id_device_id FOREIGN KEY (account_id, device_id)
    REFERENCES devices (account_id, device_id) ON DELETE CASCADE);

CREATE TABLE fence_corrections (
  account_id bigint NOT NULL, device_id bigint NOT NULL, since timestamptz NOT NULL,
  asked_at timestamptz NOT NULL,
  CONSTRAINT pk_fence_corrections PRIMARY KEY (account_id, device_id),
  CONSTRAINT fk_fence_corrections_account_id_device_id FOREIGN KEY (account_id, device_id)
    REFERENCES devices (account_id, device_id) ON DELETE CASCADE);
CREATE INDEX ix_fence_corrections_asked_at ON fence_corrections (asked_at);

CREATE TABLE crossings (
  account_id bigint NOT NULL, device_id bigint NOT NULL, geofence_id bigint NOT NULL, at timestamptz NOT NULL,
  subject_id bigint NOT NULL, into_phase text NOT NULL, how text NOT NULL, fence_version integer NOT NULL,
  earliest timestamptz NOT NULL, decided_at timestamptz NOT NULL, evidence jsonb NOT NULL,
  recorded_at timestamptz NOT NULL,
  CONSTRAINT pk_crossings PRIMARY KEY (account_id, device_id, geofence_id, at),
  CONSTRAINT fk_crossings_account_id_geofence_id FOREIGN KEY (account_id, geofence_id)
    REFERENCES geofences (account_id, geofence_id) ON DELETE CASCADE,
  CONSTRAINT fk_crossings_account_id_device_id FOREIGN KEY (account_id, device_id)
    REFERENCES devices (account_id, device_id) ON DELETE CASCADE);
CREATE INDEX ix_crossings_account_id_device_id_at ON crossings (account_id, device_id, at);
CREATE INDEX ix_crossings_account_id_geofence_id_at ON crossings (account_id, geofence_id, at);

CREATE TABLE rule_states (
  account_id bigint NOT NULL, rule_id bigint NOT NULL, subject_id bigint NOT NULL,
  rule_version integer NOT NULL, live jsonb NOT NULL, mid jsonb, old jsonb, mid_at timestamptz,
  old_at timestamptz, told_event_id bigint, due_at timestamptz,
  CONSTRAINT pk_rule_states PRIMARY KEY (account_id, rule_id, subject_id),
  CONSTRAINT fk_rule_states_account_id_rule_id FOREIGN KEY (account_id, rule_id)
    REFERENCES rules (account_id, rule_id) ON DELETE CASCADE,
  CONSTRAINT fk_rule_states_account_id_subject_id FOREIGN KEY (account_id, subject_id)
    REFERENCES subjects (account_id, subject_id) ON DELETE CASCADE
) WITH (fillfactor = 50);
CREATE INDEX ix_rule_states_due_at ON rule_states (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ix_rule_states_account_id_subject_id ON rule_states (account_id, subject_id);

CREATE TABLE heartbeats (
  name text NOT NULL, at timestamptz NOT NULL, CONSTRAINT pk_heartbeats PRIMARY KEY (name));
"""

_EVENTS = """
CREATE TABLE events (
  account_id bigint NOT NULL, event_id bigint NOT NULL, rule_id bigint, rule_version integer,
  subject_id bigint NOT NULL, device_id bigint, geofence_id bigint, type text NOT NULL,
  urgency smallint NOT NULL, at timestamptz NOT NULL, decided_at timestamptz NOT NULL,
  recorded_at timestamptz NOT NULL, slot text NOT NULL, data jsonb NOT NULL, explanation jsonb NOT NULL,
  news text NOT NULL, superseded_by bigint, retracted_at timestamptz, updated_at timestamptz NOT NULL,
  CONSTRAINT pk_events PRIMARY KEY (account_id, event_id),
  CONSTRAINT fk_events_account_id_subject_id FOREIGN KEY (account_id, subject_id)
    REFERENCES subjects (account_id, subject_id) ON DELETE CASCADE);
CREATE INDEX ix_events_account_id_at ON events (account_id, at, event_id);
CREATE INDEX ix_events_account_id_updated_at ON events (account_id, updated_at);
CREATE INDEX ix_events_account_id_rule_id_subject_id_at ON events (account_id, rule_id, subject_id, at);

CREATE TABLE alerts (
  account_id bigint NOT NULL, alert_id bigint NOT NULL, event_id bigint NOT NULL, urgency smallint NOT NULL,
  state text NOT NULL, step smallint NOT NULL DEFAULT 0, told_at timestamptz NOT NULL,
  planned_at timestamptz, escalate_at timestamptz, claimed_until timestamptz, acknowledged_at timestamptz,
  acknowledged_by bigint,
  CONSTRAINT pk_alerts PRIMARY KEY (account_id, alert_id),
  CONSTRAINT fk_alerts_account_id_event_id FOREIGN KEY (account_id, event_id)
    REFERENCES events (account_id, event_id) ON DELETE CASCADE);
CREATE UNIQUE INDEX uq_alerts_account_id_event_id ON alerts (account_id, event_id);
CREATE INDEX ix_alerts_account_id_told_at ON alerts (account_id, told_at, alert_id);
CREATE INDEX ix_alerts_told_at ON alerts (told_at) WHERE planned_at IS NULL;
CREATE INDEX ix_alerts_escalate_at ON alerts (escalate_at) WHERE escalate_at IS NOT NULL;

CREATE TABLE chases (
  account_id bigint NOT NULL, chase_id bigint NOT NULL, event_id bigint NOT NULL, device_id bigint NOT NULL,
  report_every_s integer NOT NULL, battery_start_pct real, battery_least_pct real NOT NULL,
  started_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, ended_at timestamptz, reason text,
  CONSTRAINT pk_chases PRIMARY KEY (account_id, chase_id),
  CONSTRAINT fk_chases_account_id_event_id FOREIGN KEY (account_id, event_id)
    REFERENCES events (account_id, event_id) ON DELETE CASCADE);
CREATE UNIQUE INDEX uq_chases_account_id_event_id ON chases (account_id, event_id);
CREATE INDEX ix_chases_ends_at ON chases (ends_at) WHERE ended_at IS NULL;
"""

_TOLD = """
CREATE TABLE contacts (
  account_id bigint NOT NULL, contact_id bigint NOT NULL, name text NOT NULL, phone text, email text,
  mqtt_device_id bigint, locale text NOT NULL, time_zone text NOT NULL, channels text[] NOT NULL,
  position smallint NOT NULL, quiet jsonb, quiet_breaks_at smallint NOT NULL DEFAULT 2,
  per_hour_most smallint NOT NULL DEFAULT 20, confirm_hash bytea, confirmed_at timestamptz,
  created_at timestamptz NOT NULL,
  CONSTRAINT pk_contacts PRIMARY KEY (account_id, contact_id),
  CONSTRAINT fk_contacts_account_id FOREIGN KEY (account_id)
    REFERENCES accounts (account_id) ON DELETE CASCADE);

CREATE TABLE push_subscriptions (
  account_id bigint NOT NULL, subscription_id bigint NOT NULL, contact_id bigint NOT NULL,
  endpoint_hash bytea NOT NULL, sealed bytea NOT NULL, agent text NOT NULL, created_at timestamptz NOT NULL,
  failed_at timestamptz,
  CONSTRAINT pk_push_subscriptions PRIMARY KEY (account_id, subscription_id),
  CONSTRAINT fk_push_subscriptions_account_id_contact_id FOREIGN KEY (account_id, contact_id)
    REFERENCES contacts (account_id, contact_id) ON DELETE CASCADE);
CREATE UNIQUE INDEX uq_push_subscriptions_account_id_endpoint_hash
  ON push_subscriptions (account_id, endpoint_hash);

CREATE TABLE mutes (
  account_id bigint NOT NULL, mute_id bigint NOT NULL, rule_id bigint, subject_id bigint, geofence_id bigint,
  until timestamptz NOT NULL, created_at timestamptz NOT NULL,
  CONSTRAINT pk_mutes PRIMARY KEY (account_id, mute_id),
  CONSTRAINT fk_mutes_account_id FOREIGN KEY (account_id) REFERENCES accounts (account_id) ON DELETE CASCADE);
CREATE INDEX ix_mutes_until ON mutes (until);

CREATE TABLE deliveries (
  account_id bigint NOT NULL, delivery_id bigint NOT NULL, alert_id bigint NOT NULL,
  contact_id bigint NOT NULL, channel text NOT NULL, step smallint NOT NULL, state text NOT NULL,
  attempts integer NOT NULL DEFAULT 0, created_at timestamptz NOT NULL, due_at timestamptz NOT NULL,
  sent_at timestamptz, delivered_at timestamptz, detail text NOT NULL DEFAULT '',
  CONSTRAINT pk_deliveries PRIMARY KEY (account_id, delivery_id),
  CONSTRAINT fk_deliveries_account_id_alert_id FOREIGN KEY (account_id, alert_id)
    REFERENCES alerts (account_id, alert_id) ON DELETE CASCADE);
CREATE UNIQUE INDEX uq_deliveries_account_id_alert_id_contact_id_channel
  ON deliveries (account_id, alert_id, contact_id, channel);
CREATE INDEX ix_deliveries_account_id_contact_id_created_at
  ON deliveries (account_id, contact_id, created_at);

ALTER TABLE outbox ADD COLUMN urgency smallint NOT NULL DEFAULT 1, ADD COLUMN delivery_id bigint,
  ADD COLUMN group_key text;
DROP INDEX ix_outbox_due_at;
CREATE INDEX ix_outbox_urgency_due_at ON outbox (urgency DESC, due_at) WHERE settled_at IS NULL;
CREATE UNIQUE INDEX uq_outbox_delivery_id ON outbox (delivery_id) WHERE delivery_id IS NOT NULL;
"""

# Once a transaction, as `directory`. The lock of the one row lasts until the commit: versions become visible
# in their order, so that "version > seen" misses none.
_MOVE = """
  UPDATE rulebook SET version = version + 1, changed_by = txid_current() WHERE changed_by <> txid_current();
  INSERT INTO account_rulebooks
    SELECT DISTINCT account_id, (SELECT version FROM rulebook), now() FROM {touched}
    ON CONFLICT (account_id) DO UPDATE SET version = excluded.version, changed_at = excluded.changed_at;
"""

_NOTE_MANY = f"""
CREATE FUNCTION note_rulebook_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM touched) THEN {_MOVE.format(touched="touched")} END IF;
  RETURN NULL;
END $$
"""

# Devices and subjects matter only to accounts that have fences or rules, or had them.
_NOTE_ONE = f"""
CREATE FUNCTION note_rulebook_change_of_one() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE account bigint := coalesce(NEW.account_id, OLD.account_id);
BEGIN
  IF EXISTS (SELECT FROM account_rulebooks WHERE account_id = account) THEN
    {_MOVE.format(touched="(SELECT account) AS one (account_id)")}
  END IF;
  RETURN NULL;
END $$
"""

_WATCHED = ("geofences", "geofence_subjects", "rules", "rule_subjects")
_WATCHED_ONES = {"devices": "subject_id", "subjects": "kind"}


def upgrade() -> None:
    for part in (_FENCES, _RULES, _STATES, _EVENTS, _TOLD, _NOTE_MANY, _NOTE_ONE):
        op.execute(part)
    # A trigger with a transition table takes neither two events nor a list of columns.
    for table in _WATCHED:
        for event, side in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER note_rulebook_{event.lower()} AFTER {event} ON {table}"
                f" REFERENCING {side} TABLE AS touched FOR EACH STATEMENT"
                " EXECUTE FUNCTION note_rulebook_change()"
            )
    for table, column in _WATCHED_ONES.items():
        op.execute(
            f"CREATE TRIGGER note_rulebook_come_or_gone AFTER INSERT OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION note_rulebook_change_of_one()"
        )
        op.execute(
            f"CREATE TRIGGER note_rulebook_update AFTER UPDATE OF {column} ON {table}"
            f" FOR EACH ROW WHEN (OLD.{column} IS DISTINCT FROM NEW.{column})"
            " EXECUTE FUNCTION note_rulebook_change_of_one()"
        )


_NEW_TABLES = (
    *("deliveries", "mutes", "push_subscriptions", "contacts", "chases", "alerts", "events", "heartbeats"),
    *("rule_states", "crossings", "fence_corrections", "fence_anchors", "fence_states", "account_rulebooks"),
    *("rulebook", "rule_versions", "rule_subjects", "rules", "geofence_subjects", "geofences"),
)


def downgrade() -> None:
    for table in _WATCHED_ONES:
        for name in ("come_or_gone", "update"):
            op.execute(f"DROP TRIGGER note_rulebook_{name} ON {table}")
    op.execute("DROP INDEX uq_outbox_delivery_id")
    op.execute("DROP INDEX ix_outbox_urgency_due_at")
    op.execute("CREATE INDEX ix_outbox_due_at ON outbox (due_at)")
    op.execute("ALTER TABLE outbox DROP COLUMN group_key, DROP COLUMN delivery_id, DROP COLUMN urgency")
    for table in _NEW_TABLES:
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE devices DROP COLUMN given_at")
    op.execute("DROP FUNCTION note_rulebook_change_of_one")
    op.execute("DROP FUNCTION note_rulebook_change")
