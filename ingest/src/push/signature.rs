//! Signatures of push requests: `X-Echolot-Signature: t=<unix seconds>,v1=<hex>[,v1=<hex>]`.
//!
//! `v1` is HMAC-SHA256 (RFC 2104) over `"{t}."` and the raw body, compression included. Several
//! `v1` let a sender change its secret without a gap. The time is part of what is signed, so that a
//! request written down by somebody cannot be sent again later.

use std::time::Duration;

use echolot_schemas::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// The header's name.
pub const HEADER: &str = "x-echolot-signature";
/// Longest header looked at.
const HEADER_BYTES: usize = 1024;
/// Bytes of one signature.
const SIGNATURE_BYTES: usize = 32;

/// Why a request does not count as its sender's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// No header.
    #[error("header X-Echolot-Signature is missing: t=<unix seconds>,v1=<hex HMAC-SHA256>")]
    Missing,
    /// Not in the form above.
    #[error("header X-Echolot-Signature is malformed: {0}")]
    Malformed(&'static str),
    /// Signed too long ago, or in the future.
    #[error(
        "the signature's time is {off_seconds} s off the server's, at most {window_seconds}; is the sender's clock right?"
    )]
    Stale {
        /// Seconds between the two, never negative.
        off_seconds: u64,
        /// Seconds they may be apart.
        window_seconds: u64,
    },
    /// Signed with another secret, or the body was changed on its way.
    #[error(
        "the signature does not fit the body; is the secret right, and is the raw body signed?"
    )]
    Mismatch,
}

/// A signature header taken apart. Nothing in it is proven yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    time: i64,
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

impl Claim {
    /// Reads the header. Schemes other than `v1` are passed over.
    pub fn parse(header: &str) -> Result<Self, SignatureFault> {
        let malformed = SignatureFault::Malformed;
        if header.len() > HEADER_BYTES {
            return Err(malformed("it is longer than 1024 bytes"));
        }
        let (mut time, mut signatures) = (None, Vec::new());
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", _)) if time.is_some() => {
                    return Err(malformed("it holds more than one t="));
                }
                Some(("t", seconds)) => {
                    time =
                        Some(seconds.parse().map_err(|_| malformed("t is no number of seconds"))?);
                }
                Some(("v1", text)) => {
                    let mut signature = [0; SIGNATURE_BYTES];
                    hex::decode_to_slice(text, &mut signature)
                        .map_err(|_| malformed("v1 is not 64 hex digits"))?;
                    signatures.push(signature);
                }
                Some(_) => {}
                None => return Err(malformed("a part of it is no name=value")),
            }
        }
        let time = time.ok_or(malformed("t= is missing"))?;
        if signatures.is_empty() {
            return Err(malformed("v1= is missing"));
        }
        Ok(Self { time, signatures })
    }

    /// Checks the time alone, which is possible before the body is there.
    pub fn check_time(&self, now: Timestamp, window: Duration) -> Result<(), SignatureFault> {
        let off_seconds = self.time.abs_diff(now.as_seconds());
        let window_seconds = window.as_secs();
        if off_seconds > window_seconds {
            return Err(SignatureFault::Stale { off_seconds, window_seconds });
        }
        Ok(())
    }

    /// Checks the body against every signature, in constant time each.
    pub fn verify(&self, secret: &SigningKey, body: &[u8]) -> Result<(), SignatureFault> {
        let mac = secret.mac(self.time, body);
        let fits = |signature: &[u8; SIGNATURE_BYTES]| mac.clone().verify_slice(signature).is_ok();
        if self.signatures.iter().any(fits) { Ok(()) } else { Err(SignatureFault::Mismatch) }
    }
}

/// A sender's secret, made ready for signing.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl SigningKey {
    /// A key of these bytes.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104, section 3)")]
    pub fn new(secret: &SecretString) -> Self {
        let key = Hmac::new_from_slice(secret.expose_secret().as_bytes());
        Self(key.expect("HMAC takes keys of every length"))
    }

    /// The header's value for a body sent at `at`: what a sender writes.
    pub fn sign(&self, at: Timestamp, body: &[u8]) -> String {
        let time = at.as_seconds();
        format!("t={time},v1={}", hex::encode(self.mac(time, body).finalize().into_bytes()))
    }

    fn mac(&self, time: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(time.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_mins(5);

    fn key(secret: &str) -> SigningKey {
        SigningKey::new(&SecretString::from(secret))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_signature_made_with_openssl_is_accepted() {
        // printf '1700000000.{"id":"1"}' | openssl dgst -sha256 -hmac secret
        let header =
            "t=1700000000,v1=086f6aff7bd084c98679825129c5a64dbad88c760016d6d2c0fb123f27951d54";
        let claim = Claim::parse(header).unwrap();
        assert_eq!(claim.check_time(at(1_700_000_300), WINDOW), Ok(()));
        assert_eq!(claim.verify(&key("secret"), br#"{"id":"1"}"#), Ok(()));
    }

    #[test]
    fn a_time_outside_of_the_window_is_refused_either_way() {
        let claim = Claim::parse(&key("secret").sign(at(1000), b"x")).unwrap();
        for (now, fits) in [(700, true), (1300, true), (699, false), (1301, false)] {
            assert_eq!(claim.check_time(at(now), WINDOW).is_ok(), fits, "{now}");
        }
        let extreme = Claim::parse(&format!("t={},v1={}", i64::MIN, "0".repeat(64))).unwrap();
        assert!(extreme.check_time(at(1), WINDOW).is_err());
    }

    #[test]
    fn either_of_two_signatures_is_enough_while_a_secret_changes() {
        let (old, new) = (key("old"), key("new"));
        let second = old.sign(at(1), b"x").replace("t=1,", "");
        let claim = Claim::parse(&format!("{},{second}", new.sign(at(1), b"x"))).unwrap();
        assert_eq!(claim.verify(&old, b"x"), Ok(()));
        assert_eq!(claim.verify(&new, b"x"), Ok(()));
        assert_eq!(claim.verify(&key("other"), b"x"), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn malformed_headers_are_refused_with_the_reason() {
        let digits = "0".repeat(64);
        for (header, reason) in [
            (String::new(), "a part of it is no name=value"),
            (format!("v1={digits}"), "t= is missing"),
            ("t=1".to_owned(), "v1= is missing"),
            ("t=1,v1=zz".to_owned(), "v1 is not 64 hex digits"),
            (format!("t=soon,v1={digits}"), "t is no number of seconds"),
            (format!("t=1,t=2,v1={digits}"), "it holds more than one t="),
            (format!("t=1,{}", "v1=00,".repeat(500)), "it is longer than 1024 bytes"),
        ] {
            assert_eq!(Claim::parse(&header), Err(SignatureFault::Malformed(reason)), "{header}");
        }
    }

    proptest! {
        #[test]
        fn what_was_signed_is_verified_and_any_changed_byte_is_not(
            body in prop::collection::vec(any::<u8>(), 1..200),
            secret in ".{1,40}",
            seconds in 0_i64..4_000_000_000,
            flip in any::<prop::sample::Index>(),
        ) {
            let key = key(&secret);
            let claim = Claim::parse(&key.sign(at(seconds), &body)).unwrap();
            prop_assert_eq!(claim.verify(&key, &body), Ok(()));
            let mut changed = body.clone();
            changed[flip.index(body.len())] ^= 1;
            prop_assert_eq!(claim.verify(&key, &changed), Err(SignatureFault::Mismatch));
        }

        #[test]
        fn no_header_makes_the_parser_panic(header in ".{0,120}") {
            let _ = Claim::parse(&header);
        }
    }
}
