//! A webhook as it is to be, checked whole: every fault of every part at once.

use http::HeaderMap;
use url::Url;

use super::headers::{self, Headers};
use super::members::{self, Members, Wrong, invalid};
use super::names;
use crate::deliver::endpoint::{RawEndpoint, Standing};
use crate::deliver::{profile, sign};
use crate::gateway::Gateway;
use crate::id::EndpointId;
use crate::problem::{Code, Problem};
use crate::secret::SecretString;
use crate::store::modules::StoredModule;

/// The longest secret that is taken, in bytes.
const LONGEST_SECRET: usize = 1_024;

pub struct Draft {
    pub raw: RawEndpoint,
    pub headers: Headers,
}

/// Beside what the members say.
pub struct Beside<'a> {
    pub id: EndpointId,
    pub headers: Headers,
    /// That sign now.
    pub secrets: &'a [SecretString],
    /// Where the names of events and modules are looked at: those that stand may be of modules that were altered since.
    pub modules: Option<&'a [StoredModule]>,
    /// What was found wrong before.
    pub wrong: Option<Wrong>,
}

impl Draft {
    /// What stands with what is asked for.
    pub fn check(
        gateway: &Gateway,
        standing: Members,
        mut asked: Members,
        beside: Beside<'_>,
    ) -> Result<Self, Problem> {
        let mut wrong = Vec::from_iter(beside.wrong);
        let headers = match asked.remove("headers") {
            Some(asked) => headers::merged(beside.headers, &asked).map_err(|found| wrong.extend(found)).ok(),
            None => Some(beside.headers),
        };
        let raw = members::read(members::merged(standing, asked)).map_err(|found| wrong.extend(found)).ok();
        let profile = raw.as_ref().and_then(|raw| profile::find(&raw.profile));
        wrong.extend(headers.iter().flat_map(|headers| headers::check(headers, profile)));
        if let (Some(raw), Some(modules)) = (&raw, beside.modules) {
            wrong.extend(names::check(raw, modules));
        }
        if let Some(profile) = profile {
            wrong.extend(beside.secrets.iter().filter_map(|secret| unfit(profile, secret)));
        }
        let standing =
            Standing { id: beside.id, enabled: true, since: 0, headers: HeaderMap::new(), secrets: Vec::new() };
        let checked = raw.map(|raw| raw.check(&gateway.targets, standing));
        match (checked, headers) {
            (Some(Ok(endpoint)), Some(headers)) if wrong.is_empty() => {
                Ok(Self { raw: RawEndpoint { url: endpoint.url.to_string(), ..endpoint.raw }, headers })
            }
            (checked, _) => {
                let faults = checked.and_then(Result::err).unwrap_or_default();
                let faults = faults.into_iter().map(|fault| Wrong::new(fault.field, fault.detail));
                Err(invalid(faults.chain(wrong).collect()))
            }
        }
    }

    /// As storage keeps it.
    pub fn settings(&self) -> Result<String, Problem> {
        serde_json::to_string(&self.raw).map_err(|_| Code::InternalError.into())
    }
}

/// Scheme, host and port: the path of a URL may be a secret.
pub fn origin(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return String::new() };
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

/// A secret that an admin gives, kept as it is.
pub fn given_secret(text: String) -> Result<SecretString, Wrong> {
    let length = text.len();
    let secret = SecretString::from(text);
    if (1..=LONGEST_SECRET).contains(&length) {
        Ok(secret)
    } else {
        Err(Wrong::new("secret", format!("is a text of 1 to {LONGEST_SECRET} bytes")))
    }
}

/// Why a profile cannot sign with it.
pub fn unfit(profile: &profile::Profile, secret: &SecretString) -> Option<Wrong> {
    sign::check(profile, secret).err().map(|why| Wrong::new("secret", why.to_string()))
}
