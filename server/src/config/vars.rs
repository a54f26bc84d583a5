//! The environment variables the server knows, each with an example for its fault message.

/// One environment variable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Var {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
}

macro_rules! vars {
    ($($(#[$attribute:meta])* $ident:ident = $example:literal;)+) => {
        $(
            $(#[$attribute])*
            pub(super) const $ident: Var = Var {
                name: stringify!($ident),
                example: concat!(stringify!($ident), "=", $example),
            };
        )+

        #[cfg(test)]
        pub(super) const ALL: &[Var] = &[$($ident),+];
    };
}

vars! {
    APP_ENV = "production";
    APP_URL = "https://desk.example.edu.ng";
    DATABASE_URL = "postgres://campus:password@db.internal:5432/campus_desk";
    SESSION_SECRET = "$(openssl rand -base64 48)";
    SESSION_SECRET_PREVIOUS = "<the SESSION_SECRET used until now>";
    CAMPUS_ONE_ISSUER = "https://auth.campusone.com.ng";
    CAMPUS_ONE_DISCOVERY_URL = "https://auth.campusone.com.ng/api/auth/.well-known/openid-configuration";
    CAMPUS_ONE_CLIENT_ID = "<the client id from the Campus One developer console>";
    CAMPUS_ONE_CLIENT_SECRET = "<the client secret shown beside the client id>";
    CAMPUS_ONE_WEBHOOK_SECRET = "<the signing secret of the webhook>";
    CAMPUS_ONE_WEBHOOK_SECRET_PREVIOUS = "<the signing secret used until now>";
    CAMPUS_ONE_SCOPES = "openid,profile,email,academic,roles,offline_access";
    SSOJET_ISSUER_URL = "https://auth.ssojet.com";
    SSOJET_CLIENT_ID = "<the client id from SSOJet>";
    SSOJET_CLIENT_SECRET = "<the client secret from SSOJet>";
    SSOJET_REDIRECT_URI = "https://desk.example.edu.ng/auth/callback";
    DJANGO_SSO_URL = "https://sso.example.edu.ng";
    DJANGO_SSO_TOKEN = "<the token of this service at the gateway>";
    LEPTOS_OUTPUT_NAME = "campus-desk";
    LEPTOS_SITE_ROOT = "target/site";
    LEPTOS_SITE_PKG_DIR = "pkg";
    LEPTOS_SITE_ADDR = "127.0.0.1:3000";
    LEPTOS_HASH_FILES = "true";
    METRICS_ADDR = "127.0.0.1:9100";
    RUST_LOG = "info,campus_server=debug";
    LOG_FORMAT = "json";
    CAMPUS_DATA_DIR = ".data";
    #[cfg_attr(not(feature = "sandbox"), allow(dead_code, reason = "there is no sandbox"))]
    SANDBOX_ADDR = "127.0.0.1:3010";
    #[cfg_attr(not(feature = "sandbox"), allow(dead_code, reason = "there is no sandbox"))]
    SANDBOX_PROFILE = "gen2";
}
