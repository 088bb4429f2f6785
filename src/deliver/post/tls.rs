//! TLS by rustls with ring, judged by the system's certificates.

use std::sync::{Arc, OnceLock};

use rustls::{CertificateError, ClientConfig};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio_rustls::TlsConnector;

/// Whose certificates are believed.
pub(super) enum Trust {
    /// Read at the first https target, not before: a small container image may hold none, and deliver by http.
    OfTheSystem,
    #[cfg(test)]
    Of(rustls::RootCertStore),
}

pub(super) struct Tls {
    trust: Trust,
    made: OnceLock<Result<TlsConnector, rustls::Error>>,
}

impl Tls {
    pub fn new(trust: Trust) -> Self {
        Self { trust, made: OnceLock::new() }
    }

    pub fn connector(&self) -> Result<&TlsConnector, &rustls::Error> {
        self.made.get_or_init(|| self.make()).as_ref()
    }

    fn make(&self) -> Result<TlsConnector, rustls::Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let builder = match &self.trust {
            Trust::OfTheSystem => builder.with_platform_verifier()?,
            #[cfg(test)]
            Trust::Of(roots) => {
                return Ok(Arc::new(builder.with_root_certificates(roots.clone()).with_no_client_auth()).into());
            }
        };
        Ok(Arc::new(builder.with_no_client_auth()).into())
    }
}

/// In words of our own: rustls quotes names and dates of the certificate that was shown.
pub(super) fn words(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(why) => match why {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::UnknownIssuer => "nobody whom this system trusts has issued its certificate",
            _ => "its certificate is not valid",
        },
        rustls::Error::AlertReceived(_) => "the other side has broken off the TLS handshake",
        rustls::Error::InvalidMessage(_) | rustls::Error::InappropriateMessage { .. } => "what came is not TLS",
        rustls::Error::PeerIncompatible(_) => "both sides have no version or cipher of TLS in common",
        rustls::Error::General(_) => "this system has no certificates to judge others by",
        _ => "the TLS handshake failed",
    }
}
