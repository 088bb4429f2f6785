//! The proxy that deliveries leave by.

use data_encoding::BASE64;
use url::{Host, Url};

use crate::secret::{ExposeSecret, SecretString};

/// An HTTP proxy, spoken to in clear: `http://[user:password@]host[:port]`.
#[derive(Clone, Debug)]
pub struct Proxy {
    pub host: Host,
    pub port: u16,
    /// The value of `Proxy-Authorization`.
    pub authorization: Option<SecretString>,
}

impl Proxy {
    /// # Errors
    /// What it must be, and nothing of what was written: it holds a password.
    pub fn read(text: &SecretString) -> Result<Self, String> {
        let parsed = Url::parse(text.expose_secret()).ok().filter(|url| {
            let goes_on = !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some();
            url.scheme() == "http" && !goes_on
        });
        let found = parsed.and_then(|url| {
            let host = url.host()?.to_owned();
            let port = url.port_or_known_default().filter(|port| *port != 0)?;
            Some(Self { host, port, authorization: authorization(&url) })
        });
        found.ok_or_else(|| "must be http://, perhaps user:password@, a host and a port; nothing behind it".to_owned())
    }
}

/// RFC 7617. In the URL both parts are percent-encoded.
fn authorization(url: &Url) -> Option<SecretString> {
    let (user, password) = (plain(url.username()), plain(url.password().unwrap_or_default()));
    if user.is_empty() && password.is_empty() {
        return None;
    }
    Some(format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes())).into())
}

fn plain(text: &str) -> String {
    // The decoder of forms, which gives these three another meaning.
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_has_a_host_a_port_and_perhaps_a_user() {
        for (text, host, port, basic) in [
            ("http://proxy:3128", "proxy", 3128, None),
            ("http://10.0.0.1/", "10.0.0.1", 80, None),
            ("http://[::1]:3128", "[::1]", 3128, None),
            ("http://me:p%40ss+w%26=d@proxy:3128", "proxy", 3128, Some("me:p@ss+w&=d")),
            ("http://me@proxy", "proxy", 80, Some("me:")),
        ] {
            let proxy = Proxy::read(&text.into()).unwrap();
            assert_eq!((proxy.host.to_string().as_str(), proxy.port), (host, port), "{text}");
            let expected = basic.map(|basic| format!("Basic {}", BASE64.encode(basic.as_bytes())));
            assert_eq!(proxy.authorization.as_ref().map(ExposeSecret::expose_secret), expected.as_deref(), "{text}");
            assert!(!format!("{proxy:?}").contains("Basic"));
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_showing_it() {
        for text in [
            "",
            "proxy:3128",
            "https://me:hunter2@proxy",
            "socks5://me:hunter2@proxy",
            "http://me:hunter2@proxy/x",
            "http://p?x",
            "http://p:0",
        ] {
            assert!(!Proxy::read(&text.into()).unwrap_err().contains("hunter2"), "{text}");
        }
    }
}
