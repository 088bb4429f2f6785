//! The senders that are known by name.

use serde::Serialize;
use serde_json::Value;

use crate::gateway::Gateway;
use crate::manage::caller::Caller;
use crate::manage::page::Page;
use crate::problem::Problem;
use crate::store::keys::Role;
use crate::verify::Scheme;
use crate::verify::handshake::RawHandshake;
use crate::verify::preset::{self, Preset};
use crate::verify::response::RawResponse;

/// What an admin can choose, and copy: scheme, handshakes and response in the words of a module file.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Preset)]
pub struct PresetView {
    name: &'static str,
    title: &'static str,
    /// What to paste as the secret.
    #[serde(skip_serializing_if = "str::is_empty")]
    secret: &'static str,
    /// Why the sender cannot be taken, and what to do instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    signature: Option<&'static Scheme>,
    event_type: Option<&'static str>,
    event_id: Option<&'static str>,
    #[schema(value_type = Option<Value>)]
    occurred_at: Option<&'static Value>,
    #[schema(value_type = Vec<Object>)]
    handshakes: Vec<&'static RawHandshake>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    response: Option<&'static RawResponse>,
}

impl From<&'static Preset> for PresetView {
    fn from(preset: &'static Preset) -> Self {
        Self {
            name: &preset.name,
            title: &preset.title,
            secret: &preset.secret,
            refused: preset.scheme.as_ref().err().map(String::as_str),
            signature: preset.scheme.as_ref().ok(),
            event_type: preset.event_type.as_deref(),
            event_id: preset.event_id.as_deref(),
            occurred_at: preset.occurred_at.as_ref(),
            handshakes: preset.handshakes.iter().map(|handshake| &handshake.raw).collect(),
            response: preset.response.as_ref(),
        }
    }
}

/// All of them on one page: they are part of the program.
pub fn list_presets(_: &Gateway, caller: &Caller) -> Result<Page<PresetView>, Problem> {
    caller.needs(Role::Viewer)?;
    Ok(Page { data: preset::all().iter().map(PresetView::from).collect(), next_cursor: None })
}
