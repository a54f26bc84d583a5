-- Fresh claims and access that ends at once: tokens at rest, checks of freshness, webhooks, the audit
-- trail, and what open pages are told.

alter table users
    -- When the provider last confirmed this person: a sign-in, or a good answer of userinfo.
    add column checked_at          timestamptz,
    -- An instance is asking the provider about this person until then; others need not.
    add column check_claimed_until timestamptz,
    -- Since when the provider could not be asked; null while it answers.
    add column stale_since         timestamptz,
    -- A webhook said that roles changed: they are read anew on the next request.
    add column roles_stale         boolean not null default false,
    add column disconnected_at     timestamptz;

alter table sessions
    -- When the person last proved to the provider who they are, as far as is known.
    add column authenticated_at timestamptz,
    -- Whether the provider itself said so (auth_time), or only this app's own clock.
    add column auth_proven      boolean not null default false;

create index sessions_by_sid on sessions (sid) where sid is not null;

-- The provider's tokens of a session, sealed. The lease says which instance is refreshing them.
create table session_tokens (
    session_id        uuid primary key references sessions (id) on delete cascade,
    access_token      text not null,
    refresh_token     text,
    -- Kept as the hint for signing out at the provider.
    id_token          text,
    access_expires_at timestamptz,
    obtained_at       timestamptz not null,
    version           bigint not null default 1,
    lease_holder      uuid,
    lease_until       timestamptz,
    -- Set before the refresh token is sent and cleared by its answer: a token whose answer never came is
    -- in doubt.
    sent_at           timestamptz
);

-- Calls to the provider in a minute, by all instances together.
create table provider_calls (
    endpoint     text not null,
    minute       timestamptz not null,
    calls        integer not null,
    primary key (endpoint, minute)
);

-- The provider asked to be left alone until then.
create table provider_pauses (
    endpoint     text primary key,
    paused_until timestamptz not null
);

-- The inbox of webhooks.
create table deliveries (
    id           uuid primary key,
    -- SHA-256 of the raw body: the same delivery twice is one.
    body_hash    bytea not null,
    body         text not null,
    event        text not null,
    subject      text,
    client_id    text,
    occurred_at  timestamptz not null,
    received_at  timestamptz not null,
    state        text not null default 'pending',
    attempts     integer not null default 0,
    next_try_at  timestamptz not null,
    finished_at  timestamptz,
    -- What came of it, or why the last attempt failed.
    outcome      text,

    constraint deliveries_body_hash_key unique (body_hash),
    constraint deliveries_state check (state in ('pending', 'applied', 'ignored', 'dead'))
);

create index deliveries_due on deliveries (next_try_at) where state = 'pending';
create index deliveries_by_arrival on deliveries (received_at desc, id desc);
create index deliveries_by_subject on deliveries (subject, received_at desc);

-- Deliveries that were refused: counted by the hour, nothing of them kept.
create table refused_deliveries (
    reason          text not null,
    hour            timestamptz not null,
    times           bigint not null,
    last_at         timestamptz not null,
    last_request_id text,
    primary key (reason, hour)
);

-- Logout tokens that were used (OpenID Connect Back-Channel Logout §2.6, step 8), by the hash of jti.
create table used_logout_tokens (
    jti_hash   bytea primary key,
    expires_at timestamptz not null
);

-- What open pages of a person are told. Rows are short-lived.
create table person_changes (
    id         bigint generated always as identity primary key,
    user_id    uuid not null references users (id) on delete cascade,
    -- Null: it concerns every session of the person.
    session_id uuid,
    kind       text not null,
    at         timestamptz not null
);

create index person_changes_by_age on person_changes (at);

create table notices (
    id         uuid primary key,
    author_id  uuid references users (id) on delete set null,
    title      text not null,
    body       text not null,
    created_at timestamptz not null
);

create index notices_newest on notices (created_at desc, id desc);

-- The audit trail: rows are added and never changed. Each holds the hash of the one before.
create table audit_entries (
    seq        bigint primary key,
    at         timestamptz not null,
    kind       text not null,
    actor      text not null,
    -- No references: an entry outlives what it speaks of.
    actor_id   uuid,
    subject_id uuid,
    session_id uuid,
    request_id text,
    rule       text not null,
    -- JSON as it was hashed.
    detail     text not null,
    previous   bytea not null,
    hash       bytea not null
);

create index audit_entries_by_subject on audit_entries (subject_id, seq desc);

-- The chain's end: whoever adds an entry holds this row, so there is one order.
create table audit_head (
    only_row boolean primary key default true check (only_row),
    seq      bigint not null,
    hash     bytea not null
);

insert into audit_head (seq, hash) values (0, decode(repeat('00', 32), 'hex'));

create function audit_entries_are_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'audit_entries is append-only';
end
$$;

create trigger audit_entries_append_only before update or delete on audit_entries
    for each row execute function audit_entries_are_append_only();
create trigger audit_entries_no_truncate before truncate on audit_entries
    for each statement execute function audit_entries_are_append_only();
