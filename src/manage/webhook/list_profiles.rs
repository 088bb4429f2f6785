//! The ways in which endpoints can be spoken to.

use http::HeaderName;
use serde::Serialize;

use crate::deliver::profile::{self, Decimals, Profile};
use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::Page;
use crate::problem::Problem;
use crate::store::keys::Role;

/// `body` is in the words of the gateway's own file of profiles.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Profile)]
pub struct ProfileView {
    name: &'static str,
    summary: &'static str,
    /// Seconds to wait after each failed attempt.
    retries: &'static [u32],
    /// How much longer a wait may become by chance.
    jitter_percent: u32,
    /// Seconds.
    timeout: u64,
    user_agent: &'static str,
    /// Headers that carry a signature of the raw body.
    signatures: Vec<&'static str>,
    /// Whether the three headers of that specification go along.
    standard_webhooks: bool,
    headers: Vec<&'static str>,
    body: &'static [String],
    decimals: Decimals,
}

impl From<&'static Profile> for ProfileView {
    fn from(profile: &'static Profile) -> Self {
        let signatures = profile.signatures.iter().map(|(name, _)| HeaderName::as_str(name));
        let headers = profile.headers.iter().map(|(name, _)| HeaderName::as_str(name));
        Self {
            name: &profile.name,
            summary: &profile.summary,
            retries: &profile.retries,
            jitter_percent: profile.jitter_percent,
            timeout: profile.timeout.as_secs(),
            user_agent: &profile.user_agent,
            signatures: signatures.collect(),
            standard_webhooks: profile.standard_webhooks,
            headers: headers.collect(),
            body: &profile.body,
            decimals: profile.decimals,
        }
    }
}

/// All of them on one page: they are part of the program.
pub fn list_profiles(_: &Gateway, caller: &Caller) -> Result<Page<ProfileView>, Problem> {
    caller.needs(Role::Viewer)?;
    Ok(Page { data: profile::profiles().iter().map(ProfileView::from).collect(), next_cursor: None })
}
