//! HTTP to the server, with TLS where the address says so.

use std::{sync::Arc, time::Duration};

use clickhouse::Client;
use echolot_pipeline::settings::Secret;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client as HttpClient, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use secrecy::ExposeSecret;

use crate::{ClickHouseSettings, StoreError};

/// Finds out that a server is gone when it does not say so.
const KEEPALIVE: Duration = Duration::from_mins(1);

/// A server closes idle connections after 3 s unless told otherwise; ours are closed before.
const IDLE: Duration = Duration::from_secs(2);

/// A client of the server at `settings.url`, logged in as `user`.
pub(crate) fn client(
    settings: &ClickHouseSettings,
    user: &str,
    password: &Secret,
) -> Result<Client, StoreError> {
    let password = password.read().map_err(|error| StoreError::Secret(error.to_string()))?;
    let http = HttpClient::builder(TokioExecutor::new())
        .pool_idle_timeout(IDLE)
        .build(connector(&settings.ca_file)?);
    Ok(Client::with_http_client(http)
        .with_url(&settings.url)
        .with_user(user)
        .with_password(password.expose_secret()))
}

fn connector(ca_file: &str) -> Result<HttpsConnector<HttpConnector>, StoreError> {
    let mut http = HttpConnector::new();
    http.set_keepalive(Some(KEEPALIVE));
    http.enforce_http(false);
    let roots = if ca_file.is_empty() { system_roots() } else { roots_of(ca_file)? };
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Tls(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(http))
}

/// The system's certificates. There may be none: then only plain addresses work.
fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

/// The certificates in a PEM file, and no others.
fn roots_of(ca_file: &str) -> Result<RootCertStore, StoreError> {
    let refused = |why: String| StoreError::Tls(format!("clickhouse.ca_file {ca_file}: {why}"));
    let found = CertificateDer::pem_file_iter(ca_file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refused(error.to_string()))?;
    if found.is_empty() {
        return Err(refused("no certificate in it; it must be in PEM".to_owned()));
    }
    let mut roots = RootCertStore::empty();
    for certificate in found {
        roots.add(certificate).map_err(|error| refused(error.to_string()))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told_by_its_name() {
        let folder = std::env::temp_dir();
        let empty = folder.join(format!("echolot-no-certificate-{}.pem", std::process::id()));
        std::fs::write(&empty, "not a certificate").unwrap();
        let path = empty.to_str().unwrap();
        for (file, why) in [(path, "no certificate in it"), ("/nowhere/ca.pem", "/nowhere/ca.pem")]
        {
            let told = connector(file).unwrap_err().to_string();
            assert!(told.contains(why) && told.contains("clickhouse.ca_file"), "{told}");
        }
        std::fs::remove_file(&empty).unwrap();
    }
}
