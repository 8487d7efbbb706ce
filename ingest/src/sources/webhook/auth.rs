//! How a sender proves who it is: a secret in a header, or a signature over the body.

use axum::http::HeaderMap;
use echolot_pipeline::settings::{Problems, Secret};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use crate::{hooks::Unauthorised, sources::polled::options::check_secret};

/// `auth` of a webhook.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Auth {
    scheme: Scheme,
    /// The header that holds it; empty for what suits the scheme.
    header: String,
    /// What stands before it in the header, such as `Bearer ` or `sha256=`.
    prefix: String,
    secret: Secret,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scheme {
    /// The secret itself stands in the header.
    #[default]
    Token,
    /// Hex of HMAC-SHA256 over the raw body stands in the header.
    HmacSha256,
}

impl Auth {
    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    fn header(&self) -> &str {
        match (self.header.as_str(), self.scheme) {
            ("", Scheme::Token) => "x-echolot-token",
            ("", Scheme::HmacSha256) => "x-hub-signature-256",
            (named, _) => named,
        }
    }

    pub(super) fn validate(&self, path: &str, problems: &mut Problems) {
        let missing = "the sender has to prove who it is: put the secret that you tell it here, or \
            file:PATH; `openssl rand -hex 32` makes one";
        check_secret(&self.secret, &format!("{path}.secret"), missing, problems);
        problems.check(
            self.header().parse::<axum::http::HeaderName>().is_ok(),
            &format!("{path}.header"),
            "is no name of a header, such as X-Hub-Signature-256",
        );
    }
}

/// What a request is checked against.
pub(in crate::sources) struct Check {
    auth: Auth,
    key: Hmac<Sha256>,
    /// HMAC of the secret itself, which a token must have as well.
    token: Vec<u8>,
}

impl Check {
    pub(super) fn new(auth: &Auth, secret: &SecretString) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104)")]
        let key: Hmac<Sha256> = Hmac::new_from_slice(secret.expose_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        let token = key.clone().chain_update(secret.expose_secret()).finalize().into_bytes();
        Self { auth: auth.clone(), key, token: token.to_vec() }
    }

    /// For a platform that signs the raw body with HMAC-SHA256, in hex behind `prefix`.
    pub(in crate::sources) fn signed(header: &str, prefix: &str, secret: &SecretString) -> Self {
        let auth = Auth {
            scheme: Scheme::HmacSha256,
            header: header.to_owned(),
            prefix: prefix.to_owned(),
            secret: Secret::default(),
        };
        Self::new(&auth, secret)
    }

    /// In constant time: a token is compared by its HMAC, a signature by the library.
    pub(in crate::sources) fn check(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), Unauthorised> {
        let header = headers
            .get(self.auth.header())
            .ok_or(Unauthorised("the header with the secret or signature is missing"))?;
        let given = header
            .to_str()
            .ok()
            .and_then(|text| text.strip_prefix(&self.auth.prefix))
            .ok_or(Unauthorised("the header does not begin as configured in auth.prefix"))?;
        match self.auth.scheme {
            Scheme::Token => self
                .key
                .clone()
                .chain_update(given)
                .verify_slice(&self.token)
                .map_err(|_| Unauthorised("the secret is wrong")),
            Scheme::HmacSha256 => {
                let signature = hex::decode(given)
                    .map_err(|_| Unauthorised("the signature is not in hex digits"))?;
                self.key.clone().chain_update(body).verify_slice(&signature).map_err(|_| {
                    Unauthorised("the signature does not fit the body; is the secret right?")
                })
            }
        }
    }
}
