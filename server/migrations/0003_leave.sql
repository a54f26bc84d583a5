-- Sessions at the provider, as long as a sign-in may be under way in one: a row is what a sign-in and the
-- provider's word that the session is over meet at, so that neither can overtake the other.
create table provider_sessions (
    issuer     text not null,
    sid        text not null,
    touched_at timestamptz not null,
    ended_at   timestamptz,

    primary key (issuer, sid)
);

create index provider_sessions_by_age on provider_sessions (touched_at);
