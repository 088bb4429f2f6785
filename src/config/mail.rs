//! Mail to the operator: `smtp_url`, `mail_from`, `mail_to`; all three, or none.

use std::net::IpAddr;

use lettre::message::Mailbox;
use url::Url;

use super::checked;
use super::raw::Layers;
use crate::secret::{ExposeSecret, SecretString};

/// How to reach the operator.
#[derive(Clone, Debug)]
pub struct Mail {
    pub relay: Relay,
    pub from: Mailbox,
    /// At least one.
    pub to: Vec<Mailbox>,
}

/// The server that takes mail.
#[derive(Clone, Debug)]
pub struct Relay {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// User and password.
    pub login: Option<(String, SecretString)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    None,
    /// Begun in the clear, and not gone on with unless the server speaks TLS.
    StartTls,
    /// From the first byte (RFC 8314, 3.3).
    Tls,
}

pub(super) fn mail(layers: &Layers, problems: &mut Vec<String>) -> Option<Mail> {
    let url = layers.one("smtp_url", |raw| &raw.smtp_url);
    let from = layers.one("mail_from", |raw| &raw.mail_from);
    let to = layers.many("mail_to", |raw| &raw.mail_to);
    let places = [
        ("smtp_url", url.as_ref().map(|found| &found.place)),
        ("mail_from", from.as_ref().map(|found| &found.place)),
        ("mail_to", to.as_ref().map(|found| &found.place)),
    ];
    let place = places.iter().find_map(|(_, place)| *place)?;
    let missing = places.iter().filter(|(_, place)| place.is_none()).map(|(name, _)| *name).collect::<Vec<_>>();
    if !missing.is_empty() {
        let missing = missing.join(" and ");
        problems.push(format!("{place}: mail needs all three of smtp_url, mail_from and mail_to; add {missing}"));
    }
    let relay = checked(url, problems, |url| relay(&url));
    let from = checked(from, problems, |text| mailbox(&text));
    let to = checked(to, problems, |texts| texts.iter().map(|text| mailbox(text)).collect());
    Some(Mail { relay: relay?, from: from?, to: to? })
}

fn mailbox(text: &str) -> Result<Mailbox, String> {
    let bad = |_| format!("`{text}` is not an address, such as ops@example.com or Tidegate <tidegate@example.com>");
    text.trim().parse().map_err(bad)
}

/// Says nothing of the text: it holds a password.
fn relay(url: &SecretString) -> Result<Relay, String> {
    let form = || "must be smtp:// or smtps://, perhaps USER:PASSWORD@, a host, perhaps a port and ?tls=".to_owned();
    let url = Url::parse(url.expose_secret()).map_err(|_| form())?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(form)?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if !matches!(url.scheme(), "smtp" | "smtps") || !matches!(url.path(), "" | "/") || url.fragment().is_some() {
        return Err(form());
    }
    let security = security(&url, is_here(host)).ok_or_else(|| {
        "takes ?tls=required or ?tls=none behind smtp://, and nothing behind smtps://, which is TLS at once".to_owned()
    })?;
    let login = match (url.username(), url.password()) {
        ("", None) => None,
        (user, Some(password)) if !user.is_empty() => {
            let decoded = |text| decoded(text).ok_or_else(|| "holds a % without two hex digits behind it".to_owned());
            Some((decoded(user)?, decoded(password)?.into()))
        }
        _ => return Err("must have both a user and a password, or neither".to_owned()),
    };
    if login.is_some() && security == Security::None && !is_here(host) {
        return Err("would send its password in the clear: leave out ?tls=none, or the password".to_owned());
    }
    let usual = match security {
        Security::None => 25,
        Security::StartTls => 587,
        Security::Tls => 465,
    };
    Ok(Relay { host: host.to_owned(), port: url.port().unwrap_or(usual), security, login })
}

/// In the clear only where nobody is in between, or where the operator says so.
fn security(url: &Url, is_here: bool) -> Option<Security> {
    match (url.scheme(), url.query()) {
        ("smtps", None) => Some(Security::Tls),
        ("smtp", Some("tls=required")) => Some(Security::StartTls),
        ("smtp", Some("tls=none")) => Some(Security::None),
        ("smtp", None) => Some(if is_here { Security::None } else { Security::StartTls }),
        _ => None,
    }
}

fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Percent-encoding undone (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend(parts.next()?.bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?);
        bytes.extend(rest.bytes());
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Relay, String> {
        relay(&text.into())
    }

    #[test]
    fn a_url_says_where_mail_goes_and_how_safely() {
        for (url, host, port, security) in [
            ("smtp://mail.example.com", "mail.example.com", 587, Security::StartTls),
            ("smtp://mail.example.com:25/", "mail.example.com", 25, Security::StartTls),
            ("smtp://mail.example.com?tls=required", "mail.example.com", 587, Security::StartTls),
            ("smtp://mail.example.com?tls=none", "mail.example.com", 25, Security::None),
            ("smtps://mail.example.com", "mail.example.com", 465, Security::Tls),
            ("smtp://localhost", "localhost", 25, Security::None),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Security::None),
            ("smtp://127.0.0.1?tls=required", "127.0.0.1", 587, Security::StartTls),
            ("smtp://[::1]:1025", "::1", 1025, Security::None),
        ] {
            let found = read(url).unwrap_or_else(|why| panic!("{url}: {why}"));
            assert_eq!((&*found.host, found.port, found.security), (host, port, security), "{url}");
            assert!(found.login.is_none(), "{url}");
        }
        let (user, password) = read("smtp://ops%40example.com:p%25a%2Fss@mail.example.com").unwrap().login.unwrap();
        assert_eq!((&*user, password.expose_secret()), ("ops@example.com", "p%a/ss"));
    }

    #[test]
    fn what_is_no_server_or_would_show_its_password_is_refused() {
        for (url, why) in [
            ("mail.example.com:587", "must be smtp://"),
            ("http://mail.example.com", "must be smtp://"),
            ("smtp://", "must be smtp://"),
            ("smtp://:hunter2@", "must be smtp://"),
            ("smtp://mail.example.com/hello", "must be smtp://"),
            ("smtp://mail.example.com?tls=maybe", "takes ?tls="),
            ("smtps://mail.example.com?tls=none", "takes ?tls="),
            ("smtp://ops@mail.example.com", "must have both"),
            ("smtp://:hunter2@mail.example.com", "must have both"),
            ("smtp://ops:hunter2%@mail.example.com", "holds a %"),
            ("smtp://ops:hunter2%+1@mail.example.com", "holds a %"),
            ("smtp://ops:hunter2@mail.example.com?tls=none", "would send its password"),
        ] {
            let found = read(url).unwrap_err();
            assert!(found.starts_with(why) && !found.contains("hunter2"), "{url}: {found}");
        }
        assert!(read("smtp://ops:hunter2@localhost").is_ok());
    }
}
