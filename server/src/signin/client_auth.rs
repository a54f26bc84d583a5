//! How this app proves to the provider that it is itself (RFC 6749 §2.3.1).

use super::client::{ClientError, Reply};
use super::provider::{Metadata, Provider};
use serde_json::Value;
use url::Url;
use url::form_urlencoded::byte_serialize;

/// Where id and secret stand in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// `client_secret_post`: in the form.
    Post,
    /// `client_secret_basic`: in the `Authorization` header.
    Basic,
}

impl ClientAuth {
    /// The method for a provider with this metadata: the form, as the seed does it and as the second
    /// generation demands, unless the provider offers the header and not the form.
    #[must_use]
    pub fn of(metadata: &Value) -> Self {
        let offered = metadata.get("token_endpoint_auth_methods_supported");
        let Some(offered) = offered.and_then(Value::as_array) else { return Self::Post };
        let offers = |method: &str| offered.iter().any(|offer| offer.as_str() == Some(method));
        if offers("client_secret_basic") && !offers("client_secret_post") {
            Self::Basic
        } else {
            Self::Post
        }
    }
}

impl Provider {
    /// POSTs a form to an endpoint that wants to know which app is asking.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn post_as_client(
        &self,
        metadata: &Metadata,
        endpoint: &Url,
        form: &[(&str, &str)],
    ) -> Result<Reply, ClientError> {
        let (id, secret) = (self.settings.client_id.as_str(), self.settings.client_secret.expose());
        match metadata.client_auth {
            ClientAuth::Post => {
                let credentials = [("client_id", id), ("client_secret", secret)];
                self.client.post(endpoint, &[form, &credentials].concat(), None).await
            }
            ClientAuth::Basic => {
                // Both halves are form-encoded first: a colon in the id must not end it.
                let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
                let basic = (encoded(id), encoded(secret));
                self.client.post(endpoint, form, Some((&basic.0, &basic.1))).await
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_form_is_used_unless_only_the_header_is_offered() {
        let (basic, post) = ("client_secret_basic", "client_secret_post");
        for (offered, expected) in [
            (json!([basic, post, "none"]), ClientAuth::Post),
            (json!([post]), ClientAuth::Post),
            (json!([basic]), ClientAuth::Basic),
            (json!([basic, "private_key_jwt"]), ClientAuth::Basic),
            (json!(["none"]), ClientAuth::Post),
            (json!(null), ClientAuth::Post),
        ] {
            let metadata = json!({ "token_endpoint_auth_methods_supported": offered });
            assert_eq!(ClientAuth::of(&metadata), expected, "{metadata}");
        }
        assert_eq!(ClientAuth::of(&json!({})), ClientAuth::Post);
    }
}
