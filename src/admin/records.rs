//! Records over HTTP. The ETag is the version.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{App, Asked, Body, PageQuery, answer, condition, parsed, query, tagged};
use super::described::{Conflict, Moved, NotFound, Unfit};
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::page::Page;
use crate::manage::record;
use crate::manage::record::draft::Members;
use crate::manage::record::list_history::History;
use crate::manage::view::RecordView;
use crate::problem::Problem;

/// How a list of records is asked for; read by hand, since the names of fields are the module's own.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes; manage/record/filter.rs reads it")]
struct RecordsQuery {
    /// `filter[field][op]=value`, as often as needed; all must fit. `op` is `eq`, `ne`, `lt`, `lte`, `gt`, `gte`, `in`
    /// (values with commas between), `prefix`, `contains` (slow: it reads every record), or `null` (`true` or `false`);
    /// `filter[field]=` is `eq`. `field` may also be `_id`, `_version`, `_created_at`, `_updated_at`. Texts compare by their
    /// bytes, decimals as numbers, timestamps as instants. Records without a value fit `ne` and `null`, and no other.
    #[param(style = DeepObject, explode, value_type = Option<Object>, example = json!({ "status": { "in": "open,closed" } }))]
    filter: Option<serde_json::Value>,
    /// A field, or `-field` for the largest first; `_id`, the oldest first, unless given. Records without a value come
    /// last.
    #[param(example = "-_updated_at")]
    sort: Option<String>,
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// The `nextCursor` of the page before, with the same filters and the same `sort`.
    cursor: Option<String>,
}

/// A module's records
///
/// A page that would take too long to find is refused: `too_costly`.
#[utoipa::path(get, path = "/modules/{slug}/records", tag = "Records", security(("key" = ["viewer"])),
    params(RecordsQuery), responses((status = 200, body = Page<RecordView>), NotFound))]
pub async fn list_records(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs = form_urlencoded::parse(query.as_deref().unwrap_or_default().as_bytes()).into_owned();
    let asked = record::filter::Asked::read(pairs)?;
    manage::list_records::list_records(&gateway, &caller, &slug, &asked).await.map(answer)
}

/// Makes a record by hand
///
/// Its fields are checked as those of events are.
#[utoipa::path(post, path = "/modules/{slug}/records", tag = "Records", security(("key" = ["editor"])),
    request_body = Members, responses((status = 201, body = RecordView), NotFound, Conflict, Unfit))]
pub async fn create_record(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    body: Body,
) -> Result<Response, Problem> {
    let made = record::create_record::create_record(&gateway, &caller, &slug, &parsed(body)?).await?;
    let place = HeaderValue::from_str(&format!("{}/modules/{slug}/records/{}", super::described::BASE, made.id()));
    let mut response = tagged(made.version(), made)?;
    *response.status_mut() = StatusCode::CREATED;
    response.headers_mut().extend(place.ok().map(|place| (header::LOCATION, place)));
    Ok(response)
}

/// One record
#[utoipa::path(get, path = "/modules/{slug}/records/{record}", tag = "Records", security(("key" = ["viewer"])),
    responses((status = 200, body = RecordView), NotFound))]
pub async fn get_record(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, record)): Named<(String, String)>,
) -> Result<Response, Problem> {
    let view = manage::get_record::get_record(&gateway, &caller, &slug, &record).await?;
    tagged(view.version(), view)
}

/// Changes a record by hand
///
/// What is not named stays; null empties a field, or removes a member of `customData`.
#[utoipa::path(patch, path = "/modules/{slug}/records/{record}", tag = "Records", security(("key" = ["editor"])),
    request_body = Members, responses((status = 200, body = RecordView), NotFound, Conflict, Moved, Unfit))]
pub async fn change_record(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, record)): Named<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let of = (&*slug, &*record, condition(&headers));
    let changed = record::change_record::change_record(&gateway, &caller, of, &parsed(body)?).await?;
    tagged(changed.version(), changed)
}

/// Deletes a record by hand
///
/// For a while an event that is older than what its source told of the record does not bring it back.
#[utoipa::path(delete, path = "/modules/{slug}/records/{record}", tag = "Records", security(("key" = ["editor"])),
    responses((status = 204), NotFound, Conflict, Moved))]
pub async fn delete_record(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, record)): Named<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    record::delete_record::delete_record(&gateway, &caller, (&slug, &record, condition(&headers))).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// What became of a record, newest first
///
/// Every change that the log keeps, also of a record that was deleted, and who wrote each field last.
#[utoipa::path(get, path = "/modules/{slug}/records/{record}/history", tag = "Records",
    security(("key" = ["viewer"])), params(PageQuery), responses((status = 200, body = History), NotFound))]
pub async fn list_history(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, record)): Named<(String, String)>,
    page: Asked<PageQuery>,
) -> Result<Response, Problem> {
    let of = (&*slug, &*record);
    record::list_history::list_history(&gateway, &caller, of, query(page)?.page()).await.map(answer)
}
