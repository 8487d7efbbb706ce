//! A guarded connection for protocols other than HTTP requests: websockets.

use std::{net::SocketAddr, sync::Arc};

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::http::{
    client::{HttpClient, HttpSetupError},
    fault::{HttpError, shown},
    resolve::ResolveError,
};

/// Bytes both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection, encrypted where the URL says so.
pub type Connection = Box<dyn Stream>;

impl HttpClient {
    /// Connects to the host of `url` (ws, wss, http, https) under the same guard as requests; the
    /// caller makes its handshake on what comes back.
    pub async fn connect(&self, url: &Url) -> Result<Connection, HttpError> {
        self.resolver.guard.check_url(url)?;
        let after = self.settings.connect_timeout;
        timeout(after, self.open(url)).await.map_err(|_| HttpError::Timeout {
            url: shown(url),
            phase: "connecting",
            after,
        })?
    }

    async fn open(&self, url: &Url) -> Result<Connection, HttpError> {
        let failed = |detail: String| HttpError::Unreachable { url: shown(url), detail };
        let secure = matches!(url.scheme(), "wss" | "https");
        let port = url.port().unwrap_or(if secure { 443 } else { 80 });
        let (addresses, name) = match url.host() {
            Some(Host::Ipv4(address)) => {
                (vec![address.into()], ServerName::from(std::net::IpAddr::from(address)))
            }
            Some(Host::Ipv6(address)) => {
                (vec![address.into()], ServerName::from(std::net::IpAddr::from(address)))
            }
            Some(Host::Domain(domain)) => {
                let addresses =
                    self.resolver.addresses(domain).await.map_err(|error| match error {
                        ResolveError::Refused(refused) => HttpError::Refused(refused),
                        error => failed(error.to_string()),
                    })?;
                let name = ServerName::try_from(domain.to_owned())
                    .map_err(|error| failed(error.to_string()))?;
                (addresses, name)
            }
            None => return Err(failed("names no host".to_owned())),
        };
        let addresses: Vec<SocketAddr> =
            addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        let stream = TcpStream::connect(&addresses[..]).await.map_err(|e| failed(e.to_string()))?;
        stream.set_nodelay(true).map_err(|e| failed(e.to_string()))?;
        if !secure {
            return Ok(Box::new(stream));
        }
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await.map_err(|e| failed(e.to_string()))?;
        Ok(Box::new(stream))
    }
}

/// TLS with the system's certificates. None may be there: then only plain addresses work.
pub(super) fn tls() -> Result<ClientConfig, HttpSetupError> {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (_, unreadable) = roots.add_parsable_certificates(found.certs);
    if unreadable > 0 || !found.errors.is_empty() {
        tracing::debug!(
            unreadable,
            errors = found.errors.len(),
            "some system certificates are unreadable"
        );
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| HttpSetupError::Client(error.to_string()))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
