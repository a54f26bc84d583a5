//! The routes: every address of the app, with what it asks of those who come.
//!
//! An address is registered here and nowhere else, and there is no way to do it without saying who may
//! come: that is an argument, or for pages their row in [`campus::access::RULES`]. The list that falls out
//! is what the policy test goes through.

use super::gate::{Demand, gate};
use super::guard::guard;
use super::respond;
use super::site;
use crate::app::App;
use crate::config::Site;
use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use campus::access::{Access, Permission, access_to};
use std::sync::Arc;

/// What kind of address it is: who guards it, and whether a session is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A page: the guard decides, by the access table.
    Page,
    /// A form's target.
    Action,
    /// For programs.
    Api,
    /// A step of a sign-in or a sign-out: open to everybody, since it proves itself by its own means
    /// (state), or there is nothing to prove.
    Protocol,
    /// For other servers, whose messages prove themselves by a signature. No session is looked for.
    Message,
    /// Whether the server is well. No session is looked for.
    Health,
    /// Built files. No session is looked for.
    File,
}

/// How an address is asked. Forms and programs need no more than these here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// GET, and HEAD with it.
    Get,
    /// POST.
    Post,
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// How it is asked.
    pub verb: Verb,
    /// The path, with its parameters in braces.
    pub path: String,
    /// Its kind.
    pub kind: Kind,
    /// Who may come.
    pub access: Access,
    /// Whether it destroys something.
    pub destructive: bool,
}

/// All addresses, as they are being registered.
pub struct Routes {
    app: Arc<App>,
    with_session: Router<Arc<App>>,
    without_session: Router<Arc<App>>,
    list: Vec<RouteInfo>,
}

impl Routes {
    /// None yet.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        let (with_session, without_session) = (Router::new(), Router::new());
        Self { app, with_session, without_session, list: Vec::new() }
    }

    /// A page. The access table says who may open it.
    #[must_use]
    pub fn page<H, T>(mut self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        // The guard also sees what is no GET: without a session that is a 401, not a 405.
        let guarded = get(handler).layer(from_fn_with_state(self.app.clone(), guard));
        self.with_session = self.with_session.route(path, guarded);
        let demand = Demand { access: access_to(path), destructive: false };
        self.note(Verb::Get, path, Kind::Page, demand)
    }

    /// The target of a form.
    #[must_use]
    pub fn action<H, T>(self, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let demand = Demand { access, destructive: false };
        self.gated(Verb::Post, path, Kind::Action, demand, handler)
    }

    /// The target of a form that destroys something.
    #[must_use]
    pub fn destructive_action<H, T>(
        self,
        path: &'static str,
        permission: Permission,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let demand = Demand { access: Access::Needs(permission), destructive: true };
        self.gated(Verb::Post, path, Kind::Action, demand, handler)
    }

    /// An address for programs.
    #[must_use]
    pub fn api<H, T>(self, verb: Verb, path: &'static str, access: Access, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let demand = Demand { access, destructive: false };
        self.gated(verb, path, Kind::Api, demand, handler)
    }

    /// An address that everybody reaches because it proves itself by its own means.
    #[must_use]
    pub fn protocol<H, T>(self, verb: Verb, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let demand = Demand { access: Access::Public, destructive: false };
        self.gated(verb, path, Kind::Protocol, demand, handler)
    }

    /// Where another server leaves a message that proves itself by its signature. No session is looked for.
    #[must_use]
    pub fn message<H, T>(mut self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let open = post(handler).route_layer(map_response(private));
        self.without_session = self.without_session.route(path, open);
        self.note(Verb::Post, path, Kind::Message, PUBLIC)
    }

    /// Whether the server is well.
    #[must_use]
    pub fn health<H, T>(mut self, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        self.without_session = self.without_session.route(path, get(handler));
        self.note(Verb::Get, path, Kind::Health, PUBLIC)
    }

    /// The built files.
    #[must_use]
    pub fn files(mut self, files: &Site) -> Self {
        self.without_session = self.without_session.merge(site::routes(files));
        for path in site::paths(files) {
            self = self.note(Verb::Get, &path, Kind::File, PUBLIC);
        }
        self
    }

    /// The addresses that ask who is there, those that do not, and the list of both.
    pub fn into_parts(self) -> (Router<Arc<App>>, Router<Arc<App>>, Vec<RouteInfo>) {
        (self.with_session, self.without_session, self.list)
    }

    fn gated<H, T>(
        mut self,
        verb: Verb,
        path: &'static str,
        kind: Kind,
        demand: Demand,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Arc<App>>,
        T: 'static,
    {
        let asked: MethodRouter<Arc<App>> = match verb {
            Verb::Get => get(handler),
            Verb::Post => post(handler),
        };
        let gated = asked
            .route_layer(from_fn_with_state((self.app.clone(), demand), gate))
            .route_layer(map_response(private));
        self.with_session = self.with_session.route(path, gated);
        self.note(verb, path, kind, demand)
    }

    fn note(mut self, verb: Verb, path: &str, kind: Kind, demand: Demand) -> Self {
        let Demand { access, destructive } = demand;
        self.list.push(RouteInfo { verb, path: path.to_owned(), kind, access, destructive });
        self
    }
}

const PUBLIC: Demand = Demand { access: Access::Public, destructive: false };

/// What is no page, no file and no health is kept by no cache and named by no referrer.
async fn private(mut response: Response) -> Response {
    respond::private(&mut response);
    response
}
