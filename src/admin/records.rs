//! Records over HTTP.

use axum::extract::State;
use axum::response::Response;

use super::answer::{App, Asked, PageQuery, answer, query};
use super::described::NotFound;
use super::extract::{Authenticated, Named};
use crate::manage;
use crate::manage::page::Page;
use crate::manage::view::RecordView;
use crate::problem::Problem;

/// A module's records, oldest first
#[utoipa::path(get, path = "/modules/{slug}/records", tag = "Records", security(("key" = ["viewer"])), params(PageQuery),
    responses((status = 200, body = Page<RecordView>), NotFound))]
pub async fn list_records(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named(slug): Named<String>,
    page: Asked<PageQuery>,
) -> Result<Response, Problem> {
    manage::list_records::list_records(&gateway, &caller, &slug, query(page)?.page()).await.map(answer)
}

/// One record
#[utoipa::path(get, path = "/modules/{slug}/records/{record}", tag = "Records", security(("key" = ["viewer"])),
    responses((status = 200, body = RecordView), NotFound))]
pub async fn get_record(
    State(gateway): App,
    Authenticated(caller): Authenticated,
    Named((slug, record)): Named<(String, String)>,
) -> Result<Response, Problem> {
    manage::get_record::get_record(&gateway, &caller, &slug, &record).await.map(answer)
}
