//! Whether a request is signed as its key asks for: the right key and algorithm, everything covered that must be, made just now, a nonce,
//! and a right signature (RFC 9421 §3.2). That the nonce is new is asked afterwards (`nonces`).

use super::{
    base::{Message, name_of, signature_base},
    fault::Fault,
    fields::{Bare, Item, Member, Parameters, dictionary},
    signer::Signer,
};
use crate::platform::crypto::sha256;

/// Seconds for which a signature counts.
pub const MAX_AGE: i64 = 300;
/// Seconds that the signer's clock may be ahead.
pub const MAX_AHEAD: i64 = 60;
/// How long a nonce is, in characters.
const NONCE: std::ops::RangeInclusive<usize> = 16..=128;

/// The SHA-256 of the nonce of a signature that is right.
pub type Nonce = [u8; 32];

/// Checks the signature of a message that names this key, and tells its nonce and when it was made. `now` in seconds since 1970, as that is.
pub fn verify(signer: &Signer, key: &str, message: &Message<'_>, now: i64) -> Result<(Nonce, i64), Fault> {
    if signer.is_sealed() {
        return Err(Fault::Sealed);
    }
    let field = |name| (message.field)(name).ok_or(Fault::Malformed).and_then(|text| dictionary(&text).map_err(|_| Fault::Malformed));
    let (inputs, signatures) = (field("signature-input")?, field("signature")?);
    let (label, components, parameters) = inputs
        .iter()
        .find_map(|(label, member)| match member {
            Member::List(components, parameters) if parameters.text("keyid") == Some(key) => Some((label, components, parameters)),
            Member::List(..) | Member::Item(_) => None,
        })
        .ok_or(Fault::OtherKey)?;
    let signature = signatures.iter().find(|(name, _)| name == label).and_then(|(_, member)| bytes(member)).ok_or(Fault::Malformed)?;
    if parameters.get("alg").is_some_and(|alg| *alg != Bare::Text(signer.algorithm().as_str().to_owned())) {
        return Err(Fault::OtherAlgorithm);
    }
    let created = must_be_fresh(parameters, now)?;
    must_cover(message, components)?;
    let nonce = parameters.text("nonce").filter(|nonce| NONCE.contains(&nonce.len())).ok_or(Fault::NoNonce)?;
    if !signer.accepts(signature_base(message, components, parameters)?.as_bytes(), signature) {
        return Err(Fault::Wrong);
    }
    must_be_digest(message)?;
    Ok((sha256(nonce), created))
}

fn bytes(member: &Member) -> Option<&[u8]> {
    if let Member::Item(Item { value: Bare::Bytes(bytes), .. }) = member { Some(bytes) } else { None }
}

/// When it was made.
fn must_be_fresh(parameters: &Parameters, now: i64) -> Result<i64, Fault> {
    let created = parameters.integer("created").ok_or(Fault::NoTime)?;
    if now - created > MAX_AGE {
        return Err(Fault::TooOld);
    }
    if created - now > MAX_AHEAD {
        return Err(Fault::Ahead);
    }
    match parameters.get("expires") {
        None => Ok(created),
        Some(Bare::Integer(expires)) if *expires > now => Ok(created),
        Some(_) => Err(Fault::Expired),
    }
}

fn must_cover(message: &Message<'_>, components: &[Item]) -> Result<(), Fault> {
    let covers = |any: &[&str]| components.iter().any(|component| name_of(component).is_ok_and(|name| any.contains(&name)));
    if !covers(&["@method"]) {
        return Err(Fault::Uncovered("@method"));
    }
    if !covers(&["@path", "@target-uri", "@request-target"]) {
        return Err(Fault::Uncovered("@path"));
    }
    if message.query().is_some() && !covers(&["@query", "@target-uri", "@request-target"]) {
        return Err(Fault::Uncovered("@query"));
    }
    let has_body = message.has_body || (message.field)("content-digest").is_some();
    if has_body && !covers(&["content-digest"]) {
        return Err(Fault::Uncovered("content-digest"));
    }
    Ok(())
}

/// The digest has the form of one (RFC 9530 §2), and is that of the body where the body is known.
fn must_be_digest(message: &Message<'_>) -> Result<(), Fault> {
    let Some(text) = (message.field)("content-digest") else { return Ok(()) };
    let digests = dictionary(&text).map_err(|_| Fault::Digest)?;
    let digest = |name: &str, len: usize| digests.iter().find(|(known, _)| known == name).and_then(|(_, m)| bytes(m)).filter(|b| b.len() == len);
    let (short, long) = (digest("sha-256", 32), digest("sha-512", 64));
    match (message.body_sha256, short) {
        (None, _) if short.is_some() || long.is_some() => Ok(()),
        (Some(body), Some(told)) if body[..] == *told => Ok(()),
        _ => Err(Fault::Digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::STANDARD};
    use hmac::{Hmac, KeyInit, Mac};
    use std::collections::HashMap;

    const NOW: i64 = 1_618_884_473;
    const DIGEST: &str = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";

    struct Sent {
        method: &'static str,
        target: &'static str,
        has_body: bool,
        fields: HashMap<&'static str, String>,
    }

    impl Sent {
        fn message<'a>(&'a self, field: &'a (dyn Fn(&str) -> Option<String> + Sync)) -> Message<'a> {
            Message { method: self.method, scheme: "https", authority: "example.com", target: self.target, field, has_body: self.has_body, body_sha256: None }
        }

        fn verify(&self, signer: &Signer, now: i64) -> Result<Nonce, Fault> {
            let field = |name: &str| self.fields.get(name).cloned();
            verify(signer, "key_1", &self.message(&field), now).map(|(nonce, _)| nonce)
        }
    }

    fn signer() -> Signer {
        Signer::hmac_sha256("demo_sig_0123456789".to_owned())
    }

    const COVERED: &str = r#"("@method" "@path" "@query" "content-digest")"#;
    const PARAMETERS: &str = r#";created=1618884473;keyid="key_1";nonce="0123456789abcdef""#;

    /// A request that is signed over these components with these parameters.
    fn sent(components: &str, parameters: &str) -> Sent {
        let mut sent = Sent { method: "POST", target: "/orders?page=2", has_body: true, fields: HashMap::new() };
        sent.fields.insert("content-digest", DIGEST.to_owned());
        sent.fields.insert("signature-input", format!("sig1={components}{parameters}"));
        let field = |name: &str| sent.fields.get(name).cloned();
        let members = dictionary(&sent.fields["signature-input"]).expect("a dictionary");
        let Some((_, Member::List(components, parameters))) = members.first() else { panic!("a list") };
        let base = signature_base(&sent.message(&field), components, parameters).expect("a base");
        let signature = STANDARD.encode(signer().sign(base.as_bytes()).expect("a MAC"));
        sent.fields.insert("signature", format!("sig1=:{signature}:"));
        sent
    }

    #[test]
    fn a_right_signature_counts_for_five_minutes() {
        let sent = sent(COVERED, PARAMETERS);
        assert_eq!(sent.verify(&signer(), NOW), Ok(sha256("0123456789abcdef")));
        for (now, expected) in [(NOW + 300, Ok(())), (NOW + 301, Err(Fault::TooOld)), (NOW - 60, Ok(())), (NOW - 61, Err(Fault::Ahead))] {
            assert_eq!(sent.verify(&signer(), now).map(drop), expected, "{now}");
        }
    }

    #[test]
    fn what_was_altered_is_found() {
        let whole = || sent(COVERED, PARAMETERS);
        let altered = |change: fn(&mut Sent)| {
            let mut sent = whole();
            change(&mut sent);
            sent.verify(&signer(), NOW)
        };
        assert_eq!(altered(|s| s.target = "/orders?page=3"), Err(Fault::Wrong));
        assert_eq!(altered(|s| s.target = "/order?page=2"), Err(Fault::Wrong));
        assert_eq!(altered(|s| s.method = "PUT"), Err(Fault::Wrong));
        assert_eq!(altered(|s| drop(s.fields.insert("content-digest", DIGEST.replace("X48E", "Y48E")))), Err(Fault::Wrong));
        assert_eq!(altered(|s| drop(s.fields.remove("content-digest"))), Err(Fault::Absent));
        assert_eq!(altered(|s| drop(s.fields.remove("signature"))), Err(Fault::Malformed));
        assert_eq!(altered(|s| drop(s.fields.insert("signature", "sig2=:AAAA:".into()))), Err(Fault::Malformed));
        assert_eq!(altered(|s| drop(s.fields.insert("signature", "sig1=:AAAA:".into()))), Err(Fault::Wrong));
        assert_eq!(altered(|s| drop(s.fields.insert("signature-input", "sig1=(".into()))), Err(Fault::Malformed));
        assert_eq!(whole().verify(&Signer::hmac_sha256("demo_sig_other".into()), NOW), Err(Fault::Wrong));
        assert_eq!(whole().verify(&Signer::sealed([0; 32]), NOW), Err(Fault::Sealed));
    }

    #[test]
    fn everything_that_matters_must_be_signed() {
        for (components, fault) in [
            (r#"("@path" "@query" "content-digest")"#, Fault::Uncovered("@method")),
            (r#"("@method" "@query" "content-digest")"#, Fault::Uncovered("@path")),
            (r#"("@method" "@path" "content-digest")"#, Fault::Uncovered("@query")),
            (r#"("@method" "@path" "@query")"#, Fault::Uncovered("content-digest")),
        ] {
            assert_eq!(sent(components, PARAMETERS).verify(&signer(), NOW), Err(fault), "{components}");
        }
        for components in [r#"("@method" "@target-uri" "content-digest")"#, r#"("content-digest" "@request-target" "@method" "@authority")"#] {
            assert!(sent(components, PARAMETERS).verify(&signer(), NOW).is_ok(), "{components}");
        }
    }

    #[test]
    fn the_parameters_must_be_those_of_the_key() {
        for (parameters, fault) in [
            (r#";created=1618884473;keyid="key_2";nonce="0123456789abcdef""#, Fault::OtherKey),
            (r#";created=1618884473;nonce="0123456789abcdef""#, Fault::OtherKey),
            (r#";created=1618884473;keyid="key_1";nonce="0123456789abcdef";alg="ed25519""#, Fault::OtherAlgorithm),
            (r#";keyid="key_1";nonce="0123456789abcdef""#, Fault::NoTime),
            (r#";created="1618884473";keyid="key_1";nonce="0123456789abcdef""#, Fault::NoTime),
            (r#";created=1618884473;expires=1618884473;keyid="key_1";nonce="0123456789abcdef""#, Fault::Expired),
            (r#";created=1618884473;keyid="key_1";nonce="0123456789abcde""#, Fault::NoNonce),
            (r#";created=1618884473;keyid="key_1""#, Fault::NoNonce),
        ] {
            assert_eq!(sent(COVERED, parameters).verify(&signer(), NOW), Err(fault), "{parameters}");
        }
    }

    #[test]
    fn the_vectors_of_the_docs_pass() {
        let page = include_str!("../../../../docs/signing.md");
        let digest = format!("sha-256=:{}:", STANDARD.encode(sha256(r#"{"item":"book","count":2}"#)));
        let input =
            r#"sig1=("@method" "@target-uri" "content-digest");created=1795089600;keyid="key_01KAYV7QRE4Z5H8N2M3P6T9WXY";nonce="Jq7d2mXw0Zk5Tn8bRc3VfA""#;
        let ed25519 = Signer::ed25519(crate::keys::server::signing::public_key("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").expect("a key"));
        for (signer, signature) in [
            (Signer::hmac_sha256("demo_sig_0123456789abcdefghijklmnopqrstuv".to_owned()), "qNktiHWmVvTxPj5kz7wRySI6ptSDKiWk0GkC4k13TPM="),
            (ed25519, "nRtX3jl26JWzAMDNivg9yJXsC7W433elThsEFTUesRefMIRpFLq3JokmaQ3r2A4SXAzrpBaDRrQ0rc+ZNBb7Bg=="),
        ] {
            let field = |name: &str| match name {
                "content-digest" => Some(digest.clone()),
                "signature-input" => Some(input.to_owned()),
                "signature" => Some(format!("sig1=:{signature}:")),
                _ => None,
            };
            let (authority, target) = ("api.example.com", "/orders?page=2");
            let message = Message { method: "POST", scheme: "https", authority, target, field: &field, has_body: true, body_sha256: None };
            assert!(verify(&signer, "key_01KAYV7QRE4Z5H8N2M3P6T9WXY", &message, 1_795_089_600).is_ok(), "{signature}");
            let members = dictionary(input).expect("a dictionary");
            let Some((_, Member::List(components, parameters))) = members.first() else { panic!("a list") };
            let base = signature_base(&message, components, parameters).expect("a base");
            assert!(page.contains(&format!("\n{base}\n```")) && page.contains(&format!("| `{signature}` |")), "{base}");
        }
    }

    #[test]
    fn the_vectors_of_rfc_9421_pass() {
        // B.2: the request that both are made of; B.1.4 and B.1.5: the keys.
        let fields: HashMap<&str, &str> = [
            ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
            ("content-type", "application/json"),
            ("content-digest", "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"),
            ("content-length", "18"),
        ]
        .into();
        let field = |name: &str| fields.get(name).map(|v| (*v).to_owned());
        let message = Message {
            method: "POST",
            scheme: "https",
            authority: "example.com",
            target: "/foo?param=Value&Pet=dog",
            field: &field,
            has_body: true,
            body_sha256: None,
        };
        let base = |input: &str| {
            let members = dictionary(input).expect("a dictionary");
            let Some((_, Member::List(components, parameters))) = members.first() else { panic!("a list") };
            signature_base(&message, components, parameters).expect("a base")
        };
        let decoded = |text: &str| STANDARD.decode(text).expect("base64");

        // B.2.5, hmac-sha256.
        let mac = base(r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#);
        assert_eq!(
            mac,
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@authority\": example.com\n\"content-type\": application/json\n\
             \"@signature-params\": (\"date\" \"@authority\" \"content-type\");created=1618884473;keyid=\"test-shared-secret\""
        );
        let secret = decoded("uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==");
        let signature = decoded("pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=");
        let made = Hmac::<sha2::Sha256>::new_from_slice(&secret).expect("any length").chain_update(&mac);
        assert!(made.verify_slice(&signature).is_ok());

        // B.2.6, ed25519.
        let signed = base(r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#);
        let signer = Signer::ed25519(crate::keys::server::signing::public_key("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=").expect("a key"));
        let signature = decoded("wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==");
        assert!(signer.accepts(signed.as_bytes(), &signature), "{signed}");
        assert!(!signer.accepts(signed.replace("/foo", "/fop").as_bytes(), &signature));
    }
}
