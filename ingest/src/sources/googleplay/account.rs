//! A Google service account: signs a request for a token (RFC 7523), RS256 as in RFC 7518.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use echolot_schemas::Timestamp;
use reqwest::header::CONTENT_TYPE;
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;

use crate::{http::Fetch, source::SourceFault, sources::polled::options::address};

/// What the token is for.
const SCOPE: &str = "https://www.googleapis.com/auth/androidpublisher";
/// Longest life that Google grants, in seconds.
const LIFE: i64 = 3600;

/// The key file of a service account.
pub(crate) struct Account {
    email: String,
    token_uri: String,
    key: RsaKeyPair,
}

/// A key file that is none.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    #[error("is no key file of a service account (JSON with client_email and private_key): {0}")]
    File(String),
    #[error("private_key is no RSA key in PKCS#8 PEM")]
    Key,
}

impl Account {
    pub(crate) fn read(json: &SecretString) -> Result<Self, AccountError> {
        #[derive(Deserialize)]
        struct KeyFile {
            client_email: String,
            private_key: SecretString,
            #[serde(default = "google")]
            token_uri: String,
        }
        fn google() -> String {
            "https://oauth2.googleapis.com/token".to_owned()
        }
        // The parser's message may quote the key, so only its place is told.
        let file: KeyFile = serde_json::from_str(json.expose_secret()).map_err(|error| {
            AccountError::File(format!("line {}, column {}", error.line(), error.column()))
        })?;
        let pem = file.private_key.expose_secret().as_bytes();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| AccountError::Key)?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| AccountError::Key)?;
        Ok(Self { email: file.client_email, token_uri: file.token_uri, key })
    }

    /// The request for a token.
    pub(crate) fn request(&self, now: Timestamp) -> Result<Fetch, SourceFault> {
        let issued = now.as_seconds();
        let header = json!({ "alg": "RS256", "typ": "JWT" });
        let claims = json!({ "iss": self.email, "scope": SCOPE, "aud": self.token_uri,
                             "iat": issued, "exp": issued + LIFE });
        let encode = |text: String| URL_SAFE_NO_PAD.encode(text);
        let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| SourceFault::Fatal("the service account's key cannot sign".to_owned()))?;
        let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let body = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        let url = address(&self.token_uri, &[])?;
        Ok(Fetch::post(url, body).header(CONTENT_TYPE, "application/x-www-form-urlencoded"))
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account(…)")
    }
}
