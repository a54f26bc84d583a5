use super::*;
use crate::config::Secret;
use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;
const BODY: &[u8] = b"{\"event\":\"user.disconnected\"}";

fn keys(current: &str, previous: Option<&str>) -> Keys {
    let secrets =
        WebhookSecrets { current: Some(Secret::new(current)), previous: previous.map(Secret::new) };
    Keys::new(&secrets).expect("there is a secret")
}

fn digest(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any key length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().expect("a header's name");
        map.append(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    map
}

fn check(keys: &Keys, pairs: &[(&str, &str)]) -> Result<(), Reason> {
    keys.check(&headers(pairs), BODY, Instant::from_seconds(NOW))
}

#[test]
fn both_forms_of_the_seeds_pass_in_either_case_and_nothing_else_does() {
    let keys = keys("current", Some("previous"));
    let good = hex(&digest(b"current", &[BODY]));
    let old = hex(&digest(b"previous", &[BODY]));
    for value in [
        good.clone(),
        format!("sha256={good}"),
        good.to_uppercase(),
        format!("sha256={}", good.to_uppercase()),
        format!(" {good} "),
        old.clone(),
        format!("sha256={old}"),
    ] {
        assert_eq!(check(&keys, &[(CAMPUS_ONE, &value)]), Ok(()), "{value}");
    }
    let other = hex(&digest(b"other", &[BODY]));
    let other_body = hex(&digest(b"current", &[b"{}"]));
    for value in [
        other,
        other_body,
        String::new(),
        "sha256=".to_owned(),
        good[..62].to_owned(),
        format!("{good}00"),
        format!("sha1={good}"),
        format!("sha256=sha256={good}"),
        format!("g{}", &good[1..]),
        "0".repeat(64),
        good[..63].to_owned() + if good.ends_with('0') { "1" } else { "0" },
    ] {
        let refused = Err(Reason::WEBHOOK_SIGNATURE);
        assert_eq!(check(&keys, &[(CAMPUS_ONE, &value)]), refused, "{value}");
    }
    assert_eq!(check(&keys, &[]), Err(Reason::WEBHOOK_UNSIGNED));
    let twice = [(CAMPUS_ONE, "00"), (CAMPUS_ONE, good.as_str())];
    assert_eq!(check(&keys, &twice), Ok(()), "one of several is enough");
}

#[test]
fn standard_webhooks_known_example_passes() {
    // The example of the reference libraries.
    let keys = keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", None);
    let pairs = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];
    let body = br#"{"test": 2432232314}"#;
    let at = |seconds| keys.check(&headers(&pairs), body, Instant::from_seconds(seconds));
    assert_eq!(at(1_614_265_330), Ok(()));
    for seconds in [-300, 300] {
        assert_eq!(at(1_614_265_330 + seconds), Ok(()));
    }
    for seconds in [-301, 301] {
        assert_eq!(at(1_614_265_330 + seconds), Err(Reason::WEBHOOK_SIGNATURE_TIME));
    }
}

#[test]
fn a_standard_signature_is_one_of_several_under_any_meaning_of_the_secret() {
    let time = NOW.to_string();
    let sign = |key: &[u8]| {
        let signed: [&[u8]; 5] = [b"msg_1", b".", time.as_bytes(), b".", BODY];
        format!("v1,{}", BASE64.encode(digest(key, &signed)))
    };
    let check = |keys: &Keys, signatures: &str| {
        let pairs = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", time.as_str()),
            ("webhook-signature", signatures),
        ];
        check(keys, &pairs)
    };
    let plain = keys("a secret, no base64", None);
    let good = sign(b"a secret, no base64");
    assert_eq!(check(&plain, &good), Ok(()));
    assert_eq!(check(&plain, &format!("v1a,AAAA v1,AAAA {good}")), Ok(()));
    let encoded = keys("whsec_c2VjcmV0", Some("b2xk"));
    for key in [b"secret".as_slice(), b"old", b"b2xk"] {
        assert_eq!(check(&encoded, &sign(key)), Ok(()));
    }
    let refused = Err(Reason::WEBHOOK_SIGNATURE);
    assert_eq!(check(&encoded, &sign(b"whsec_c2VjcmV0")), refused);
    assert_eq!(check(&encoded, &sign(b"")), refused);
    assert_eq!(check(&keys("whsec_", None), &sign(b"")), refused, "no key is no key");
    let digits = good.strip_prefix("v1,").unwrap_or_default();
    for signatures in ["", "v1,", digits, &good.replace("v1,", "v2,"), &good.replace("v1,", "v1:")]
    {
        assert_eq!(check(&plain, signatures), refused, "{signatures}");
    }
}

#[test]
fn id_and_time_are_signed_and_needed() {
    let keys = keys("s", None);
    let time = NOW.to_string();
    let signed: [&[u8]; 5] = [b"msg_1", b".", time.as_bytes(), b".", BODY];
    let good = format!("v1,{}", BASE64.encode(digest(b"s", &signed)));
    let (id, at, signature) = (
        ("webhook-id", "msg_1"),
        ("webhook-timestamp", time.as_str()),
        ("webhook-signature", good.as_str()),
    );
    assert_eq!(check(&keys, &[id, at, signature]), Ok(()));
    let refused = Err(Reason::WEBHOOK_SIGNATURE);
    let later = (NOW + 1).to_string();
    for pairs in [
        vec![at, signature],
        vec![id, signature],
        vec![("webhook-id", "msg_2"), at, signature],
        vec![id, ("webhook-timestamp", later.as_str()), signature],
        vec![id, id, at, signature],
    ] {
        assert_eq!(check(&keys, &pairs), refused, "{pairs:?}");
    }
    assert_eq!(check(&keys, &[id, at]), Err(Reason::WEBHOOK_UNSIGNED));
}

#[test]
fn a_signed_time_that_is_no_number_is_out_of_time() {
    for time in ["soon", "9223372036854775807", "-9223372036854775808", "1.5"] {
        let signed: [&[u8]; 5] = [b"m", b".", time.as_bytes(), b".", BODY];
        let signature = format!("v1,{}", BASE64.encode(digest(b"s", &signed)));
        let pairs =
            [("webhook-id", "m"), ("webhook-timestamp", time), ("webhook-signature", &signature)];
        assert_eq!(check(&keys("s", None), &pairs), Err(Reason::WEBHOOK_SIGNATURE_TIME), "{time}");
    }
}

proptest! {
    #[test]
    fn nothing_made_without_the_secret_passes(
        body in prop::collection::vec(any::<u8>(), 0..200),
        key in "[a-z]{0,12}",
        form in 0..4,
        noise in "[ -~]{0,80}",
    ) {
        let keys = keys("the current secret", Some("the previous secret"));
        let time = NOW.to_string();
        let digits = hex(&digest(key.as_bytes(), &[&body]));
        let standard: [&[u8]; 5] = [b"m", b".", time.as_bytes(), b".", &body];
        let standard = format!("v1,{}", BASE64.encode(digest(key.as_bytes(), &standard)));
        let pairs = match form {
            0 => vec![(CAMPUS_ONE, digits)],
            1 => vec![(CAMPUS_ONE, format!("sha256={digits}"))],
            2 => vec![(CAMPUS_ONE, noise)],
            _ => vec![("webhook-id", "m".to_owned()), ("webhook-timestamp", time.clone()),
                      ("webhook-signature", standard)],
        };
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let checked = keys.check(&headers(&pairs), &body, Instant::from_seconds(NOW));
        prop_assert!(checked.is_err());
    }
}
