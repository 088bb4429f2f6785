//! How a sender signs, and one request of it, as a command line says them.

use std::path::Path;

use clap::Args;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::super::output::Failure;
use super::super::send::{self, read};
use crate::clock::{Clock, Timestamp};
use crate::config::env_secret;
use crate::id::EventId;
use crate::secret::SecretString;
use crate::verify::{FORM, RawSignature, Scheme, Signed, sign};

/// Holds the secret where no other variable is named.
pub const SECRET: &str = "TIDEGATE_SECRET";
/// Numbers below it are seconds since 1970, above it milliseconds.
const FIRST_MILLIS: i64 = 100_000_000_000;

#[derive(Args, Clone, Debug, Default)]
pub struct RequestArgs {
    /// A sender that is known by name: `tidegate preset list` shows all
    #[arg(long, value_name = "NAME", conflicts_with = "scheme")]
    pub preset: Option<String>,

    /// Or how the sender signs, in TOML as behind `signature =` in a module file; or the file that says it
    #[arg(long, value_name = "TOML|FILE")]
    pub scheme: Option<String>,

    /// A header of the request, 'Name: value'; may be repeated
    #[arg(short = 'H', long = "header", value_name = "HEADER", value_parser = send::header)]
    pub headers: Vec<(String, String)>,

    /// The whole URL that the sender was given; needed when it is part of what is signed
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    #[arg(long, value_name = "METHOD", default_value = "POST")]
    pub method: String,

    /// The time as of which it is done, as 2026-01-02T03:04:05Z or in seconds since 1970 [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<Timestamp>,
}

/// A request of a sender.
pub struct Request {
    pub scheme: Scheme,
    /// The variables that hold the secrets, as far as the scheme names them itself.
    pub names: Vec<String>,
    pub method: String,
    pub url: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub now: Timestamp,
}

impl RequestArgs {
    pub fn request(&self, body: Vec<u8>) -> Result<Request, Failure> {
        let (scheme, names) = self.scheme()?;
        if scheme.needs_url() && self.url.is_none() {
            return Err(Failure::Usage("the URL is part of what this sender signs: give it by --url".to_owned()));
        }
        let url = self.url.clone().unwrap_or_default();
        if self.url.is_some() && !url.contains("://") {
            return Err(Failure::Usage("--url: the whole URL, from https:// on".to_owned()));
        }
        let now = self.at.unwrap_or_else(|| Clock::system().now());
        let mut headers = headers(&self.headers)?;
        if scheme.reads_form() && !headers.contains_key(http::header::CONTENT_TYPE) {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(FORM));
        }
        Ok(Request { scheme, names, method: self.method.clone(), url, headers, body, now })
    }

    /// And the variables that it names for its secrets.
    fn scheme(&self) -> Result<(Scheme, Vec<String>), Failure> {
        let raw = match (&self.preset, &self.scheme) {
            (Some(name), _) => RawSignature { preset: Some(name.clone()), ..RawSignature::default() },
            (None, Some(text)) => described(text)?,
            (None, None) => {
                return Err(Failure::Usage("say how the sender signs: --preset NAME, or --scheme".to_owned()));
            }
        };
        let names = raw.secret.as_ref().map(|secrets| secrets.as_slice().to_vec()).unwrap_or_default();
        let names = names.iter().filter_map(|name| name.strip_prefix("env:")).map(str::to_owned).collect();
        let flag = if self.preset.is_some() { "--preset" } else { "--scheme" };
        let scheme = Scheme::try_from(raw).map_err(|error| Failure::Usage(format!("{flag}: {error}")))?;
        Ok((scheme, names))
    }
}

impl Request {
    pub fn signed(&self) -> Signed<'_> {
        let (path, query) = path_and_query(&self.url);
        Signed { method: &self.method, url: &self.url, path, query, headers: &self.headers, body: &self.body }
    }

    /// Signed as its sender would: the headers that were not there, and the signature's own value.
    pub fn sign(&mut self, secret: &[u8]) -> Result<sign::Signature, Failure> {
        let cannot = |detail: String| Failure::Usage(format!("this cannot be signed: {detail}"));
        let id = EventId::new(self.now).to_string().replace(EventId::PREFIX, "msg_");
        let made = sign::make_headers(&self.scheme, self.signed(), &id, self.now);
        self.headers.extend(headers(&made)?);
        let signature = sign::sign(&self.scheme, secret, self.signed(), self.now);
        let signature = signature.map_err(|error| cannot(error.to_string()))?;
        self.headers.extend(headers(&signature.headers)?);
        Ok(sign::Signature { headers: [made, signature.headers].concat(), value: signature.value })
    }

    /// Those of the named variables, else those that the scheme names, else that of [`SECRET`].
    pub fn secrets(&self, named: &[String]) -> Result<Vec<(String, SecretString)>, Failure> {
        let names = if named.is_empty() { &self.names[..] } else { named };
        let secret = |name: &str| match env_secret(name) {
            Some(secret) => Ok((name.to_owned(), secret)),
            None => {
                Err(Failure::Usage(format!("the variable {name}, which is to hold the secret, is not set or empty")))
            }
        };
        match names {
            [] => Ok(vec![secret(SECRET).map_err(|_| {
                Failure::Usage(format!("name the variable that holds the secret by --secret-env, or set {SECRET}"))
            })?]),
            names => names.iter().map(|name| secret(name)).collect(),
        }
    }
}

pub fn headers(given: &[(String, String)]) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        // Its value may be a secret.
        let (name, value) = pair.ok_or_else(|| Failure::Usage(format!("`{name}: …` is no header")))?;
        headers.append(name, value);
    }
    Ok(headers)
}

fn path_and_query(url: &str) -> (&str, Option<&str>) {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
    let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    (if path.is_empty() { "/" } else { path }, query)
}

fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(number) = text.parse::<i64>() {
        let scale = if number.abs() < FIRST_MILLIS { 1_000_000 } else { 1_000 };
        let at = number.checked_mul(scale).and_then(Timestamp::from_micros);
        return at.ok_or_else(|| "not a time that there is".to_owned());
    }
    text.parse().map_err(|error: crate::clock::BadTimestamp| error.to_string())
}

/// What stands behind `signature =`, with braces or without, or a file of it: a module file with one signed source, too.
fn described(text: &str) -> Result<RawSignature, Failure> {
    let bad = |detail: String| Failure::Usage(format!("--scheme: {detail}"));
    let table = if text.contains('=') {
        let text = text.trim();
        let inline = if text.starts_with('{') { format!("signature = {text}") } else { text.to_owned() };
        // `header = "X", prefix = "v0="` is what stands in the braces of an inline table.
        let tables = [inline, format!("signature = {{ {text} }}")].map(|text| text.parse::<toml::Table>());
        let [first, second] = tables;
        first.or_else(|error| second.map_err(|_| error)).map_err(|error| bad(error.to_string()))?
    } else {
        let file = String::from_utf8(read(Path::new(text))?).map_err(|_| bad(format!("{text} is not UTF-8")))?;
        file.parse::<toml::Table>().map_err(|error| bad(format!("{text}: {error}")))?
    };
    signature(table).map_err(bad)?.try_into().map_err(|error: toml::de::Error| bad(error.message().to_owned()))
}

fn signature(mut table: toml::Table) -> Result<toml::Value, String> {
    if let Some(signature) = table.remove("signature") {
        return Ok(signature);
    }
    let Some(toml::Value::Array(sources)) = table.remove("source") else { return Ok(toml::Value::Table(table)) };
    let mut signatures: Vec<_> = sources.into_iter().filter_map(|source| source.get("signature").cloned()).collect();
    match signatures.len() {
        1 => Ok(signatures.swap_remove(0)),
        several => Err(format!("the file has {several} sources with a signature; copy the one that is meant")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scheme(text: &str) -> Result<(Scheme, Vec<String>), Failure> {
        RequestArgs { scheme: Some(text.to_owned()), ..RequestArgs::default() }.scheme()
    }

    #[test]
    fn a_scheme_is_taken_in_every_form_that_module_files_have() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let keys = "header = \"X-Sig\"\nprefix = \"v0=\"\nsecret = \"env:ONE\"\n";
        let wanted: Scheme = toml::from_str(keys).unwrap();
        for text in [
            keys.to_owned(),
            "{ header = \"X-Sig\", prefix = \"v0=\", secret = \"env:ONE\" }".to_owned(),
            "header = \"X-Sig\", prefix = \"v0=\", secret = \"env:ONE\"".to_owned(),
            "signature = { header = \"X-Sig\", prefix = \"v0=\", secret = [\"env:ONE\"] }".to_owned(),
            file("keys.toml", keys),
            file("module.toml", &format!("[module]\nslug = \"a\"\n[[source]]\n[source.signature]\n{keys}")),
        ] {
            let (scheme, names) = scheme(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!((scheme, names), (wanted.clone(), vec!["ONE".to_owned()]), "{text}");
        }
        for (text, says) in [
            ("header = ", "--scheme: TOML parse error"),
            ("heeder = \"X\"", "--scheme: unknown field `heeder`"),
            ("header = \"X\"\nmessage = \"{timestamp}\"", "--scheme: the message must hold {body}"),
            ("/nowhere.toml", "/nowhere.toml: No such file"),
            (&file("two.toml", &format!("{0}{0}", "[[source]]\nsignature = { header = \"X\" }\n")), "2 sources"),
        ] {
            let Err(Failure::Usage(detail)) = scheme(text) else { panic!("{text}") };
            assert!(detail.contains(says), "{text}: {detail}");
        }
    }

    #[test]
    fn a_url_is_taken_apart_as_a_request_line_has_it() {
        for (url, path, query) in [
            ("https://a.example/b/c?d=e&f#g", "/b/c", Some("d=e&f")),
            ("https://a.example", "/", None),
            ("https://a.example?x", "/", Some("x")),
            ("", "/", None),
        ] {
            assert_eq!(path_and_query(url), (path, query), "{url}");
        }
    }

    #[test]
    fn times_are_read_as_signatures_have_them() {
        for text in ["2018-07-12T18:36:58Z", "1531420618", "1531420618000"] {
            assert_eq!(moment(text).unwrap().to_string(), "2018-07-12T18:36:58.000000Z", "{text}");
        }
        assert!(moment("yesterday").is_err() && moment("99999999999999999").is_err());
    }
}
