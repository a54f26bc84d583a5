//! Back-channel logout: the token that tells an application a session has ended, and its faults.

use serde_json::{Value, json};

use crate::client::Client;
use crate::grant::random_letters;
use crate::keys::{KeyError, sign_with_secret, signing_input};
use crate::memory::Memory;
use crate::misbehaviour::Misbehaviour as M;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A logout token on its way.
pub(crate) struct Notice {
    uri: String,
    token: String,
}

impl Notice {
    /// Posts the token and gives the status of the answer.
    pub(crate) async fn send(self, http: &reqwest::Client) -> Result<u16, reqwest::Error> {
        let form = [("logout_token", self.token)];
        Ok(http.post(self.uri).form(&form).send().await?.status().as_u16())
    }
}

/// Ends a session and writes the notices for the applications that had a part in it.
pub(crate) fn end_session(
    memory: &mut Memory,
    origin: &str,
    session: &str,
    now: i64,
) -> Vec<Notice> {
    let Some(person) = memory.session(session).map(|s| s.person.clone()) else { return Vec::new() };
    memory.kept.sessions.retain(|s| s.id != session);
    let concerned: Vec<Client> = memory
        .clients
        .iter()
        .filter(|client| {
            memory.kept.grants.iter().any(|g| g.client == client.id && g.session == session)
        })
        .cloned()
        .collect();
    concerned
        .iter()
        .filter_map(|client| notice(memory, origin, client, &person, Some(session), now).ok()?)
        .collect()
}

/// The notice for one application; none if it has no address for it.
pub(crate) fn notice(
    memory: &mut Memory,
    origin: &str,
    client: &Client,
    person: &str,
    session: Option<&str>,
    now: i64,
) -> Result<Option<Notice>, KeyError> {
    let Some(uri) = client.backchannel_logout_uri.clone() else { return Ok(None) };
    let token = build(memory, origin, client, person, session, now)?;
    Ok(Some(Notice { uri, token }))
}

/// Makes and signs a logout token.
pub(crate) fn build(
    memory: &mut Memory,
    origin: &str,
    client: &Client,
    person: &str,
    session: Option<&str>,
    now: i64,
) -> Result<String, KeyError> {
    let faults = &mut memory.misbehaviours;
    let mut event = EVENT;
    if faults.take(M::LogoutWrongEvent) {
        event = "http://schemas.openid.net/event/something-else";
    }
    let mut claims = json!({
        "aud": client.id,
        "sub": person,
        "iat": now,
        "exp": now + 120,
        "jti": random_letters(32),
        "events": { event: {} },
    });
    if let Some(session) = session {
        claims["sid"] = json!(session);
    }
    if faults.take(M::LogoutWrongAud) {
        claims["aud"] = json!("some-other-client");
    }
    if faults.take(M::LogoutWithNonce) {
        claims["nonce"] = json!(random_letters(16));
    }
    if faults.take(M::LogoutNoEvent)
        && let Value::Object(claims) = &mut claims
    {
        claims.remove("events");
    }
    let wrong_issuer = faults.take(M::LogoutWrongIss);
    let unsigned = faults.take(M::LogoutAlgNone);
    let wrong_algorithm = faults.take(M::LogoutWrongAlg);
    claims["iss"] = if wrong_issuer {
        json!("https://other-issuer.example")
    } else {
        json!(memory.issuer(origin))
    };
    if unsigned {
        let header = json!({ "alg": "none", "typ": "logout+jwt" });
        return Ok(format!("{}.", signing_input(&header, &claims)?));
    }
    if wrong_algorithm {
        let header = json!({ "alg": "HS256", "typ": "logout+jwt" });
        return sign_with_secret(&header, &claims, &client.secret);
    }
    let key = memory.kept.keys.current(memory.algorithm)?;
    let header = json!({ "alg": key.algorithm.as_str(), "kid": key.kid, "typ": "logout+jwt" });
    key.sign(&header, &claims)
}
