//! The site: the built files, precompressed, those with a hash in their name for a year.

use crate::config::Site;
use axum::Router;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response};
use tower::ServiceBuilder;
use tower_http::services::{ServeDir, ServeFile};
use tower_http::set_header::SetResponseHeaderLayer;

const YEAR: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Files served at the root of the site.
const ROOT_FILES: [&str; 3] = ["favicon.svg", "manifest.webmanifest", "robots.txt"];

/// Their addresses.
pub fn paths(site: &Site) -> impl Iterator<Item = String> + use<> {
    let pkg = format!("/{}/{{*file}}", site.pkg_dir.display());
    std::iter::once(pkg).chain(ROOT_FILES.map(|file| format!("/{file}")))
}

/// The routes of the built files.
pub fn routes<S: Clone + Send + Sync + 'static>(site: &Site) -> Router<S> {
    let pkg = ServeDir::new(site.root.join(&site.pkg_dir)).precompressed_br().precompressed_gzip();
    let lasting = if site.hash_files { YEAR } else { REVALIDATE };
    let mut router = Router::new().nest_service(
        &format!("/{}", site.pkg_dir.display()),
        ServiceBuilder::new().layer(caching(lasting)).service(pkg),
    );
    for file in ROOT_FILES {
        let service = ServeFile::new(site.root.join(file)).precompressed_br().precompressed_gzip();
        let service = ServiceBuilder::new().layer(caching(HOUR)).service(service);
        router = router.route_service(&format!("/{file}"), service);
    }
    router
}

/// Only what is there is cached: a missing file may arrive with the next release.
fn caching<B>(
    value: HeaderValue,
) -> SetResponseHeaderLayer<impl FnMut(&Response<B>) -> Option<HeaderValue> + Clone> {
    SetResponseHeaderLayer::overriding(CACHE_CONTROL, move |response: &Response<B>| {
        (response.status().is_success() || response.status().as_u16() == 304).then(|| value.clone())
    })
}
