-- People and their sessions. The users row is the truth for every request; a session only says who it is.

create table users (
    id                 uuid primary key,
    -- Who somebody is: never the e-mail address, which can change hands.
    provider           text not null,
    issuer             text not null,
    subject            text not null,

    name               text,
    given_name         text,
    family_name        text,
    preferred_username text,
    email              text,
    email_verified     boolean,
    picture            text,
    phone_number       text,
    profile_as_of      timestamptz,
    profile_source     text,

    role               text,
    roles              text[] not null default '{}',
    custom_roles       text[] not null default '{}',
    roles_as_of        timestamptz,
    roles_source       text,

    student_id         text,
    study_level        text,
    level              integer,
    final_year         boolean,
    faculty_id         text,
    department_id      text,
    academic_session   text,
    semester           text,
    academic_as_of     timestamptz,
    academic_source    text,

    created_at         timestamptz not null,
    signed_in_at       timestamptz not null,
    -- Sessions created before this instant are not valid, whatever their own row says.
    revoked_before     timestamptz,

    constraint users_identity_key unique (provider, issuer, subject)
);

create table sessions (
    -- What pages and logs may name; useless as a credential.
    id          uuid primary key,
    -- SHA-256 of the cookie's value; the value itself is stored nowhere.
    token_hash  bytea not null,
    user_id     uuid not null references users (id) on delete cascade,
    -- The provider's own session id, where it tells one.
    sid         text,
    user_agent  text,
    created_at  timestamptz not null,
    seen_at     timestamptz not null,
    expires_at  timestamptz not null,
    ended_at    timestamptz,
    end_reason  text,

    constraint sessions_token_hash_key unique (token_hash),
    constraint sessions_end_has_reason check ((ended_at is null) = (end_reason is null))
);

create index sessions_live_by_user on sessions (user_id) where ended_at is null;
create index sessions_by_age on sessions (expires_at);
