//! The ID token: its claims in each generation, and the faults it can be given.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::client::Client;
use crate::grant::Grant;
use crate::keys::{KeyError, sign_with_secret, signing_input};
use crate::memory::Memory;
use crate::misbehaviour::{Misbehaviour as M, Misbehaviours};
use crate::options::Profile;
use crate::persona::Persona;

const LIFETIME_SECONDS: i64 = 3600;

/// Claims that carry the protocol, not the person.
const PROTOCOL_CLAIMS: [&str; 10] =
    ["sub", "aud", "iat", "exp", "iss", "nonce", "acr", "auth_time", "at_hash", "sid"];

/// What an ID token is made for.
pub(crate) enum Occasion {
    /// A code was redeemed.
    SignIn {
        /// The request's nonce.
        nonce: Option<String>,
    },
    /// Tokens were refreshed.
    Refresh,
}

/// Makes and signs an ID token.
pub(crate) fn build(
    memory: &mut Memory,
    origin: &str,
    client: &Client,
    grant: &Grant,
    occasion: &Occasion,
    now: i64,
) -> Result<String, KeyError> {
    let now = now + memory.clock_ahead;
    if memory.misbehaviours.take(M::RotateJustBeforeSigning) {
        memory.kept.keys.rotate(memory.algorithm, now)?;
    }
    let mut claims = claims(memory, origin, client, grant, occasion, now);
    spoil_claims(&mut claims, &mut memory.misbehaviours, client, now);
    if matches!(occasion, Occasion::Refresh) {
        if memory.misbehaviours.take(M::RefreshInvalidIssuer) {
            claims.insert("iss".to_owned(), json!("https://other-issuer.example"));
        }
        if memory.misbehaviours.take(M::RefreshInvalidSub) {
            claims.insert("sub".to_owned(), json!("user_someone_else"));
        }
    }
    sign(memory, client, &Value::Object(claims), now)
}

fn claims(
    memory: &mut Memory,
    origin: &str,
    client: &Client,
    grant: &Grant,
    occasion: &Occasion,
    now: i64,
) -> Map<String, Value> {
    let instant = OffsetDateTime::from_unix_timestamp(now).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let mut claims = match memory.person(&grant.person) {
        Some(person) => {
            let mut claims = person.claims(&grant.scopes, origin, instant);
            if grant.has_scope("profile") {
                add_profile(&mut claims, person, origin);
            }
            claims
        }
        None => Map::from_iter([("sub".to_owned(), json!(grant.person))]),
    };
    let mut say = |name: &str, value: Value| {
        claims.insert(name.to_owned(), value);
    };
    say("iss", json!(memory.issuer(origin)));
    say("aud", json!(client.id));
    say("iat", json!(now));
    say("exp", json!(now + LIFETIME_SECONDS));
    say("acr", json!("urn:mace:incommon:iap:silver"));
    if let Occasion::SignIn { nonce: Some(nonce) } = occasion {
        say("nonce", json!(nonce));
    }
    if memory.profile == Profile::Gen2 {
        say("auth_time", json!(grant.auth_time));
        say("at_hash", json!(memory.algorithm.at_hash(&grant.access_token)));
        say("sid", json!(grant.session));
    }
    if memory.misbehaviours.take(M::ClaimsOnlyInUserinfo) {
        claims.retain(|name, _| PROTOCOL_CLAIMS.contains(&name.as_str()));
    }
    // Used up by userinfo, which follows and would otherwise undo it.
    spoil_shapes(&mut claims, &memory.misbehaviours);
    claims
}

/// better-auth's own profile claims, which userinfo does not give.
fn add_profile(claims: &mut Map<String, Value>, person: &Persona, origin: &str) {
    let updated = OffsetDateTime::from_unix_timestamp(person.updated_at)
        .ok()
        .and_then(|instant| instant.format(&Rfc3339).ok())
        .map(|text| text.replace('Z', ".000Z"));
    claims.insert("profile".to_owned(), json!(person.picture(origin)));
    claims.insert("updated_at".to_owned(), json!(updated));
}

/// Gives claims the shapes that a lenient reader must bear.
pub(crate) fn spoil_shapes(claims: &mut Map<String, Value>, faults: &Misbehaviours) {
    if faults.is_on(M::LevelAsString)
        && let Some(level) = claims.get_mut("level")
    {
        *level = json!(level.to_string());
    }
    if faults.is_on(M::EmailVerifiedAsString)
        && let Some(verified) = claims.get_mut("email_verified")
    {
        *verified = json!(verified.to_string());
    }
    if faults.is_on(M::RolesAsString) {
        for name in ["roles", "custom_roles"] {
            if let Some(roles) = claims.get_mut(name) {
                let list: Vec<_> =
                    roles.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                *roles = json!(list.join(","));
            }
        }
    }
}

fn spoil_claims(
    claims: &mut Map<String, Value>,
    faults: &mut Misbehaviours,
    client: &Client,
    now: i64,
) {
    for (fault, name) in [
        (M::MissingSub, "sub"),
        (M::MissingAud, "aud"),
        (M::MissingIat, "iat"),
        (M::MissingExp, "exp"),
        (M::MissingIss, "iss"),
        (M::MissingNonce, "nonce"),
    ] {
        if faults.take(fault) {
            claims.remove(name);
        }
    }
    for (fault, name, value) in [
        (M::InvalidIss, "iss", json!("https://other-issuer.example")),
        (M::InvalidAud, "aud", json!("some-other-client")),
        (M::SecondaryAud, "aud", json!([client.id, "some-other-client"])),
        (M::AudAsArray, "aud", json!([client.id])),
        (M::ForeignAzp, "azp", json!("some-other-client")),
        (M::ExpiredExp, "exp", json!(now - 3600)),
        (M::FutureIat, "iat", json!(now + 3600)),
        (M::InvalidNonce, "nonce", json!("not-your-nonce")),
        (M::InvalidAthash, "at_hash", json!("bm90LXlvdXItdG9rZW4AAA")),
    ] {
        if faults.take(fault) {
            claims.insert(name.to_owned(), value);
        }
    }
}

fn sign(
    memory: &mut Memory,
    client: &Client,
    claims: &Value,
    now: i64,
) -> Result<String, KeyError> {
    let key = memory.kept.keys.current(memory.algorithm)?;
    let mut header = json!({ "alg": key.algorithm.as_str(), "kid": key.kid });
    let faults = &mut memory.misbehaviours;
    let several = faults.take(M::KidAbsentMultiple);
    if several {
        memory.kept.keys.add_decoy(memory.algorithm, now)?;
    }
    if faults.take(M::KidAbsent) || several {
        header = json!({ "alg": key.algorithm.as_str() });
    }
    if faults.take(M::SigNone) {
        return Ok(format!("{}.", signing_input(&json!({ "alg": "none" }), claims)?));
    }
    if faults.take(M::Hs256) {
        return sign_with_secret(&json!({ "alg": "HS256" }), claims, &client.secret);
    }
    if faults.take(M::NullAlg) {
        header["alg"] = Value::Null;
    }
    let token = key.sign(&header, claims)?;
    if faults.take(M::InvalidSig) {
        return Ok(with_foreign_signature(&token, &key.sign(&header, &json!({}))?));
    }
    Ok(token)
}

/// A well-formed signature by the right key, but of something else.
fn with_foreign_signature(token: &str, other: &str) -> String {
    let input = token.rsplit_once('.').map_or(token, |(input, _)| input);
    let signature = other.rsplit_once('.').map_or("", |(_, signature)| signature);
    format!("{input}.{signature}")
}
