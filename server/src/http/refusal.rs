//! Refusals: the one error type of the handlers. What a client may see of it is the [`Reason`]; the page or
//! JSON around that is made in [`super::present`].

use super::respond::add_cookies;
use crate::store::StoreError;
use axum::response::{IntoResponse, Response};
use campus::access::Permission;
use campus::notice::FieldFault;
use campus::reason::Reason;
use campus::return_path::ReturnPath;
use http::StatusCode;

/// A request that is not served, and why.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// Where the person wanted to go: the way on leads there.
    pub next: ReturnPath,
    /// What else the client may know.
    pub detail: Detail,
    // A slice, since every fallible answer carries the whole of this.
    set_cookies: Box<[String]>,
}

/// What a client may know of a refusal beyond its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    None,
    /// The permission that is missing.
    Needs(Permission),
    /// The fields that cannot be taken.
    Fields(Vec<FieldFault>),
    /// How long to wait, in seconds.
    Wait(u64),
}

impl Refusal {
    /// Signed in, but without a permission.
    #[must_use]
    pub fn needs(permission: Permission) -> Self {
        Self { detail: Detail::Needs(permission), ..Self::from(Reason::FORBIDDEN) }
    }

    /// What was sent can be read, but not taken.
    #[must_use]
    pub fn fields(faults: Vec<FieldFault>) -> Self {
        Self { detail: Detail::Fields(faults), ..Self::from(Reason::INVALID_FIELDS) }
    }

    /// Too much at once from one address; it works again after so many seconds.
    #[must_use]
    pub fn too_many(seconds: u64) -> Self {
        Self { detail: Detail::Wait(seconds), ..Self::from(Reason::TOO_MANY_REQUESTS) }
    }

    /// With the place the person wanted to go to.
    #[must_use]
    pub fn with_next(mut self, next: ReturnPath) -> Self {
        self.next = next;
        self
    }

    /// With cookies to set.
    #[must_use]
    pub fn with_cookies(mut self, set_cookies: Vec<String>) -> Self {
        self.set_cookies = set_cookies.into_boxed_slice();
        self
    }

    /// The database does not answer; the details go to the log.
    #[must_use]
    #[allow(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
    pub fn from_database(error: sqlx::Error) -> Self {
        tracing::error!(%error, "the database does not answer");
        Self::from(Reason::STORE_UNAVAILABLE)
    }
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self { reason, next: ReturnPath::home(), detail: Detail::None, set_cookies: Box::default() }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the store failed");
        Self::from(Reason::STORE_UNAVAILABLE)
    }
}

impl IntoResponse for Refusal {
    fn into_response(mut self) -> Response {
        let status = StatusCode::from_u16(self.reason.status);
        let mut response = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        add_cookies(&mut response, std::mem::take(&mut self.set_cookies).into_vec());
        response.extensions_mut().insert(self);
        response
    }
}
