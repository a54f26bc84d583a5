//! The token endpoint's good answer (RFC 6749 §5.1), whether to a code or to a refresh token.

use crate::config::Secret;
use campus::instant::Instant;
use serde_json::Value;

/// Longest life of an access token that is believed, in seconds: a year.
const LONGEST_LIFE: i64 = 365 * 86_400;

/// Tokens as the provider gave them out.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access: Secret,
    /// The refresh token, where there is one.
    pub refresh: Option<Secret>,
    /// The ID token. A refresh need not bring one (OpenID Connect Core §12.2).
    pub id_token: Option<Secret>,
    /// When the access token ends, where the provider said so.
    pub access_expires: Option<Instant>,
    /// When they were asked for.
    pub obtained: Instant,
}

impl Tokens {
    /// Reads the answer to a request that was sent at `asked`. `None` where there is no access token or
    /// one of another type than `Bearer`, which is compared without case.
    #[must_use]
    pub fn parse(answer: &Value, asked: Instant) -> Option<Self> {
        let text =
            |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let secret = |name: &str| text(name).map(Secret::new);
        if !text("token_type")?.eq_ignore_ascii_case("bearer") {
            return None;
        }
        Some(Self {
            access: secret("access_token")?,
            refresh: secret("refresh_token"),
            id_token: secret("id_token"),
            access_expires: life(answer.get("expires_in")).map(|life| asked.plus_seconds(life)),
            obtained: asked,
        })
    }
}

/// `expires_in`, which some providers write as text. One that makes no sense counts as not given.
fn life(value: Option<&Value>) -> Option<i64> {
    let seconds = match value? {
        Value::String(text) => text.trim().parse().ok()?,
        number => number.as_i64()?,
    };
    (0..=LONGEST_LIFE).contains(&seconds).then_some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(answer: &Value) -> Option<Tokens> {
        Tokens::parse(answer, Instant::from_seconds(1000))
    }

    #[test]
    fn an_answer_is_read_whatever_is_left_out() {
        let whole = json!({
            "access_token": "a", "token_type": "bEaReR", "expires_in": 3600, "refresh_token": "r",
            "id_token": "i",
        });
        let tokens = parse(&whole).expect("tokens");
        assert_eq!(tokens.access.expose(), "a");
        assert_eq!(tokens.access_expires, Some(Instant::from_seconds(4600)));
        assert!(tokens.refresh.is_some() && tokens.id_token.is_some());
        let least = parse(&json!({ "access_token": "a", "token_type": "Bearer" })).expect("tokens");
        assert!(least.refresh.is_none() && least.id_token.is_none());
        assert_eq!(least.access_expires, None);
        for none in [
            json!({ "access_token": "a" }),
            json!({ "access_token": "a", "token_type": "mac" }),
            json!({ "access_token": "", "token_type": "Bearer" }),
            json!([]),
            json!(null),
        ] {
            assert!(parse(&none).is_none(), "{none}");
        }
    }

    #[test]
    fn a_strange_life_counts_as_not_given() {
        for (value, life) in [
            (json!("3600"), Some(3600)),
            (json!(0), Some(0)),
            (json!(-1), None),
            (json!(1e30), None),
            (json!("soon"), None),
            (json!(null), None),
        ] {
            assert_eq!(super::life(Some(&value)), life, "{value}");
        }
    }

    #[test]
    fn printing_shows_no_token() {
        let answer =
            json!({ "access_token": "s3cr3t", "token_type": "Bearer", "id_token": "s3cr3t" });
        assert!(!format!("{:?}", parse(&answer)).contains("s3cr3t"));
    }
}
