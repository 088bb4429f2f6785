//! Module files, and what comes with the program.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::answer::{App, Asked, Body, answer, parsed, query};
use super::described::{Conflict, NotFound, Unfit};
use super::extract::Authenticated;
use crate::manage;
use crate::manage::apply::compare::Applied;
use crate::manage::export::Exported;
use crate::manage::list_presets::PresetView;
use crate::manage::page::Page;
use crate::problem::Problem;
use crate::secret::SecretString;

/// As IANA registers it.
const TOML: &str = "application/toml";

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Files, example = json!({
    "files": [{ "name": "orders.toml", "text": "[module]\nslug = \"orders\"\nmatch = [\"code\"]\n\n[module.fields]\ncode = \"text\"\n" }]
}))]
pub struct ApplyBody {
    files: Vec<File>,
    /// What the files name as `env:NAME`, by `NAME`.
    #[serde(default)]
    secrets: BTreeMap<String, String>,
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// As messages repeat it.
    name: String,
    /// A module file, TOML.
    text: String,
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplyQuery {
    /// Answers what would be done, and does nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Makes modules, sources and mappings what the files say
///
/// Everything of the request or nothing. What the files do not name stays as it is.
#[utoipa::path(post, path = "/apply", tag = "Files", security(("key" = ["editor"])), params(ApplyQuery),
    request_body = ApplyBody, responses((status = 200, body = Applied), Conflict, Unfit))]
pub async fn apply(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Asked<ApplyQuery>,
    body: Body,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let body: ApplyBody = parsed(body)?;
    let input = manage::apply::Input {
        files: body.files.into_iter().map(|file| (file.name, file.text)).collect(),
        secrets: body.secrets.into_iter().map(|(name, text)| (name, SecretString::from(text))).collect(),
        dry_run: asked.dry_run,
    };
    manage::apply::apply(&gateway, &caller, &input).await.map(answer)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// A module's slug: its file alone, as TOML.
    module: Option<String>,
}

/// Modules as files
///
/// Applying them changes nothing. One module is answered as TOML; without `module` all of them, as a list of files. No
/// file holds a secret: it names those that have a name, and says where there are others.
#[utoipa::path(get, path = "/export", tag = "Files", security(("key" = ["viewer"])), params(ExportQuery),
    responses((status = 200, description = "`application/toml` is a module's file.",
        content((Exported = "application/json"), (String = "application/toml"))), NotFound, Conflict))]
pub async fn export(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    asked: Asked<ExportQuery>,
) -> Result<Response, Problem> {
    let asked = query(asked)?;
    let Exported { mut files } = manage::export::export(&gateway, &caller, asked.module.as_deref()).await?;
    match files.pop() {
        Some(file) if asked.module.is_some() => {
            Ok(([(header::CONTENT_TYPE, HeaderValue::from_static(TOML))], file.text).into_response())
        }
        last => {
            files.extend(last);
            Ok(answer(Exported { files }))
        }
    }
}

/// The senders whose signatures are known
#[utoipa::path(get, path = "/presets", tag = "Files", security(("key" = ["viewer"])),
    responses((status = 200, body = Page<PresetView>)))]
pub async fn list_presets(State(gateway): App, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    manage::list_presets::list_presets(&gateway, &caller).map(answer)
}
