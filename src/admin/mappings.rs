//! Mappings over HTTP: versions of them, and what they would make of an event. The ETag is the version in force.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::answer::{App, Asked, Body, PageQuery, answer, condition, or_default, parsed, query, tagged};
use super::described::{Conflict, Moved, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::manage::mapping::diff_mappings::MappingDiff;
use crate::manage::mapping::preview::{Preview, PreviewInput};
use crate::manage::mapping::put_mapping::{NewMapping, Of};
use crate::manage::mapping::restore_version::Restoration;
use crate::manage::mapping::view::MappingView;
use crate::manage::mapping::{
    diff_mappings, get_mapping, get_version, list_versions, preview, put_mapping, restore_version,
};
use crate::manage::page::Page;
use crate::problem::Problem;

type Source = Named<(String, String)>;

/// The mapping in force
#[utoipa::path(get, path = "/modules/{slug}/sources/{source}/mapping", operation_id = "get_mapping", tag = "Mappings",
    security(("key" = ["viewer"])), responses((status = 200, body = MappingView), NotFound))]
pub async fn get(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Source,
) -> Result<Response, Problem> {
    let view = get_mapping::get_mapping(&gateway, &caller, (&slug, &source)).await?;
    tagged(view.version(), view)
}

/// Puts another mapping into force
///
/// As a new version; versions are never changed. A mapping that says the same makes none. A `match` that is new gets its
/// unique index. Every mistake is told at once: `errors[].field` is a path such as `rule[2].from`.
#[utoipa::path(put, path = "/modules/{slug}/sources/{source}/mapping", operation_id = "put_mapping", tag = "Mappings",
    security(("key" = ["editor"])), request_body = NewMapping,
    responses((status = 200, body = MappingView), NotFound, Conflict, Moved, Unfit))]
pub async fn put(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Source,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = Of { module: &slug, source: &source, condition: condition(&headers) };
    let view = put_mapping::put_mapping(&gateway, &caller, of, parsed(body)?).await?;
    tagged(view.version(), view)
}

/// The versions of a mapping, newest first
///
/// Those that came by a file and those that came by this API, side by side: `origin` says which.
#[utoipa::path(get, path = "/modules/{slug}/sources/{source}/mapping/versions", operation_id = "list_mapping_versions",
    tag = "Mappings", security(("key" = ["viewer"])), params(PageQuery),
    responses((status = 200, body = Page<MappingView>), NotFound))]
pub async fn versions(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Source,
    page: Asked<PageQuery>,
) -> Result<Response, Problem> {
    let page = query(page)?;
    list_versions::list_versions(&gateway, &caller, (&slug, &source), page.page()).await.map(answer)
}

/// One version of a mapping
#[utoipa::path(get, path = "/modules/{slug}/sources/{source}/mapping/versions/{n}", operation_id = "get_mapping_version",
    tag = "Mappings", security(("key" = ["viewer"])), responses((status = 200, body = MappingView), NotFound))]
pub async fn version(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source, number)): Named<(String, String, String)>,
) -> Result<Response, Problem> {
    get_version::get_version(&gateway, &caller, (&slug, &source), &number).await.map(answer)
}

/// Puts an earlier version into force again
///
/// As a new version with the same document, whose note says so. The module may have changed since: what no longer fits is
/// refused, with the places.
#[utoipa::path(post, path = "/modules/{slug}/sources/{source}/mapping/versions/{n}/restore",
    operation_id = "restore_mapping_version", tag = "Mappings", security(("key" = ["editor"])),
    request_body(content = Option<Restoration>, example = json!({ "note": "as it was before" })),
    responses((status = 200, body = MappingView), NotFound, Conflict, Moved, Unfit))]
pub async fn restore(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source, number)): Named<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = Of { module: &slug, source: &source, condition: condition(&headers) };
    let asked = (&*number, or_default(body)?);
    let view = restore_version::restore_version(&gateway, &caller, of, asked).await?;
    tagged(view.version(), view)
}

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// A version; the one before `to` unless given.
    from: Option<i64>,
    /// A version; the one in force unless given.
    to: Option<i64>,
}

/// What became of a mapping from one version to another
#[utoipa::path(get, path = "/modules/{slug}/sources/{source}/mapping/diff", operation_id = "diff_mappings",
    tag = "Mappings", security(("key" = ["viewer"])), params(DiffQuery),
    responses((status = 200, body = MappingDiff), NotFound))]
pub async fn diff(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Source,
    asked: Asked<DiffQuery>,
) -> Result<Response, Problem> {
    let DiffQuery { from, to } = query(asked)?;
    diff_mappings::diff_mappings(&gateway, &caller, (&slug, &source), (from, to)).await.map(answer)
}

/// Shows what an event would become, rule by rule
///
/// A payload that is given, or an event of the log; by the mapping in force, or by a draft. Signature and limit are not
/// asked, and nothing is written. Shown are the first 100 nodes of `each`, 100 nodes of a rule and 100 records, 64 KiB of
/// a value and about 4 MiB in all; what is left out is marked by `cut`.
#[utoipa::path(post, path = "/modules/{slug}/sources/{source}/mapping/preview", operation_id = "preview_mapping",
    tag = "Mappings", security(("key" = ["viewer"])), request_body = PreviewInput,
    responses((status = 200, body = Preview), NotFound, Conflict, Unfit))]
pub async fn try_out(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, source)): Source,
    body: Body,
) -> Result<Response, Problem> {
    preview::preview(&gateway, &caller, (&slug, &source), parsed::<PreviewInput>(body)?).await.map(answer)
}
