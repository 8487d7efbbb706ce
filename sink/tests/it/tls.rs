//! A server that is reached over TLS, under a certificate authority of its own.

use std::sync::Arc;

use echolot_pipeline::stage::Fault;
use echolot_store::{ClickHouseSettings, Store};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivatePkcs8KeyDer},
};

use crate::lab::Lab;

/// The authority's certificate in PEM, and the server side of its connections.
fn authority() -> (String, TlsAcceptor) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = server.signed_by(&key, &ca).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    (ca.pem(), TlsAcceptor::from(Arc::new(tls)))
}

#[tokio::test]
async fn a_server_with_a_certificate_of_its_own_authority_is_trusted_by_ca_file_alone() {
    let lab = Lab::new().await;
    let folder = tempfile::tempdir().unwrap();
    let (pem, acceptor) = authority();
    let ca_file = folder.path().join("ca.pem");
    std::fs::write(&ca_file, pem).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let behind = lab.settings.url.trim_start_matches("http://").to_owned();
    let serving = tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                // The client that does not trust us breaks off in the handshake.
                if let Ok(mut client) = acceptor.accept(client).await {
                    let mut server = TcpStream::connect(behind).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });

    let unnamed =
        ClickHouseSettings { url: format!("https://localhost:{port}"), ..lab.settings.clone() };
    let fault = Fault::from(Store::new(&unnamed).unwrap().ping().await.unwrap_err());
    assert!(matches!(&fault, Fault::Transient(text) if text.contains("certificate")), "{fault:?}");
    let ca_file = ca_file.to_str().unwrap().to_owned();
    let named = ClickHouseSettings { ca_file, ..unnamed };
    Store::new(&named).unwrap().ping().await.unwrap();
    // Another name than the certificate's is another server.
    let elsewhere = ClickHouseSettings { url: format!("https://127.0.0.1:{port}"), ..named };
    assert!(Store::new(&elsewhere).unwrap().ping().await.is_err());
    serving.abort();
}
