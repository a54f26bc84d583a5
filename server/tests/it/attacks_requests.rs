//! Requests nobody honest sends: spoofed hosts, split responses, and everything oversize or malformed.

use crate::support::{CLIENT_ID, SESSION, TestApp, parameter};
use http::Method;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use url::Url;

/// Sends bytes as they are; gives what comes back.
async fn raw(app: &TestApp, request: &[u8]) -> String {
    let port = Url::parse(&app.origin).unwrap().port().unwrap();
    let mut stream = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port))).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    // A server that waits for the rest of a request is not at fault.
    drop(tokio::time::timeout(std::time::Duration::from_secs(2), reading).await);
    String::from_utf8_lossy(&answer).into_owned()
}

/// What a client says of our address is used for nothing: all absolute addresses come from `APP_URL`.
#[tokio::test]
async fn no_address_of_ours_comes_from_the_request() {
    let app = TestApp::spawn().await;
    let spoofed = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-for", "evil.example"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("forwarded", "host=evil.example;proto=https"),
        ("accept", "text/html"),
    ];
    let signed_in = app.signed_in("user_aisha").await;
    for path in
        ["/", "/dashboard", "/auth/login", "/auth/signed-out", "/no-such-page", "/api/health"]
    {
        for browser in [&app.browser(), &signed_in] {
            let answer = browser.ask(Method::GET, path, &spoofed).await;
            assert!(answer.status < 500, "{path}");
            let headers = format!("{:?}", answer.headers);
            for part in [&answer.body, &headers] {
                assert!(!part.contains("evil.example") && !part.contains(":666"), "{path}: {part}");
            }
            if let Some(start) = answer.location().filter(|url| url.path().ends_with("/authorize"))
            {
                let asked = parameter(&start, "redirect_uri").unwrap();
                assert_eq!(asked, format!("{}/api/auth/callback/campus-one", app.origin));
                assert_eq!(parameter(&start, "client_id").as_deref(), Some(CLIENT_ID));
            }
        }
    }
    // Signing out with Campus One names our address to the provider.
    let headers =
        [("host", "evil.example"), ("accept", "text/html"), ("sec-fetch-site", "same-origin")];
    let out = signed_in.ask(Method::POST, "/auth/logout/campus-one", &headers).await;
    assert!(!out.header("location").contains("evil.example"), "{out:?}");
}

/// Response splitting (CWE-113): no line break of a request becomes one of an answer.
#[tokio::test]
async fn no_answer_can_be_split() {
    let app = TestApp::spawn().await;
    let browser = app.browser();
    for injected in
        ["%0d%0aset-cookie:%20evil=1", "%0a%0dx:%201", "%E5%98%8A%E5%98%8Dset-cookie:evil=1"]
    {
        for target in [
            format!("/auth/login?next=/a{injected}"),
            format!("/auth/login?login_hint=a{injected}"),
            format!("/auth/callback?error=a{injected}&state=b{injected}"),
            format!("/auth/signed-out?state={injected}"),
            format!("/a{injected}"),
            format!("/dashboard?a={injected}"),
        ] {
            let answer = browser.navigate(&target).await;
            assert!(answer.status < 500, "{target}");
            for (name, value, _) in answer.cookies() {
                assert!(name.starts_with("c1_") && !value.contains("evil"), "{target}: {name}");
            }
            assert_eq!(answer.header("x"), "", "{target}");
        }
    }
}

/// Malformed on the wire: a status or a closed connection, never a 5xx, and the next request is served.
#[tokio::test]
async fn malformed_bytes_are_refused_and_harm_nobody_else() {
    let app = TestApp::spawn().await;
    let long = "a".repeat(600_000);
    let start = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\naccept: text/html\r\n";
    let requests: Vec<Vec<u8>> = vec![
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET / HTTP/9.9\r\n\r\n".to_vec(),
        format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n").into_bytes(),
        format!("{start}cookie: {long}\r\n\r\n").into_bytes(),
        format!("{start}{}\r\n", "x: y\r\n".repeat(500)).into_bytes(),
        [start.as_bytes(), b"cookie: campus_desk=\xff\xfe; c1_flow_\xff=1\r\n\r\n"].concat(),
        [start.as_bytes(), b"accept: \xff\r\nsec-fetch-mode: \xff\r\nuser-agent: \xff\r\n\r\n"].concat(),
        [start.as_bytes(), b"x-forwarded-for: \xff\r\n\r\n"].concat(),
        b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_vec(),
        b"POST /auth/logout HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST /auth/logout HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcde"
            .to_vec(),
        b"POST /auth/logout HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".to_vec(),
    ];
    for request in requests {
        let answer = raw(&app, &request).await;
        let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 5"), "{shown}: {answer}");
        assert_eq!(app.browser().fetch("/api/health").await.status, 200, "after {shown}");
    }
}

/// Oversize and odd bodies, on every address that takes one.
#[tokio::test]
async fn odd_bodies_are_refused_with_a_reason() {
    let app = TestApp::spawn().await;
    let editor = app.signed_in("user_zainab").await;
    let json = "application/json";
    let form = "application/x-www-form-urlencoded";
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let rows: Vec<(&str, Vec<u8>)> = vec![
        (json, deep(100_000).into_bytes()),
        (json, format!("{{\"title\":{}}}", deep(50_000)).into_bytes()),
        (json, b"{\"title\":\"\xff\",\"body\":\"x\"}".to_vec()),
        (json, b"{\"title\":\"\\ud800\",\"body\":\"x\"}".to_vec()),
        (json, b"{\"title\":\"a\\u0000b\",\"body\":\"x\"}".to_vec()),
        (json, b"{\"title\":1e999,\"body\":\"x\"}".to_vec()),
        (json, Vec::new()),
        (json, vec![b' '; 300 * 1024]),
        (form, b"title=%ff%fe".to_vec()),
        (form, b"%%%&&&===".to_vec()),
        ("multipart/form-data; boundary=x", b"--x--".to_vec()),
        ("\"", b"title=a&body=b".to_vec()),
    ];
    for (kind, body) in rows {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        for path in ["/api/articles", "/auth/backchannel-logout", "/api/webhooks/campus-one"] {
            let request = editor.request(Method::POST, path).header("content-type", kind);
            let answer = editor.send(request.header("accept", json).body(body.clone())).await;
            assert!((400..500).contains(&answer.status), "{path} {shown}: {answer:?}");
            assert!(
                !answer.body.contains("serde") && !answer.body.contains("line 1"),
                "{}",
                answer.body
            );
        }
    }
    assert_eq!(app.number("select count(*) from notices").await, 0);
    assert_eq!(editor.fetch("/auth/me").await.status, 200);
}

/// Whether somebody is known here is told to nobody: unknown people, sessions and flows are answered like
/// known ones.
#[tokio::test]
async fn nobody_learns_who_is_known_here() {
    let app = TestApp::spawn().await;
    app.signed_in("user_aisha").await;
    let stranger = app.signed_in("user_chinedu").await;
    let known = app.text("select id::text from users where subject = 'user_aisha'").await.unwrap();
    let unknown = "0193a000-0000-7000-8000-000000000000";
    let shown = |id: &str, browser| {
        let target = format!("/admin/people/{id}/end-sessions");
        async move {
            let browser: &crate::support::Browser = browser;
            let answer = browser.submit(&target).await;
            (answer.status, answer.reason())
        }
    };
    for browser in [&app.browser(), &stranger] {
        assert_eq!(shown(&known, browser).await, shown(unknown, browser).await);
    }
    let hinted = |hint: &'static str| {
        let browser = app.browser();
        async move { browser.navigate(&format!("/auth/login?login_hint={hint}")).await.status }
    };
    assert_eq!(
        hinted("256240001@nileuniversity.edu.ng").await,
        hinted("nobody@nile.example").await
    );
    let ended = app.signed_in("user_aisha").await;
    let token = ended.cookie(SESSION).unwrap();
    ended.submit("/auth/logout").await;
    for value in [token.as_str(), "AAAAAAAAAAAAAAAAAAAAAA"] {
        let browser = app.browser();
        browser.put("localhost", SESSION, value);
        assert_eq!(browser.fetch("/auth/me").await.body, "{\"error\":\"Not signed in\"}");
    }
}
