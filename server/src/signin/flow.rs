//! A flow: one pending sign-in, sealed into a cookie of its own until the provider answers.
//!
//! Nothing is stored on the server before a sign-in succeeds, and any instance can finish any flow.

use crate::http::cookies::{self, CookieStyle, Cookies};
use crate::seal::KeyRing;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use campus::instant::Instant;
use campus::return_path::ReturnPath;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// How long a flow may take, in seconds.
pub const FLOW_SECONDS: i64 = 600;
/// How much longer its cookie stays, in seconds: whoever comes late learns that, and where they can go on.
const REMEMBERED_SECONDS: i64 = 1800;
/// How many flows a browser may hold; the oldest makes room.
pub const MOST_FLOWS: usize = 5;
/// More starts than this within [`STARTS_WITHIN_SECONDS`] look like a loop.
pub const MOST_STARTS: usize = 3;
/// The window of the loop breaker, in seconds.
pub const STARTS_WITHIN_SECONDS: i64 = 60;

/// How a flow asks the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// With `prompt=none`: the provider answers at once, without a page.
    Silent {
        /// Whether an interactive flow follows when nobody is signed in there.
        then_interactive: bool,
    },
    /// The provider may show its pages.
    Interactive,
    /// With `prompt=login`: the provider is to ask the person to prove again who they are.
    StepUp,
}

impl Mode {
    /// The word for logs and the audit trail.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent { .. } => "silent",
            Self::Interactive => "interactive",
            Self::StepUp => "step_up",
        }
    }

    /// Whether this is a silent flow.
    #[must_use]
    pub const fn is_silent(self) -> bool {
        matches!(self, Self::Silent { .. })
    }
}

/// One pending sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flow {
    /// Comes back with the answer; names the flow (RFC 6749 §10.12).
    pub state: String,
    /// Comes back inside the ID token (OpenID Connect Core §3.1.2.1).
    pub nonce: String,
    /// Proves to the token endpoint that we began it (RFC 7636 §4.1).
    pub code_verifier: String,
    /// Silent or interactive.
    pub mode: Mode,
    /// Where the person wanted to go.
    pub next: ReturnPath,
    /// Whether a signed-in person began it by a click: it then takes the place of their session.
    pub replaces_session: bool,
    /// When it began.
    pub issued_at: Instant,
}

/// Marks the state of a flow that was started because an unknown state came back: when that comes back
/// unknown too, the browser does not keep our cookies, and starting again would never end.
const SECOND_TRY: &str = "again-";

impl Flow {
    /// Begins a flow with fresh random values of 256 bits each.
    #[must_use]
    pub fn begin(mode: Mode, next: ReturnPath, second_try: bool, now: Instant) -> Self {
        let prefix = if second_try { SECOND_TRY } else { "" };
        Self {
            state: format!("{prefix}{}", random_text()),
            nonce: random_text(),
            code_verifier: random_text(),
            mode,
            next,
            replaces_session: false,
            issued_at: now,
        }
    }

    /// The code challenge of method S256 (RFC 7636 §4.2).
    #[must_use]
    pub fn code_challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.code_verifier.as_bytes()))
    }

    /// Whether it may still be finished; a flow from the future was sealed by a broken clock.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        (-60..FLOW_SECONDS).contains(&now.seconds_since(self.issued_at))
    }

    /// The base name of its cookie.
    #[must_use]
    pub fn cookie_name(&self) -> String {
        format!("{}{}", cookies::FLOW, fingerprint(&self.state))
    }
}

/// Whether a state belongs to a flow that was itself a second try.
#[must_use]
pub fn is_second_try(state: &str) -> bool {
    state.starts_with(SECOND_TRY)
}

/// 256 random bits as text.
pub(crate) fn random_text() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())
}

fn fingerprint(state: &str) -> String {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(state.as_bytes())[..12])
}

/// The pending flows of one browser, newest first.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    flows: Vec<Flow>,
    /// Flows whose time is over.
    expired: Vec<Flow>,
    /// Base names of cookies that hold no flow: like the expired ones, they are removed at the next exit.
    stale: Vec<String>,
}

impl Pending {
    /// Opens the flow cookies of a request.
    #[must_use]
    pub fn read(cookies: &Cookies, keys: &KeyRing, now: Instant) -> Self {
        let mut pending = Self::default();
        for (suffix, sealed) in cookies.starting(cookies::FLOW) {
            let name = format!("{}{suffix}", cookies::FLOW);
            let flow = keys
                .open(&name, sealed)
                .and_then(|plain| serde_json::from_slice::<Flow>(&plain).ok())
                .filter(|flow| flow.cookie_name() == name);
            match flow {
                Some(flow) if flow.is_open(now) => pending.flows.push(flow),
                Some(flow) => pending.expired.push(flow),
                None => pending.stale.push(name),
            }
        }
        pending.flows.sort_by_key(|flow| std::cmp::Reverse(flow.issued_at));
        pending
    }

    /// The flow this state names.
    #[must_use]
    pub fn by_state(&self, state: &str) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.state == state)
    }

    /// The flow this state names, where its time is over.
    #[must_use]
    pub fn expired(&self, state: &str) -> Option<&Flow> {
        self.expired.iter().find(|flow| flow.state == state)
    }

    /// The newest silent flow.
    #[must_use]
    pub fn newest_silent(&self) -> Option<&Flow> {
        self.flows.iter().find(|flow| flow.mode.is_silent())
    }

    /// The newest flow of any mode.
    #[must_use]
    pub fn newest(&self) -> Option<&Flow> {
        self.flows.first()
    }

    /// The `Set-Cookie` values that keep `flow` beside the others, and make room for it.
    #[must_use]
    pub fn keep(&self, flow: &Flow, keys: &KeyRing, style: CookieStyle) -> Vec<String> {
        let plain = serde_json::to_vec(flow).unwrap_or_default();
        let name = flow.cookie_name();
        let seconds = FLOW_SECONDS + REMEMBERED_SECONDS;
        let kept = style.set(&name, &keys.seal(&name, &plain), seconds);
        let evicted = self.flows.iter().skip(MOST_FLOWS - 1).map(Flow::cookie_name);
        let mut set: Vec<String> = evicted.map(|name| style.remove(&name)).collect();
        set.extend(self.removals(style));
        set.push(kept);
        set
    }

    /// The `Set-Cookie` values that remove what is no open flow any more.
    #[must_use]
    pub fn removals(&self, style: CookieStyle) -> Vec<String> {
        // A browser that was fed many cookies by a sibling site must not make us answer with as many.
        let names = self.expired.iter().map(Flow::cookie_name).chain(self.stale.iter().cloned());
        names.take(2 * MOST_FLOWS).map(|name| style.remove(&name)).collect()
    }
}

/// When this browser was sent to the provider within the last minute: the loop breaker's memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts(Vec<Instant>);

impl Starts {
    /// Reads the request's memory; anything unreadable is an empty one.
    #[must_use]
    pub fn read(cookies: &Cookies, keys: &KeyRing, now: Instant) -> Self {
        let starts = cookies
            .get(cookies::STARTS)
            .and_then(|sealed| keys.open(cookies::STARTS, sealed))
            .and_then(|plain| serde_json::from_slice::<Vec<Instant>>(&plain).ok())
            .unwrap_or_default();
        let recent = |at: &Instant| (0..STARTS_WITHIN_SECONDS).contains(&now.seconds_since(*at));
        Self(starts.into_iter().filter(recent).collect())
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The `Set-Cookie` value that remembers one more.
    #[must_use]
    pub fn add(mut self, now: Instant, keys: &KeyRing, style: CookieStyle) -> String {
        self.0.push(now);
        let plain = serde_json::to_vec(&self.0).unwrap_or_default();
        let sealed = keys.seal(cookies::STARTS, &plain);
        style.set(cookies::STARTS, &sealed, STARTS_WITHIN_SECONDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use http::{HeaderMap, HeaderValue, header::COOKIE};

    const STYLE: CookieStyle = CookieStyle { secure: true };

    fn keys() -> KeyRing {
        KeyRing::derive(&Secret::new("s"), None, "flow")
    }

    fn at(seconds: i64) -> Instant {
        Instant::from_seconds(1_000_000 + seconds)
    }

    fn flow(mode: Mode, seconds: i64) -> Flow {
        Flow::begin(mode, ReturnPath::parse("/dashboard"), false, at(seconds))
    }

    /// Plays browser: applies `Set-Cookie` values to a jar and sends it back.
    fn send(jar: &mut Vec<(String, String)>, set: &[String]) -> Cookies {
        for cookie in set {
            let pair = cookie.split(';').next().and_then(|pair| pair.split_once('='));
            let (name, value) = pair.expect("a cookie");
            jar.retain(|(held, _)| held != name);
            if !cookie.contains("Max-Age=0") {
                jar.push((name.to_owned(), value.to_owned()));
            }
        }
        let line: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, HeaderValue::from_str(&line.join("; ")).expect("ascii"));
        Cookies::read(&headers, STYLE)
    }

    #[test]
    fn a_flow_comes_back_whole_and_only_in_its_own_cookie() {
        let (mut jar, keys) = (Vec::new(), keys());
        let flow = flow(Mode::Interactive, 0);
        let cookies = send(&mut jar, &Pending::default().keep(&flow, &keys, STYLE));
        let pending = Pending::read(&cookies, &keys, at(1));
        assert_eq!(pending.by_state(&flow.state), Some(&flow));
        assert!(!jar[0].1.contains(&flow.nonce));
        jar[0].0.push('x');
        let moved = Pending::read(&send(&mut jar, &[]), &keys, at(1));
        assert_eq!(moved.newest(), None);
        assert_eq!(moved.removals(STYLE).len(), 1);
    }

    #[test]
    fn a_flow_ends_after_ten_minutes() {
        let (mut jar, keys) = (Vec::new(), keys());
        let flow = flow(Mode::Interactive, 0);
        let cookies = send(&mut jar, &Pending::default().keep(&flow, &keys, STYLE));
        assert!(Pending::read(&cookies, &keys, at(599)).newest().is_some());
        let late = Pending::read(&cookies, &keys, at(600));
        assert!(late.newest().is_none() && late.by_state(&flow.state).is_none());
        assert_eq!(late.expired(&flow.state), Some(&flow));
        assert_eq!(late.removals(STYLE).len(), 1);
        assert!(Pending::read(&cookies, &keys, at(-61)).newest().is_none());
    }

    #[test]
    fn five_flows_are_kept_and_the_oldest_makes_room() {
        let (mut jar, keys) = (Vec::new(), keys());
        let mut cookies = Cookies::default();
        let flows: Vec<Flow> = (0..7).map(|n| flow(Mode::Interactive, n)).collect();
        for (n, flow) in flows.iter().enumerate() {
            let now = at(i64::try_from(n).expect("small"));
            let set = Pending::read(&cookies, &keys, now).keep(flow, &keys, STYLE);
            cookies = send(&mut jar, &set);
        }
        let pending = Pending::read(&cookies, &keys, at(7));
        let kept: Vec<bool> = flows.iter().map(|f| pending.by_state(&f.state).is_some()).collect();
        assert_eq!(kept, [false, false, true, true, true, true, true]);
        assert_eq!(pending.newest(), flows.last());
    }

    #[test]
    fn starts_are_counted_for_a_minute() {
        let (mut jar, keys) = (Vec::new(), keys());
        let mut cookies = Cookies::default();
        for second in [0, 10, 20] {
            let set = Starts::read(&cookies, &keys, at(second)).add(at(second), &keys, STYLE);
            cookies = send(&mut jar, &[set]);
        }
        assert_eq!(Starts::read(&cookies, &keys, at(59)).count(), 3);
        assert_eq!(Starts::read(&cookies, &keys, at(60)).count(), 2);
        assert_eq!(Starts::read(&cookies, &keys, at(90)).count(), 0);
    }

    #[test]
    fn the_code_challenge_is_the_standards_example() {
        let mut flow = flow(Mode::Interactive, 0);
        flow.code_verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into();
        assert_eq!(flow.code_challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert!(is_second_try(&Flow::begin(flow.mode, flow.next, true, at(0)).state));
    }
}
