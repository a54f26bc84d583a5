//! The application's state: what every request may use, made once at start.

use crate::audit::Strangers;
use crate::config::{CampusOneSettings, SessionLimits, Settings};
use crate::freshness::Freshness;
use crate::http::cookies::CookieStyle;
use crate::http::gate::Refusals;
use crate::http::rate::Rates;
use crate::live::Feed;
use crate::seal::KeyRing;
use crate::signin::client::{Client, ClientError};
use crate::signin::provider::Provider;
use crate::signin::redemption::Redemptions;
use crate::webhook::Webhooks;
use campus_app::{Assets, Ribbon};
use ipnet::IpNet;
use sqlx::PgPool;
use std::sync::Arc;

/// The canonical callback path (PROTOCOLS.md rule 7).
pub const CALLBACK: &str = "/api/auth/callback/campus-one";

/// What every request may use.
pub struct App {
    /// Our public origin, without a trailing slash.
    pub origin: String,
    /// Where the provider sends browsers back to.
    pub redirect_uri: String,
    /// How cookies look here.
    pub cookies: CookieStyle,
    /// Seals flows and counters.
    pub flow_keys: KeyRing,
    /// How long a session lasts.
    pub session_limits: SessionLimits,
    /// How far clocks may be apart, in seconds.
    pub leeway: i64,
    /// The database.
    pub db: PgPool,
    /// Campus One.
    pub provider: Provider,
    /// Codes that are being redeemed.
    pub redemptions: Redemptions,
    /// How many entries strangers have brought about.
    pub strangers: Strangers,
    /// What open pages are told.
    pub live: Feed,
    /// Checks of people under way, and what they need.
    pub freshness: Freshness,
    /// What the receiver of webhooks and their worker share.
    pub webhooks: Webhooks,
    /// Whom the gates refused a short while ago.
    pub refusals: Refusals,
    /// How often one address may do what costs us something.
    pub rates: Rates,
    /// The proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Names of the built site's files.
    pub assets: Arc<Assets>,
    /// What every page says where this is not the real thing.
    pub ribbon: Option<Ribbon>,
}

impl App {
    /// Puts the parts together.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn new(
        settings: &Settings,
        campus_one: CampusOneSettings,
        db: PgPool,
        assets: Assets,
        ribbon: Option<Ribbon>,
    ) -> Result<Self, ClientError> {
        let previous = settings.session_secret_previous.as_ref();
        let origin = settings.origin();
        let limits = &settings.deployment.provider;
        Ok(Self {
            redirect_uri: format!("{origin}{CALLBACK}"),
            origin,
            cookies: CookieStyle { secure: settings.cookie_secure() },
            flow_keys: KeyRing::derive(&settings.session_secret, previous, "flow"),
            session_limits: settings.deployment.session,
            leeway: i64::try_from(limits.leeway().as_secs()).unwrap_or(60),
            db,
            provider: Provider::new(campus_one, Client::new(limits.timeout())?),
            redemptions: Redemptions::default(),
            strangers: Strangers::default(),
            live: Feed::default(),
            freshness: Freshness::new(
                KeyRing::derive(&settings.session_secret, previous, "tokens"),
                limits.revalidate(),
            ),
            webhooks: Webhooks::new(&settings.webhook),
            refusals: Refusals::default(),
            rates: Rates::default(),
            trusted_proxies: settings.deployment.server.trusted_proxies.clone(),
            assets: Arc::new(assets),
            ribbon,
        })
    }
}
