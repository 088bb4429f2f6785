//! A signature as a sender of a scheme makes it: for `tidegate send` and `tidegate sign`, and for tests.

use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::asymmetric::PrivateKey;
use super::digest;
use super::jwt;
use super::moment::From;
use super::place::Place;
use super::raw::Algorithm;
use super::request::{Request, Signed};
use super::scheme::{Checked, Scheme};
use super::template::{Filling, Template};
use crate::clock::Timestamp;

/// How long a token that is made here is good for.
const LIFE: Duration = Duration::from_secs(300);

/// What a sender adds to its request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signature {
    /// Names as they are usually written.
    pub headers: Vec<(String, String)>,
    /// The signature's value, for one that stands in the body or the query.
    pub value: String,
}

/// Why nothing can be signed, for the person who asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0}")]
pub struct CannotSign(pub String);

/// `signed` is the request with everything that is signed beside the signature and its time; a header that the scheme
/// signs must be there. The time of a scheme that has it in the body is the body's.
pub fn sign(scheme: &Scheme, secret: &[u8], signed: Signed<'_>, now: Timestamp) -> Result<Signature, CannotSign> {
    let checked = &scheme.checked;
    let url =
        checked.url.as_ref().map(|url| signed.query.map_or_else(|| url.clone(), |query| format!("{url}?{query}")));
    let signed = Signed { url: url.as_deref().unwrap_or(signed.url), ..signed };
    let request = Request::new(signed);
    let time = time(checked, &request, now)?;
    let filling = Filling { request: &request, timestamp: time.as_deref(), hmac: None };
    let value = checked.sign(secret, filling, now)?;
    let from = checked.timestamp.as_ref().map(|moment| &moment.from);
    let value = checked.layout.write(from.zip(time.as_deref()), &value);
    let mut headers = Vec::new();
    if let (Some(From::Header(name, written)), Some(time)) = (from, &time)
        && request.header(name).is_none()
    {
        headers.push((written.clone(), time.clone()));
    }
    if let Place::Headers(names) = &checked.place {
        headers.extend(names.first().map(|(_, name)| (name.clone(), value.clone())));
    }
    Ok(Signature { headers, value })
}

/// The sender's time is now, unless the request says it already; in a body it must.
fn time(checked: &Checked, request: &Request<'_>, now: Timestamp) -> Result<Option<String>, CannotSign> {
    let Some(moment) = &checked.timestamp else { return Ok(None) };
    let stated = || moment.find(request, "", &checked.layout);
    match &moment.from {
        From::Json(..) => stated().map(Some).ok_or_else(|| {
            CannotSign(format!("this sender writes its time into the body, and {} is missing", moment.describe()))
        }),
        From::Header(..) => Ok(stated().or_else(|| Some(moment.write(now)))),
        From::Field(_) | From::Item(_) => Ok(Some(moment.write(now))),
    }
}

/// The headers that the scheme signs and the request does not have, with values as a sender would make them: most are
/// ids, and get this one.
pub fn make_headers(scheme: &Scheme, signed: Signed<'_>, id: &str, now: Timestamp) -> Vec<(String, String)> {
    let checked = &scheme.checked;
    let mut made: Vec<(String, String)> = Vec::new();
    let hashes = |name| checked.body_hash.iter().flat_map(Template::headers).any(|hash| hash == name);
    for name in checked.message.headers().filter(|name| !signed.headers.contains_key(*name)) {
        let value = match checked.timestamp.as_ref() {
            Some(moment) if matches!(&moment.from, From::Header(header, _) if header == name) => moment.write(now),
            _ if hashes(name) => HEXLOWER.encode(&Sha256::digest(signed.body)),
            _ if name.as_str().ends_with("timestamp") => now.to_string(),
            _ => id.to_owned(),
        };
        if made.iter().all(|(other, _)| other != name.as_str()) {
            made.push((name.to_string(), value));
        }
    }
    made
}

impl Checked {
    /// What is signed instead of the body has to be the body's.
    fn check_hash(&self, filling: Filling<'_>) -> Result<(), CannotSign> {
        let Some(hash) = &self.body_hash else { return Ok(()) };
        let right = HEXLOWER.encode(&Sha256::digest(filling.request.signed.body));
        if hash.text(filling).is_ok_and(|stated| stated.eq_ignore_ascii_case(&right)) {
            return Ok(());
        }
        Err(CannotSign(format!("{} is to be the SHA-256 of the body, {right}", self.body_hash_text)))
    }

    fn sign(&self, secret: &[u8], filling: Filling<'_>, now: Timestamp) -> Result<String, CannotSign> {
        let no_key = || CannotSign("the secret is not of the form that this sender's secrets have".to_owned());
        if self.algorithm == Algorithm::Token {
            let key = digest::key(self.key, &self.key_prefix, secret).ok_or_else(no_key)?;
            return self.encoding.encode(&key).ok_or_else(no_key);
        }
        let refused = |error: &dyn std::fmt::Display| CannotSign(error.to_string());
        if self.algorithm == Algorithm::Jwt {
            let key = jwt::SigningKey::read(self.claims.algorithm, secret).map_err(|error| refused(&error))?;
            let signed = filling.request.signed;
            let request = jwt::Request { body: signed.body, url: signed.url };
            return self.claims.issue(&key, request, now, LIFE).map_err(|error| refused(&error));
        }
        let lacking = |lacking: super::template::Lacking| {
            CannotSign(format!("{} is part of what is signed, and is not there", lacking.0))
        };
        self.check_hash(filling)?;
        let pieces = self.message.fill(filling).map_err(lacking)?;
        if let Some(pair) = self.algorithm.pair() {
            let text = std::str::from_utf8(secret).map_err(|_| no_key())?;
            let key = PrivateKey::read(pair, text).map_err(|error| refused(&error))?;
            let signature = key.sign(&digest::whole(&pieces, &[])).map_err(|error| refused(&error))?;
            return self.encoding.encode(&signature).ok_or_else(no_key);
        }
        let key = digest::key(self.key, &self.key_prefix, secret).ok_or_else(no_key)?;
        let digest = digest::digest(self.algorithm, (secret, &key), &pieces).ok_or_else(no_key)?;
        self.encoding.encode(digest.as_slice()).ok_or_else(no_key)
    }
}
