//! Who is asking, as far as the network tells: the address that rate limits go by. It is no proof of
//! anything, and nothing else rests on it.

use crate::app::App;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::request::Parts;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// The part of an IPv6 address that tells networks apart: whoever has one has 2^64 addresses below it
/// (RFC 6177 §2).
const NETWORK_V6: u128 = !0 << 64;

/// The network address of whoever asks: an IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Client(IpAddr);

impl Client {
    /// Reads it from a request.
    #[must_use]
    pub fn of(app: &App, extensions: &Extensions, headers: &HeaderMap) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let forwarded = headers.get_all(FORWARDED_FOR).iter();
        // A header that is no text ends the chain like any other entry that is no address.
        let forwarded = forwarded.flat_map(|value| value.to_str().unwrap_or("?").split(','));
        Self::behind(peer, &forwarded.collect::<Vec<_>>(), &app.trusted_proxies)
    }

    /// The peer, or where that is a trusted proxy the right-most address of `X-Forwarded-For` that is none:
    /// proxies append at the right, and what stands left of it is whatever the client chose to send.
    fn behind(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> Self {
        let mut client = peer.to_canonical();
        for entry in forwarded.iter().rev() {
            if !trusted.iter().any(|network| network.contains(&client)) {
                break;
            }
            let Some(before) = address(entry.trim()) else { break };
            client = before.to_canonical();
        }
        Self(network(client))
    }
}

impl FromRequestParts<Arc<App>> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Infallible> {
        Ok(Self::of(app, &parts.extensions, &parts.headers))
    }
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & NETWORK_V6)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let trusted: Vec<IpNet> = trusted.iter().filter_map(|net| net.parse().ok()).collect();
        let Ok(peer) = peer.parse() else { panic!("{peer}") };
        Client::behind(peer, forwarded, &trusted).0.to_string()
    }

    #[test]
    fn only_what_a_trusted_proxy_wrote_is_believed() {
        let proxies = ["10.0.0.0/8", "fd00::/8"];
        let rows: &[(&str, &[&str], &[&str], &str)] = &[
            // Nobody is trusted by default, loopback neither.
            ("127.0.0.1", &["203.0.113.9"], &[], "127.0.0.1"),
            ("203.0.113.1", &["203.0.113.9"], &proxies, "203.0.113.1"),
            ("10.0.0.1", &[], &proxies, "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], &proxies, "203.0.113.9"),
            // What a client sends itself stands to the left of its address.
            ("10.0.0.1", &["198.51.100.7", " 203.0.113.9 "], &proxies, "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.7", "203.0.113.9", "10.2.3.4"], &proxies, "203.0.113.9"),
            ("10.0.0.1", &["10.9.9.9", "10.2.3.4"], &proxies, "10.9.9.9"),
            // An entry that is no address is where belief ends.
            ("10.0.0.1", &["203.0.113.9", "unknown", "10.2.3.4"], &proxies, "10.2.3.4"),
            ("10.0.0.1", &["?"], &proxies, "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9:4711"], &proxies, "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::1]:443"], &proxies, "2001:db8::"),
            ("10.0.0.1", &["[2001:db8::1]"], &proxies, "2001:db8::"),
            // An IPv4 address is one, however it is written.
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], &proxies, "203.0.113.9"),
            ("fd00::1", &["2001:db8:1:2:3:4:5:6"], &proxies, "2001:db8:1:2::"),
        ];
        for (peer, forwarded, trusted, expected) in rows {
            assert_eq!(client(peer, forwarded, trusted), *expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let one = client("2001:db8:1:2::1", &[], &[]);
        assert_eq!(one, client("2001:db8:1:2:ffff::9", &[], &[]));
        assert_ne!(one, client("2001:db8:1:3::1", &[], &[]));
    }
}
