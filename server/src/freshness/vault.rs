//! The vault: a session's tokens at rest, each sealed for its row and column, so that a copy of the database
//! holds no token and a value moved to another row opens nothing.

use crate::app::App;
use crate::config::Secret;
use crate::seal::KeyRing;
use crate::signin::tokens::Tokens;
use crate::store::StoreError;
use crate::store::sessions::SessionId;
use crate::store::tokens::{self, Row, SealedTokens};
use campus::instant::Instant;
use sqlx::PgConnection;

/// A session's tokens, opened.
#[derive(Clone, Debug)]
pub struct Held {
    /// The tokens.
    pub tokens: Tokens,
    /// Grows with every refresh.
    pub version: i64,
    /// Somebody is refreshing at this moment.
    pub leased: bool,
    /// When the refresh token was sent without an answer so far.
    pub sent: Option<Instant>,
}

/// Keeps the tokens of a new session, in the transaction that makes it.
///
/// # Errors
/// When the database does not answer.
pub async fn keep(
    db: &mut PgConnection,
    keys: &KeyRing,
    session: SessionId,
    tokens: &Tokens,
) -> Result<(), StoreError> {
    tokens::create(db, session, &seal(keys, session, tokens)).await
}

/// Opens the tokens of a session. Those that took the previous secret are sealed anew on this occasion.
/// `None` if there are none, or if no secret of ours opens them.
///
/// # Errors
/// When the database does not answer.
pub async fn open(app: &App, session: SessionId) -> Result<Option<Held>, StoreError> {
    let Some(row) = tokens::find(&app.db, session).await? else { return Ok(None) };
    let keys = &app.freshness.keys;
    let version = row.version;
    let Some((held, outdated)) = unseal(keys, session, row) else {
        tracing::warn!("a session's tokens open with no secret of ours");
        return Ok(None);
    };
    if outdated {
        tokens::reseal(&app.db, session, version, &seal(keys, session, &held.tokens)).await?;
    }
    Ok(Some(held))
}

/// Opens the tokens of a session within a transaction, and changes nothing: what signing out at the
/// provider needs, before the session's end deletes them.
///
/// # Errors
/// When the database does not answer.
pub async fn peek(
    db: &mut PgConnection,
    keys: &KeyRing,
    session: SessionId,
) -> Result<Option<Tokens>, StoreError> {
    let row = tokens::find(db, session).await?;
    Ok(row.and_then(|row| unseal(keys, session, row)).map(|(held, _)| held.tokens))
}

/// Seals tokens for the row of a session.
#[must_use]
pub fn seal(keys: &KeyRing, session: SessionId, tokens: &Tokens) -> SealedTokens {
    let seal =
        |column: &str, token: &Secret| keys.seal(&name(session, column), token.expose().as_bytes());
    SealedTokens {
        access: seal(ACCESS, &tokens.access),
        refresh: tokens.refresh.as_ref().map(|token| seal(REFRESH, token)),
        id_token: tokens.id_token.as_ref().map(|token| seal(ID_TOKEN, token)),
        access_expires: tokens.access_expires,
        obtained: tokens.obtained,
    }
}

const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
const ID_TOKEN: &str = "id_token";

/// The place to which a sealed token is bound.
fn name(session: SessionId, column: &str) -> String {
    format!("session_tokens/{}/{column}", session.0)
}

/// The tokens, and whether one of them took the previous secret.
fn unseal(keys: &KeyRing, session: SessionId, row: Row) -> Option<(Held, bool)> {
    let mut outdated = false;
    let mut open = |column: &str, sealed: &str| {
        let opened = keys.open_noting(&name(session, column), sealed)?;
        outdated |= opened.outdated;
        String::from_utf8(opened.plain).ok().map(Secret::new)
    };
    let Row { tokens: sealed, version, leased, sent } = row;
    let tokens = Tokens {
        access: open(ACCESS, &sealed.access)?,
        refresh: sealed.refresh.and_then(|sealed| open(REFRESH, &sealed)),
        id_token: sealed.id_token.and_then(|sealed| open(ID_TOKEN, &sealed)),
        access_expires: sealed.access_expires,
        obtained: sealed.obtained,
    };
    Some((Held { tokens, version, leased, sent }, outdated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn row(tokens: SealedTokens) -> Row {
        Row { tokens, version: 1, leased: false, sent: None }
    }

    #[test]
    fn a_sealed_token_opens_in_its_own_row_and_column_only() {
        let keys = KeyRing::derive(&Secret::new("one"), None, "tokens");
        let (mine, other) = (SessionId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let tokens = Tokens {
            access: Secret::new("the access token"),
            refresh: Some(Secret::new("the refresh token")),
            id_token: None,
            access_expires: None,
            obtained: Instant::from_seconds(1),
        };
        let sealed = seal(&keys, mine, &tokens);
        let (held, outdated) = unseal(&keys, mine, row(sealed.clone())).expect("opened");
        assert_eq!((held.tokens.access.expose(), outdated), ("the access token", false));
        assert!(unseal(&keys, other, row(sealed.clone())).is_none(), "another row");
        let moved = SealedTokens { access: sealed.refresh.clone().expect("sealed"), ..sealed };
        assert!(unseal(&keys, mine, row(moved)).is_none(), "another column");
    }
}
